"""Whatever is dropped, and wherever a connection breaks: in the end every sample has arrived, and none twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.nodes.received import Received
from sparktui.nodes.sample import NodeSample


@dataclass
class Conversation:
    """An agent that keeps everything and sends what it can, and a runner that asks for the rest."""

    received: Received = field(default_factory=Received)
    written: list[NodeSample] = field(default_factory=list)
    arrived: list[NodeSample] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    clock: Iterator[float] = field(default_factory=lambda: cycle((5.0, 1.0, 5.0, 3.0)))
    """It is set back again and again."""

    def connect(self) -> None:
        self.asked.clear()
        self.ask(self.received.connected(len(self.written)))

    def sample(self, *, sent: bool) -> None:
        made = NodeSample(t=next(self.clock), node="gf1", heartbeat=len(self.written))
        self.written.append(made)
        if sent:
            new, after = self.received.live(made)
            self.arrived += [made] * new
            self.ask(after)

    def ask(self, after: int | None) -> None:
        if after is not None:
            self.asked.append(after)

    def answer(self, size: int, parts: int = 10**6) -> None:
        """Send up to so many parts of what was asked for first; the connection breaks before the others."""
        if not self.asked:
            return
        after = self.asked.pop(0)
        wanted = [sample for sample in self.written if sample.heartbeat > after]
        cut = [wanted[i : i + size] for i in range(0, len(wanted), size)] or [[]]
        for number, part in enumerate(cut[:parts], 1):
            new, ask = self.received.replayed(part, more=number < len(cut))
            self.arrived += new
            self.ask(ask)


STEPS = st.lists(
    st.one_of(
        st.just(("sent",)),
        st.just(("dropped",)),
        st.just(("reconnected",)),
        st.tuples(st.just("answered"), st.integers(1, 4)),
        st.tuples(st.just("broken off"), st.integers(1, 4)),
    ),
    max_size=40,
)


@settings(max_examples=1000)
@given(STEPS)
def test_every_sample_arrives_once(steps: list[tuple[str, int] | tuple[str]]) -> None:
    talk = Conversation()
    talk.connect()
    talk.sample(sent=True)
    for name, *size in steps:
        match name:
            case "sent" | "dropped":
                talk.sample(sent=name == "sent")
            case "reconnected":
                talk.connect()
            case "answered":
                talk.answer(size[0])
            case _:
                talk.answer(size[0], parts=1)
                talk.connect()
    talk.sample(sent=True)
    talk.connect()
    while talk.asked:
        talk.answer(3)
    assert sorted(sample.heartbeat for sample in talk.arrived) == list(range(len(talk.written)))
    assert talk.received.caught_up


@given(st.integers(1, 20))
def test_nothing_is_asked_for_while_nothing_is_missing(count: int) -> None:
    talk = Conversation()
    talk.connect()
    talk.answer(3)
    talk.sample(sent=True)
    talk.answer(3)
    for _ in range(count):
        talk.sample(sent=True)
    assert talk.asked == []
    assert len(talk.arrived) == count + 1


def test_a_count_that_begins_anew_is_another_files_and_all_of_it_is_new() -> None:
    received = Received(complete=7, _newest=7)
    assert received.connected(3) == -1
    new, _ = received.replayed([NodeSample(t=1.0, node="gf1", heartbeat=beat) for beat in range(3)], more=False)
    assert [sample.heartbeat for sample in new] == [0, 1, 2]


def test_an_answer_that_was_lost_is_asked_for_again() -> None:
    received = Received()
    received.connected(0)
    samples = [NodeSample(t=1.0, node="gf1", heartbeat=beat) for beat in range(300)]
    asked = [ask for sample in samples if (ask := received.live(sample)[1]) is not None]
    assert asked == [-1, -1]
