"""What an agent hears on its socket, whatever it is: it goes on sampling, and guards what it guarded."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.nodes import flight
from sparktui.nodes.phase import PHASES
from tests.faults import tried
from tests.faults.agents import LIMITS, Runner, agent

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc")

MARK = "guarded-all-along"
DEFAULTED = ("horizon_s", "real_fall_bytes_s", "clear_above_bytes", "clear_s", "predicted_margin_bytes")
NUMBERS = st.one_of(
    st.integers(), st.sampled_from([2**63, -(2**64), 10**400, 1e308]), st.floats(allow_nan=True, allow_infinity=True)
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(st.characters(codec=None), max_size=20))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
NO_TEXT = VALUES.filter(lambda value: not isinstance(value, str) or not value)
NO_LIMITS = st.one_of(
    VALUES.filter(lambda value: not isinstance(value, dict)),
    st.sampled_from(sorted(LIMITS)).flatmap(
        lambda name: st.sampled_from([None, "1", [], float("nan"), 2**64]).map(lambda odd: LIMITS | {name: odd})
    ),
    st.sampled_from(sorted(LIMITS)).map(lambda name: {key: 0 for key in LIMITS if key != name}),
    st.sampled_from(sorted(DEFAULTED)).map(lambda name: LIMITS | {name: None}),
)
NO_STOP = st.one_of(
    VALUES.filter(lambda value: not isinstance(value, list)),
    st.sampled_from([[[]], [["docker", 1]], ["docker"], [["docker", "kill\0"]], [["docker", "\ud800"]], [[""]]]),
)
ARM = {"do": "arm", "mark": "another", "stop": [], "limits": LIMITS, "what": "another"}
NO_ORDERS = st.one_of(
    VALUES,
    st.fixed_dictionaries({"do": VALUES}, optional={"mark": VALUES, "phase": VALUES}),
    NO_TEXT.map(lambda mark: ARM | {"mark": mark}),
    NO_LIMITS.map(lambda limits: ARM | {"limits": limits}),
    NO_STOP.map(lambda stop: ARM | {"stop": stop}),
    NO_TEXT.map(lambda phase: {"do": "phase", "phase": phase}),
    VALUES.filter(lambda after: not isinstance(after, int)).map(lambda after: {"do": "replay", "after": after}),
)
SIZES = st.one_of(st.integers(-(2**63), 2**63), st.floats(-(2.0**62), 2.0**62))
ODD_ORDERS = st.one_of(
    VALUES.map(lambda what: {"do": "note", "what": what}),
    st.sampled_from(PHASES).map(lambda phase: {"do": "phase", "phase": phase, "more": 1}),
    st.integers().map(lambda after: {"do": "replay", "after": after}),
    st.builds(
        lambda mark, what, sizes, stop: ARM | {"mark": f"odd-{mark}", "what": what, "limits": sizes, "stop": stop},
        st.text(st.characters(codec=None), max_size=20),
        VALUES,
        st.fixed_dictionaries(
            dict.fromkeys(LIMITS, SIZES),
            optional=dict.fromkeys((*DEFAULTED, "unknown"), SIZES) | {"predicted_left_bytes": SIZES | st.none()},
        ),
        st.lists(st.lists(st.text(max_size=3), max_size=2).map(lambda words: ["/nothing/there", *words]), max_size=2),
    ),
)


def lines(*orders: Any) -> bytes:
    """Return orders as a runner would send them; NaN and lone surrogates are what JSON in Python makes of them."""
    return b"".join(json.dumps(order).encode() + b"\n" for order in orders)


class Hearing:
    """An agent that is armed, and all that it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def hears(self, data: bytes) -> None:
        """Have it read all of that, on a connection that ends with it."""
        with tried.bad_input(), closing(Runner(self.folder)) as runner:
            runner.last_word(data)

    def keeps_its_arming(self, data: bytes) -> None:
        """It still guards what it guarded, once it has heard that."""
        with closing(Runner(self.folder)) as runner:
            runner.arm(MARK)
        self.hears(data)
        assert self.armed() == MARK

    def armed(self) -> str | None:
        """Return the mark that it says it guards, on a new connection."""
        with closing(Runner(self.folder)) as runner:
            found: str | None = runner.hear_until("hello")["armed"]
            return found

    def goes_on(self) -> None:
        """It samples, and has missed no sample since it began."""
        with closing(Runner(self.folder)) as runner:
            runner.samples(2)
        found = [flight.entries((self.folder / name).read_bytes()) for name in self._files()]
        beats = [entry["sample"]["heartbeat"] for part in found for entry in part if "sample" in entry]
        assert beats == list(range(beats[0], beats[0] + len(beats)))

    def _files(self) -> list[str]:
        return [name for name in (flight.BEFORE, flight.CURRENT) if (self.folder / name).exists()]


@contextmanager
def armed_agent(folder: Path) -> Iterator[Hearing]:
    """Have an agent guard something; see afterwards that it lives, samples, and has printed nothing."""
    with (folder.parent / "stderr").open("w+b") as stderr, agent(folder, stderr=stderr) as process:
        with closing(Runner(folder)) as runner:
            runner.arm(MARK)
        hearing = Hearing(folder)
        yield hearing
        hearing.goes_on()
        assert process.poll() is None
        stderr.seek(0)
        assert stderr.read() == b""


def each(strategy: st.SearchStrategy[bytes], hears: Callable[[bytes], None], examples: int = 100) -> None:
    """Have everything heard that a strategy finds."""
    settings(max_examples=examples)(given(strategy)(hears))()


def test_bytes_that_are_no_orders_change_nothing(folder: Path) -> None:
    with armed_agent(folder) as hearing:
        each(st.binary(max_size=300), hearing.keeps_its_arming)
        each(st.lists(st.binary(max_size=20), max_size=20).map(b"\n".join), hearing.keeps_its_arming)


def test_json_that_is_no_order_changes_nothing(folder: Path) -> None:
    with armed_agent(folder) as hearing:
        each(
            st.lists(NO_ORDERS, min_size=1, max_size=3).map(lambda orders: lines(*orders)),
            hearing.keeps_its_arming,
            300,
        )


def test_an_order_that_is_cut_off_anywhere_is_none(folder: Path) -> None:
    whole = lines(ARM)[:-1]
    with armed_agent(folder) as hearing:
        for length in range(len(whole)):
            hearing.hears(whole[:length])
        assert hearing.armed() == MARK


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 200_000,
        b'{"do":' * 40_000,
        b'{"do":"note","what":' + b"[" * 900 + b"]" * 900 + b"}\n",
        b'{"do":"arm","mark":"another","limits":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}\n",
        b"x" * 5_000_000,
        b"\n" * 1_000_000,
        b"{}\n" * 100_000,
        b'{"do":"replay","after":' + b"9" * 5000 + b"}\n",
        b'{"do":"note","what":"' + b"x" * 200_000 + b'"}\n',
        b'{"do":"replay","after":-1}\n' * 2000,
    ],
    ids=["nested", "nested-orders", "deep", "deep-limits", "endless", "empty", "many", "huge", "long", "replays"],
)
def test_without_measure_is_borne(folder: Path, data: bytes) -> None:
    with armed_agent(folder) as hearing:
        hearing.keeps_its_arming(data)


def test_what_is_nested_about_as_deep_as_can_be_read_is_borne(folder: Path) -> None:
    with armed_agent(folder) as hearing:
        for depth in range(950, 1000):
            nested = b"[" * depth + b"]" * depth
            same = json.dumps(ARM | {"mark": MARK, "limits": LIMITS, "what": 0}).encode()[:-2]
            hearing.hears(b'{"do":"note","what":' + nested + b"}\n" + (same + nested + b"}\n") * 2)
        hearing.hears(lines(ARM | {"mark": MARK}))
        assert hearing.armed() == MARK


def test_orders_of_the_right_shape_and_no_sense_are_borne(folder: Path) -> None:
    with armed_agent(folder) as hearing:
        each(st.lists(ODD_ORDERS, min_size=1, max_size=3).map(lambda orders: lines(*orders)), hearing.hears, 60)
        hearing.hears(lines({"do": "disarm"}, ARM | {"mark": MARK}))
        assert hearing.armed() == MARK


def test_many_connections_at_once_are_borne(folder: Path) -> None:
    with armed_agent(folder) as hearing, ExitStack() as open_ones:
        for _ in range(100):
            with tried.bad_input():
                runner = open_ones.enter_context(closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)))
                runner.connect(str(folder / "sock"))  # waits while others wait to be taken
                runner.settimeout(60)
                runner.sendall(b'{"do":')
        assert hearing.armed() == MARK
