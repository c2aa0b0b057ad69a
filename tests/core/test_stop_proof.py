"""A stop finds what a launch left, wherever it went, and names what it cannot remove."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from sparktui.errors import ConnectionLostError, HostError, LaunchError
from sparktui.serving import alive, stop
from sparktui.serving.host import Completed
from sparktui.serving.launch import Deployment, Launched
from sparktui.serving.leftovers import CONTAINERS, MARK_ENV, containers_left, marked_pids, processes_left
from sparktui.serving.local import LocalHost, LocalProcess
from sparktui.serving.plan import Plan, Step
from sparktui.serving.whole import END

MARK = f"test-{os.getpid()}"
ESCAPES = (
    sys.executable,
    "-c",
    "import os, subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(66)'], start_new_session=True)\n"
    "time.sleep(66)",
)
SLEEPS = ("sleep", "65")
STUBBORN = (sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(67)")


class Notes:
    """A ledger that remembers what is gone."""

    def __init__(self) -> None:
        self.gone_numbers: list[int] = []
        self._next = 0

    async def started(self, step: Step) -> int:
        self._next += 1
        return self._next

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        return None

    async def gone(self, number: int) -> None:
        self.gone_numbers.append(number)


class Unreachable(LocalHost):
    """A node that answers until its link is cut."""

    cut = False

    async def run(self, *args: Any, **kwargs: Any) -> Completed:
        if self.cut:
            raise HostError("ssh gf2: no route to host", "mend the link")
        return await super().run(*args, **kwargs)


class LosesOne(LocalHost):
    """A node that can be asked again after one connection was lost, at the question that a test chooses."""

    def __init__(self, lost_at: int) -> None:
        self.asked = 0
        self.lost_at = lost_at

    async def run(self, *args: Any, **kwargs: Any) -> Completed:
        self.asked += 1
        if self.asked == self.lost_at:
            raise ConnectionLostError("ssh gf2: the connection was lost")
        return await super().run(*args, **kwargs)


class KeepsLogs(LocalHost):
    """A node whose logs have to be brought from there."""

    def __init__(self) -> None:
        self.logs: list[str] = []
        self.unreachable = False

    async def keep_log(self, log: Path) -> None:
        if self.unreachable:
            raise HostError("ssh gf2: no route to host")
        self.logs.append(log.name)


@pytest.fixture(autouse=True)
async def nothing_survives() -> AsyncIterator[None]:
    yield
    for pid in await marked_pids(LocalHost(), MARK):
        os.kill(pid, signal.SIGKILL)


async def ended(running: LocalProcess) -> None:
    """End a process of a test, and reap it."""
    await running.signal(signal.SIGKILL)
    assert running.process is not None
    await running.process.wait()


def deployment(folder: Path, *argvs: tuple[str, ...], host: LocalHost | None = None) -> Deployment:
    steps = tuple(Step("gf2", f"engine {number}", argv) for number, argv in enumerate(argvs))
    return Deployment(Plan("solo", "m", "", (), steps), {"gf2": host or LocalHost()}, folder, Notes(), mark=MARK)


async def launched_twice(mine: Deployment) -> None:
    """Launch what escapes, and wait until it has."""
    await mine.launch()
    async with asyncio.timeout(30):
        while len(await marked_pids(LocalHost(), MARK)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # another process is to start it: nothing to await


async def test_a_child_that_left_its_group_is_found_by_its_mark_and_ended(tmp_path: Path) -> None:
    mine = deployment(tmp_path, ESCAPES)
    await launched_twice(mine)
    assert (await mine.stop()).left == ()
    assert await marked_pids(LocalHost(), MARK) == ()


@pytest.mark.parametrize("lost_at", range(1, 5))
async def test_a_connection_that_is_lost_during_a_stop_leaves_nothing_and_names_nothing(
    tmp_path: Path, lost_at: int
) -> None:
    host = LosesOne(10**9)
    mine = deployment(tmp_path, ESCAPES, host=host)
    await launched_twice(mine)
    host.asked, host.lost_at = 0, lost_at
    assert (await mine.stop()).left == ()
    assert await marked_pids(LocalHost(), MARK) == ()


async def test_a_log_is_brought_from_a_node_even_where_its_process_was_never_confirmed(tmp_path: Path) -> None:
    host = KeepsLogs()
    mine = deployment(tmp_path, SLEEPS, host=host)
    mine.launched.append(Launched(mine.plan.steps[0], host))
    assert (await mine.stop()).left == ()
    assert host.logs == ["solo-engine-0.log"]


async def test_a_step_whose_log_is_left_on_its_node_is_not_struck_off(tmp_path: Path) -> None:
    host = KeepsLogs()
    mine = deployment(tmp_path, SLEEPS, host=host)
    await mine.launch()
    host.unreachable = True
    assert (await mine.stop()).left == ("engine 0: its log: ssh gf2: no route to host",)
    assert cast(Notes, mine.ledger).gone_numbers == []


async def test_only_what_carries_exactly_this_mark_is_found(tmp_path: Path) -> None:
    other = await LocalHost().spawn(["sleep", "68"], env={MARK_ENV: MARK + "0"}, log=tmp_path / "x.log")
    try:
        assert await marked_pids(LocalHost(), MARK) == ()
    finally:
        await ended(other)


async def test_what_is_left_is_named_with_the_command_that_removes_it(tmp_path: Path) -> None:
    running = await LocalHost().spawn(STUBBORN, env={MARK_ENV: MARK}, log=tmp_path / "x.log")
    (found,) = await processes_left(LocalHost(), "gf2", MARK)
    assert f"process {running.pid} (" in str(found)
    assert f"remove it with: kill -9 {running.pid}" in str(found)
    await ended(running)


async def test_a_command_line_of_several_lines_names_no_process_but_its_own(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time\n1 + 1\n# \x1b\ntime.sleep(66)"]
    running = await LocalHost().spawn(argv, env={MARK_ENV: MARK}, log=tmp_path / "x.log")
    try:
        (found,) = await processes_left(LocalHost(), "gf2", MARK)
        assert found.remove == f"kill -9 {running.pid}"
        assert found.what.isprintable()
    finally:
        await ended(running)


class StartsLate(LocalHost):
    """A node whose container comes up while the script that starts it is being ended, after it was looked for."""

    def __init__(self, *, removed_after: int = 0) -> None:
        self.undone = 0
        self.up = True
        self.removed_after = removed_after

    async def run(self, argv: Sequence[str], **kwargs: Any) -> Completed:
        if CONTAINERS in argv:
            self.removed_after -= 1
            there = self.up and not (self.undone and self.removed_after <= 0)
            found = "abc123def456 Up 1 second\n" if there else ""
            return Completed(0, f"Welcome to spark\n{found}{END}\n", "")
        if argv == ("docker", "stop", "c"):
            self.undone += 1
            return Completed(1, "", "No such container: c") if self.undone == 1 else Completed(0, "c", "")
        return await super().run(argv, **kwargs)


@pytest.mark.parametrize(("removed_after", "undone"), [(10**9, 2), (3, 1)])
async def test_a_container_that_came_up_behind_the_stop_is_stopped_too_and_one_being_removed_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, removed_after: int, undone: int
) -> None:
    monkeypatch.setattr(stop, "REMOVAL_S", 30 if undone == 1 else 0)
    host = StartsLate(removed_after=removed_after)
    step = Step("gf2", "engine", (), background=False, container="c", undo=("docker", "stop", "c"))
    left, clean = await stop.take_down([Launched(step, host)], MARK)
    assert host.undone == undone
    assert bool(left) is not bool(clean)
    assert bool(clean) is (undone == 1)


async def test_a_node_that_cannot_be_asked_is_named_and_what_runs_there_is_not_forgotten(tmp_path: Path) -> None:
    host = Unreachable()
    mine = deployment(tmp_path, ESCAPES, host=host)
    await mine.launch()
    host.cut = True
    running = mine.launched[0].running
    assert isinstance(running, LocalProcess)
    proof = await mine.stop()
    assert any("gf2, which cannot be asked" in line for line in proof.left)
    assert isinstance(mine.ledger, Notes)
    assert mine.ledger.gone_numbers == []
    await ended(running)


class CutsOff(LocalHost):
    """A node whose answers lack their end, as where a disk is full or a command was killed."""

    async def run(self, *args: Any, **kwargs: Any) -> Completed:
        done = await super().run(*args, **kwargs)
        return Completed(done.returncode, done.stdout[: -len(END) // 2], "write error: No space left on device")


async def test_a_listing_that_was_cut_off_proves_nothing(tmp_path: Path) -> None:
    for question in (marked_pids(CutsOff(), MARK), containers_left(CutsOff(), "gf2", "c")):
        with pytest.raises(HostError, match="could not be read whole: write error: No space left"):
            await question
    mine = deployment(tmp_path, SLEEPS, host=CutsOff())
    await mine.launch()
    assert any("gf2, which cannot be asked" in line for line in (await mine.stop()).left)
    assert cast(Notes, mine.ledger).gone_numbers == []


@pytest.mark.parametrize("tool", ["grep", "docker"])
async def test_a_tool_that_fails_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    broken = tmp_path / tool
    broken.write_text("#!/bin/sh\necho broken >&2\nexit 126\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    question = marked_pids(LocalHost(), MARK) if tool == "grep" else containers_left(LocalHost(), "gf2", "c")
    with pytest.raises(HostError, match="could not be read whole"):
        await question


async def test_where_no_docker_is_there_is_no_container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await containers_left(LocalHost(), "gf2", "c") == []


async def test_a_container_that_is_there_is_left_over_and_refuses_the_next_launch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text('#!/bin/sh\n[ "$1" = ps ] && echo "abc123 Up 3 minutes"\nexit 0\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (found,) = await containers_left(LocalHost(), "gf2", "sparktui")
    assert "docker rm -f sparktui" in str(found)
    step = Step("gf2", "engine", ("docker", "run"), background=False, container="sparktui")
    mine = Deployment(Plan("solo", "m", "", (), (step,)), {"gf2": LocalHost()}, tmp_path, Notes(), mark=MARK)
    with pytest.raises(LaunchError, match="already a container sparktui"):
        await mine.launch()
    assert mine.launched == []


async def test_a_rank_that_ends_while_serving_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "POLL_S", 0.01)
    mine = deployment(tmp_path, ESCAPES, (sys.executable, "-c", "pass"))
    await mine.launch()
    async with asyncio.timeout(30):
        with pytest.raises(LaunchError, match="engine 1 ended while it was serving"):
            await mine.watch()
    await mine.stop()


async def test_a_node_that_stops_answering_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "POLL_S", 0.01)
    monkeypatch.setattr(alive, "UNREACHABLE_AFTER_S", 0.05)
    host = Unreachable()
    host.cut = True
    item = Launched(Step("gf2", "engine", (), background=False, container="c", starts_container=True), host)
    async with asyncio.timeout(30):
        with pytest.raises(LaunchError, match="cannot be reached any more: ssh gf2: no route to host"):
            await alive.watch([item])
