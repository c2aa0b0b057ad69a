"""An agent's loop over readings of our own: what is looked at again, what is acted on, and in which order."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparktui.nodes import agent as agent_process
from sparktui.nodes import agent_loop, flight
from sparktui.nodes.agent_loop import INTERVAL_S, Agent
from sparktui.nodes.memory import Fields
from tests.faults.agents import own_folder

GIB = 1024**3
LIMITS = {"warn_bytes": 8 * GIB, "loading_stop_bytes": 6 * GIB, "serving_stop_bytes": 4 * GIB}
ARM = {"do": "arm", "mark": "nothing-carries-this", "stop": [], "limits": LIMITS, "what": "solo"}


class OverError(Exception):
    """The readings have all been made."""


class Played:
    """A node that has enough left until the agent is armed, and then what was written down, reading by reading."""

    def __init__(self, *left_gib: float) -> None:
        self._left_gib = iter(left_gib)
        self._armed = False

    def ask(self) -> None:
        pass

    def left(self) -> Fields:
        if not self._armed:
            return {"mem_available_bytes": 100 * GIB}
        if (left := next(self._left_gib, None)) is None:
            raise OverError
        return {"mem_available_bytes": int(left * GIB), "psi_some_pct": None}

    def complete(self, left: Fields, warn_bytes: int) -> Fields:
        self._armed = self._armed or warn_bytes > 0
        return left

    def trouble(self) -> tuple[str, str] | None:
        return None


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An agent's folder, gone to; signals are as they were afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(agent_loop, "INTERVAL_S", dict.fromkeys(INTERVAL_S, 0.01))
    with own_folder() as path:
        monkeypatch.chdir(path)
        yield path
        monkeypatch.undo()
    signal.signal(signal.SIGTERM, before)


Play = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def play(home: Path) -> Play:
    """Play readings to an armed agent; return what it has in its flight file since."""

    def run(*left_gib: float, phase: str = "serving") -> list[dict[str, Any]]:
        node = Agent("gf1", Played(*left_gib), locked=False)
        with socket.socket(socket.AF_UNIX) as runner:
            runner.connect("sock")
            runner.sendall(
                b"".join(json.dumps(order).encode() + b"\n" for order in ({"do": "phase", "phase": phase}, ARM))
            )
            with pytest.raises(OverError):
                agent_process.run(node, home)
        found = flight.entries((home / "samples.jsonl").read_bytes())
        return [entry for entry in found if "note" not in entry and lefts([entry]) != [100]]

    return run


def kinds(entries: list[dict[str, Any]]) -> list[str]:
    return [kind for entry in entries for kind in entry]


def lefts(entries: list[dict[str, Any]]) -> list[float]:
    return [entry["sample"]["mem_available_bytes"] / GIB for entry in entries if "sample" in entry]


def test_a_crossing_is_confirmed_and_acted_on_before_the_next_sample(play: Play) -> None:
    found = play(20, 3, 2.5, 2)
    said = [kind for kind in kinds(found) if kind != "acted"]  # told by a thread, whenever it has looked
    assert said[:3] == ["sample", "guard", "sample"]
    assert found[1]["guard"]["left_bytes"] == 2.5 * GIB
    assert lefts(found) == [20, 2.5, 2]


def test_one_wild_reading_is_looked_at_again_and_nothing_happens(play: Play) -> None:
    found = play(20, 0.1, 20, 20)
    assert set(kinds(found)) == {"sample"}
    assert lefts(found) == [20, 20, 20]


def test_readings_that_stay_wild_are_looked_at_a_few_times_only(play: Play) -> None:
    found = play(20, *([0.1, 20] * 10))
    assert set(kinds(found)) == {"sample"}


@pytest.mark.parametrize("phase", ["idle", "stopping"])
def test_what_is_not_up_is_not_stopped(play: Play, phase: str) -> None:
    assert set(kinds(play(3, 2, 1, phase=phase))) == {"sample"}


def test_a_warning_and_its_end_are_kept_with_the_samples_around_them(play: Play) -> None:
    found = play(7, 7, 7)
    assert [entry["guard"]["level"] for entry in found if "guard" in entry] == ["warn"]
    assert kinds(found).index("guard") < len(kinds(found)) - 1


def test_what_is_unknown_is_left_out_of_a_sample(play: Play) -> None:
    found = play(20)
    assert "psi_some_pct" not in found[-1]["sample"]
    assert found[-1]["sample"]["phase"] == "serving"


def test_an_agent_that_breaks_says_so_to_the_runner_and_in_its_file(home: Path) -> None:
    class Broken(Played):
        def complete(self, left: Fields, warn_bytes: int) -> Fields:
            raise OverError("odd")

    node = Agent("gf1", Broken(), locked=False)
    with socket.socket(socket.AF_UNIX) as runner:
        runner.connect("sock")
        with pytest.raises(OverError):
            agent_process.run(node, home)
    (entry,) = flight.entries((home / "samples.jsonl").read_bytes())
    assert entry["note"]["what"] == "the agent ended by OverError: odd"
