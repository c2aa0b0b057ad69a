"""The agent stops what runs on its node by itself: no runner is needed for it, and it happens once."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from sparktui.nodes import flight
from tests.faults.absent_runner import absent_runner
from tests.faults.agents import DEADLINE_S, LIMITS, agent, until
from tests.faults.conftest import Connect
from tests.faults.marked_child import marked_child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc")

NOTHING_IS_ENOUGH = LIMITS | {"serving_stop_bytes": 1 << 60}


@pytest.fixture
def mark(folder: Path) -> str:
    return f"1-1-{folder}"


def order(mark: str, **changes: object) -> dict[str, object]:
    return {"do": "arm", "mark": mark, "stop": [], "limits": NOTHING_IS_ENOUGH, "what": "cluster-tp2"} | changes


def test_a_stop_needs_no_runner_and_the_next_runner_is_told_of_it(folder: Path, mark: str, connect: Connect) -> None:
    flag = folder.parent / "stopped"
    stop = [[sys.executable, "-c", f"open({str(flag)!r}, 'w')"]]
    orders = (order(mark, stop=stop), {"do": "phase", "phase": "serving"})
    with agent(folder), marked_child(mark) as child, marked_child(mark + "0") as other:
        with absent_runner(folder, *orders):
            assert child.wait(DEADLINE_S) == -signal.SIGKILL
            until(flag.exists, "the stop command has run")
            until(lambda: b'"acted"' in (folder / "samples.jsonl").read_bytes(), "the act is on the disk")
            runner = connect(folder)
        hello = runner.hear_until("hello")
        acted = runner.hear_until("acted")
        later = runner.samples(2)
        assert other.poll() is None
    assert hello["armed"] == mark
    assert acted["killed"] == [child.pid]
    assert [argv for argv, _ in acted["ran"]] == stop
    assert "while serving" in acted["text"]
    assert later[1]["heartbeat"] == later[0]["heartbeat"] + 1


def test_the_next_arming_stops_again(folder: Path, mark: str, connect: Connect) -> None:
    with agent(folder):
        runner = connect(folder)
        runner.say(do="phase", phase="serving")
        runner.say(**order(mark))
        first = runner.hear_until("acted")
        runner.say(do="disarm")
        with marked_child(mark + "2") as child:
            runner.say(**order(mark + "2"))
            assert runner.hear_until("acted", lambda acted: acted["t"] != first["t"])["killed"] == [child.pid]
            assert child.wait(DEADLINE_S) == -signal.SIGKILL


@pytest.mark.parametrize("phase", ["idle", "stopping"])
def test_what_is_not_up_is_not_stopped(folder: Path, mark: str, connect: Connect, phase: str) -> None:
    with agent(folder), marked_child(mark) as child:
        runner = connect(folder)
        runner.say(do="phase", phase=phase)
        runner.say(**order(mark))
        runner.hear_until("armed")
        runner.samples(4)
        assert child.poll() is None


def test_an_agent_that_is_not_armed_stops_nothing(folder: Path, mark: str, connect: Connect) -> None:
    with agent(folder), marked_child(mark) as child:
        runner = connect(folder)
        runner.say(do="phase", phase="serving")
        runner.say(**order(mark, limits=LIMITS))
        runner.say(do="disarm")
        runner.say(do="phase", phase="loading")
        runner.hear_until("disarmed")
        runner.samples(3)
        assert child.poll() is None


def test_what_it_was_doing_is_on_the_disk_beside_the_samples(folder: Path, mark: str, connect: Connect) -> None:
    with agent(folder) as process:
        runner = connect(folder)
        runner.say(**order(mark))
        runner.say(do="note", what="cluster-tp2 c16")
        runner.say(do="phase", phase="serving")
        runner.hear_until("acted")
        runner.samples(1)
        process.kill()
        process.wait()
        found = flight.entries((folder / "samples.jsonl").read_bytes())
    kinds = [kind for entry in found for kind in entry]
    assert [entry["note"]["what"] for entry in found if "note" in entry] == ["cluster-tp2", "cluster-tp2 c16"]
    assert kinds.index("note") < kinds.index("guard") < kinds.index("acted")
