"""A stop finds what a launch left, wherever it went, and names what it cannot remove."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sparktui.errors import HostError, LaunchError
from sparktui.serving import alive
from sparktui.serving.host import Completed
from sparktui.serving.launch import Deployment, Launched
from sparktui.serving.leftovers import MARK_ENV, containers_left, marked_pids, processes_left
from sparktui.serving.local import LocalHost, LocalProcess
from sparktui.serving.plan import Plan, Step

MARK = f"test-{os.getpid()}"
ESCAPES = (
    sys.executable,
    "-c",
    "import os, subprocess, sys, time\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(66)'], start_new_session=True)\n"
    "time.sleep(66)",
)
STUBBORN = (sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(67)")


class Notes:
    """A ledger that remembers what is gone."""

    def __init__(self) -> None:
        self.gone_numbers: list[int] = []
        self._next = 0

    async def started(self, step: Step, pid: int | None, pid_started: float | None) -> int:
        self._next += 1
        return self._next

    async def gone(self, number: int) -> None:
        self.gone_numbers.append(number)


class Unreachable(LocalHost):
    """A node that answers until its link is cut."""

    cut = False

    async def run(self, *args: Any, **kwargs: Any) -> Completed:
        if self.cut:
            raise HostError("ssh gf2: no route to host", "mend the link")
        return await super().run(*args, **kwargs)


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


async def test_a_child_that_left_its_group_is_found_by_its_mark_and_ended(tmp_path: Path) -> None:
    mine = deployment(tmp_path, ESCAPES)
    await mine.launch()
    async with asyncio.timeout(30):
        while len(await marked_pids(LocalHost(), MARK)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # another process is to start it: nothing to await
    assert (await mine.stop()).left == ()
    assert await marked_pids(LocalHost(), MARK) == ()


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
