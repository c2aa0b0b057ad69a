"""Whatever is dropped, and wherever a connection breaks: in the end every sample has arrived, and none twice."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    asked: list[float] = field(default_factory=list)
    heartbeat: int = 0

    def connect(self) -> None:
        self.asked.clear()
        self.ask(self.received.connected())

    def sample(self, *, sent: bool) -> None:
        made = NodeSample(t=float(len(self.written)), node="gf1", heartbeat=self.heartbeat)
        self.heartbeat += 1
        self.written.append(made)
        if sent:
            new, after = self.received.live(made)
            self.arrived += [made] * new
            self.ask(after)

    def restart(self) -> None:
        self.heartbeat = 0
        self.connect()

    def ask(self, after: float | None) -> None:
        if after is not None:
            self.asked.append(after)

    def answer(self, size: int, parts: int = 10**6) -> None:
        """Send up to so many parts of what was asked for first; the connection breaks before the others."""
        if not self.asked:
            return
        after = self.asked.pop(0)
        wanted = [sample for sample in self.written if sample.t > after]
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
        st.just(("restarted",)),
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
            case "restarted":
                talk.restart()
            case "answered":
                talk.answer(size[0])
            case _:
                talk.answer(size[0], parts=1)
                talk.connect()
    talk.sample(sent=True)
    talk.connect()
    while talk.asked:
        talk.answer(3)
    assert sorted(sample.t for sample in talk.arrived) == [sample.t for sample in talk.written]
    assert talk.received.caught_up


@given(st.integers(1, 20))
def test_nothing_is_asked_for_while_nothing_is_missing(count: int) -> None:
    talk = Conversation()
    talk.connect()
    for _ in range(count):
        talk.sample(sent=True)
    assert talk.asked == []
    assert len(talk.arrived) == count


def test_a_clock_that_was_set_back_loses_no_live_sample() -> None:
    received = Received()
    first = received.live(NodeSample(t=100.0, node="gf1", heartbeat=0))
    second = received.live(NodeSample(t=50.0, node="gf1", heartbeat=1))
    assert (first, second) == ((True, None), (True, None))
