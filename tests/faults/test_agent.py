"""What a runner may rely on when it talks to an agent, and what happens to an agent that nobody talks to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sparktui.nodes import flight
from tests.faults.agents import ARGV, DEADLINE_S, Runner, agent, is_alive, until
from tests.faults.conftest import Connect
from tests.faults.marked_child import marked_child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc")


def test_the_first_word_on_a_connection_is_a_hello_and_samples_follow(folder: Path, connect: Connect) -> None:
    with agent(folder) as process:
        runner = connect(folder)
        hello = runner.hear()
        first, second = runner.samples(2)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "sock").stat().st_mode & 0o777 == 0o600
    assert hello is not None
    assert hello["hello"]["pid"] == process.pid
    assert hello["hello"]["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert hello["hello"]["armed"] is None
    assert isinstance(hello["hello"]["locked"], bool)
    assert first["heartbeat"] >= hello["hello"]["heartbeat"]
    assert second["heartbeat"] == first["heartbeat"] + 1
    assert first["node"] == "gf1"
    assert 0 < first["mem_available_bytes"] < first["mem_total_bytes"]


def test_end_leaves_nothing(folder: Path, connect: Connect) -> None:
    with agent(folder) as process:
        runner = connect(folder)
        runner.hear_until("sample")
        runner.say(do="end")
        while runner.hear() is not None:
            pass
        assert process.wait(DEADLINE_S) == 0
    assert not folder.exists()


def test_end_removes_nothing_that_is_not_an_agents(folder: Path, connect: Connect) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("")
    with agent(folder) as process:
        connect(folder).say(do="end")
        assert process.wait(DEADLINE_S) == 0
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_simulated_node_is_sampled_like_any_other(folder: Path, connect: Connect) -> None:
    with agent(folder, "--simulated", str(folder.parent)):
        runner = connect(folder)
        idle = runner.hear_until("sample")
        runner.say(do="phase", phase="warming")
        warming = runner.hear_until("sample", lambda sample: sample["phase"] == "warming")
    assert (idle["node"], idle["phase"], idle["unified"]) == ("gf1", "idle", True)
    assert warming["heartbeat"] > idle["heartbeat"]


@pytest.mark.skipif(os.getuid() != 0 or shutil.which("setpriv") is None, reason="only root can give up a right")
def test_an_agent_that_may_not_lock_its_pages_says_so_and_works(folder: Path, connect: Connect) -> None:
    with agent(folder, under=("setpriv", "--bounding-set", "-ipc_lock")):
        runner = connect(folder)
        assert runner.hear_until("hello")["locked"] is False
        runner.hear_until("sample")


def test_samples_come_faster_while_a_model_loads(folder: Path, connect: Connect) -> None:
    with agent(folder):
        runner = connect(folder)
        gaps = {}
        for phase in ("serving", "loading"):
            runner.say(do="phase", phase=phase)
            while runner.hear_until("sample")["phase"] != phase:
                pass
            times = [sample["t"] for sample in runner.samples(6)]
            gaps[phase] = times[-1] - times[0]
    assert gaps["loading"] < 0.8 * gaps["serving"]


def test_a_second_connection_replaces_the_first(folder: Path, connect: Connect) -> None:
    with agent(folder):
        first = connect(folder)
        first.hear_until("sample")
        second = connect(folder)
        second.hear_until("hello")
        while first.hear() is not None:
            pass
        second.hear_until("sample")


def test_a_runner_that_comes_back_gets_what_it_missed(folder: Path, connect: Connect) -> None:
    with agent(folder):
        first = connect(folder)
        last = first.hear_until("sample")
        first.close()
        second = connect(folder)
        second.hear_until("sample", lambda sample: sample["heartbeat"] >= last["heartbeat"] + 3)
        second.say(do="replay", after=last["heartbeat"])
        replayed = second.hear_until("replayed", lambda piece: not piece["more"])
    beats = [sample["heartbeat"] for sample in replayed["samples"]]
    assert beats[:3] == [last["heartbeat"] + 1 + i for i in range(3)]


def test_a_runner_that_does_not_read_holds_up_neither_samples_nor_its_successor(folder: Path, connect: Connect) -> None:
    with agent(folder):
        stopped = connect(folder)
        stopped.say(do="phase", phase="loading")
        for _ in range(200):
            stopped.say(do="replay", after=0)  # far more than a socket holds
        reading = connect(folder)
        beats = [sample["heartbeat"] for sample in reading.samples(5)]
    assert beats == list(range(beats[0], beats[0] + 5))


def test_orders_that_are_none_are_answered_and_change_nothing(folder: Path, connect: Connect) -> None:
    with agent(folder):
        runner = connect(folder)
        for order in ({"do": "jump"}, {"do": "phase", "phase": "odd"}, {"do": "arm"}, {"do": "replay"}, {}):
            runner.say(**order)
            assert runner.hear_until("trouble")["kind"] == "bad-command"
        runner.write(b"\xff\n[]\n\n")
        assert runner.hear_until("trouble")["kind"] == "bad-command"
        assert runner.hear_until("sample")["phase"] == "idle"


def write_for_ever(runner: Runner) -> None:
    while True:
        runner.write(b"x" * 65_536)


def test_a_line_without_an_end_costs_the_connection_and_not_the_agent(folder: Path, connect: Connect) -> None:
    with agent(folder):
        endless = connect(folder)
        with pytest.raises(OSError, match=r"reset|pipe"):
            write_for_ever(endless)
        connect(folder).hear_until("sample")


def test_an_agent_that_is_alone_for_too_long_ends_and_leaves_nothing(folder: Path, connect: Connect) -> None:
    with agent(folder, "--orphan-s", "1.5") as process:
        runner = connect(folder)
        runner.samples(5)
        assert process.poll() is None
        runner.close()
        assert process.wait(DEADLINE_S) == 0
    assert not folder.exists()


def test_an_agent_that_is_alone_stays_for_as_long_as_something_that_it_guards_is_there(
    folder: Path, connect: Connect
) -> None:
    mark = f"9-9-{folder}"
    with marked_child(mark) as child, agent(folder, "--orphan-s", "3") as process:
        runner = connect(folder)
        runner.arm(mark)
        runner.close()
        until(lambda: len(flight.entries((folder / "samples.jsonl").read_bytes())) > 16, "seven seconds alone")
        assert process.poll() is None
        child.kill()
        child.wait()
        assert process.wait(DEADLINE_S) == 0
    assert not folder.exists()


def test_an_agent_that_warned_keeps_its_file_when_it_ends_alone(folder: Path, connect: Connect) -> None:
    with agent(folder, "--orphan-s", "0.5") as process:
        runner = connect(folder)
        runner.say(do="phase", phase="serving")
        plenty = {"warn_bytes": 1 << 60, "loading_stop_bytes": 0, "serving_stop_bytes": 0}
        runner.arm("m", limits=plenty)
        warned = runner.hear_until("guard")
        assert warned["level"] == "warn"
        runner.close()
        assert process.wait(DEADLINE_S) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["samples.jsonl"]
    assert {"guard": warned} in flight.entries((folder / "samples.jsonl").read_bytes())


def test_an_agent_that_is_killed_leaves_its_file_to_the_next_one(folder: Path, connect: Connect) -> None:
    file = folder / "samples.jsonl"
    with agent(folder) as process:
        last = connect(folder).samples(2)[-1]
        until(lambda: {"sample": last} in flight.entries(file.read_bytes()), "the sample is on the disk")
        process.kill()
        process.wait()
    file.write_bytes(file.read_bytes() + b'{"sample":{"t":')
    with agent(folder):
        runner = connect(folder)
        first = runner.hear_until("sample")
        runner.say(do="replay", after=0)
        samples = runner.hear_until("replayed")["samples"]
    assert samples.index(last) < samples.index(first)


def test_a_detached_agent_says_its_pid_and_outlives_the_one_who_started_it(folder: Path, connect: Connect) -> None:
    argv = [*ARGV, "--node", "gf1", "--folder", str(folder), "--detach"]
    started = subprocess.run(argv, capture_output=True, timeout=DEADLINE_S, check=True)
    pid = json.loads(started.stdout)["pid"]
    assert os.getsid(pid) not in (os.getsid(0), pid)
    again = subprocess.run(argv, capture_output=True, timeout=DEADLINE_S, check=True)
    assert json.loads(again.stdout) == {"pid": pid, "already": True}
    connect(folder).hear_until("sample")
    os.kill(pid, signal.SIGTERM)
    until(lambda: not is_alive(pid), "the agent has ended")


def test_an_agent_that_cannot_have_its_folder_says_so(folder: Path) -> None:
    folder.write_text("")
    argv = [*ARGV, "--node", "gf1", "--folder", str(folder), "--detach"]
    done = subprocess.run(argv, capture_output=True, timeout=DEADLINE_S)
    assert done.returncode == 1
    assert "exists" in json.loads(done.stdout)["error"]


def test_connect_relays_both_ways_and_says_where_no_agent_listens(folder: Path) -> None:
    relay_argv = [*ARGV, "connect", "--folder", str(folder)]
    alone = subprocess.run(relay_argv, capture_output=True, timeout=DEADLINE_S)
    assert alone.returncode == 3
    assert b"no agent listens in" in alone.stderr
    with (
        agent(folder) as process,
        subprocess.Popen(relay_argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as relay,
    ):
        assert relay.stdin is not None
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"\n"  # the agent's socket is there
        assert b'"hello"' in relay.stdout.readline()
        assert b'"sample"' in relay.stdout.readline()
        relay.stdin.write(b'{"do":"end"}\n')
        relay.stdin.flush()
        assert relay.wait(DEADLINE_S) == 0
        assert process.wait(DEADLINE_S) == 0
