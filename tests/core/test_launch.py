from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from sparktui.errors import ConnectionLostError, HostError, LaunchError, StoreError
from sparktui.serving.host import Completed
from sparktui.serving.launch import Deployment
from sparktui.serving.leftovers import marked_pids
from sparktui.serving.local import LocalHost, LocalProcess
from sparktui.serving.plan import Plan, Step

URL = "http://127.0.0.1:1"
SLEEP = (sys.executable, "-c", "import time; time.sleep(64)")


class Notes:
    """A ledger that says when it is asked, and answers when it is let."""

    def __init__(self, *, refuses_gone: bool = False, refuses_spawned: bool = False) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()
        self.pids: list[int] = []
        self.refuses_gone = refuses_gone
        self.refuses_spawned = refuses_spawned
        self.noted: list[str] = []
        self.gone_numbers: list[int] = []

    async def started(self, step: Step) -> int:
        self.noted.append(step.title)
        return len(self.noted)

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        self.pids.append(pid)
        self.asked.set()
        if self.refuses_spawned:
            raise StoreError("no space left")
        await self.let.wait()

    async def gone(self, number: int) -> None:
        self.gone_numbers.append(number)
        if self.refuses_gone:
            raise StoreError("no space left")


def deployment(notes: Notes, folder: Path, *titles: str) -> Deployment:
    steps = tuple(Step("here", title, SLEEP) for title in titles)
    return Deployment(Plan("solo", "m", URL, (), steps), {"here": LocalHost()}, folder, notes)


def up(notes: Notes) -> list[int]:
    return [pid for pid in notes.pids if psutil.pid_exists(pid)]


async def test_a_process_whose_launch_is_cancelled_half_way_is_stopped_all_the_same(tmp_path: Path) -> None:
    notes = Notes()
    mine = deployment(notes, tmp_path, "engine")
    launching = asyncio.create_task(mine.launch())
    await notes.asked.wait()
    launching.cancel()
    await asyncio.sleep(0)
    notes.let.set()
    with pytest.raises(asyncio.CancelledError):
        await launching
    assert up(notes)
    assert (await mine.stop()).left == ()
    assert not up(notes)


async def test_a_process_that_could_not_be_noted_is_stopped_all_the_same(tmp_path: Path) -> None:
    notes = Notes(refuses_spawned=True)
    mine = deployment(notes, tmp_path, "engine")
    with pytest.raises(StoreError):
        await mine.launch()
    await mine.stop()
    assert notes.pids
    assert not up(notes)


class NotThere(LocalHost):
    """A node that nobody answers for."""

    async def run(self, *args: Any, **kwargs: Any) -> Completed:
        raise HostError("ssh gf2: no route to host", "mend the link")


async def test_nothing_is_noted_on_a_node_that_was_never_reached(tmp_path: Path) -> None:
    notes = Notes()
    steps = (Step("here", "rank 1", SLEEP), Step("gf2", "rank 0", SLEEP))
    hosts = {"here": LocalHost(), "gf2": NotThere()}
    mine = Deployment(Plan("cluster", "m", URL, (), steps), hosts, tmp_path, notes)
    with pytest.raises(LaunchError, match="gf2 cannot be reached: ssh gf2: no route to host"):
        await mine.launch()
    assert notes.noted == []
    assert (await mine.stop()).left == ()


class LosesTheFirst(LocalHost):
    """A node whose shared connection was lost since it was used last."""

    lost = False

    async def run(self, *args: Any, **kwargs: Any) -> Completed:
        if not self.lost:
            self.lost = True
            raise ConnectionLostError("ssh gf2: the connection was lost")
        return await super().run(*args, **kwargs)


async def test_a_connection_that_was_lost_between_topologies_is_made_again(tmp_path: Path) -> None:
    host, notes = LosesTheFirst(), Notes()
    notes.let.set()
    mine = Deployment(Plan("solo", "m", URL, (), (Step("gf2", "engine", SLEEP),)), {"gf2": host}, tmp_path, notes)
    await mine.launch()
    assert host.lost
    assert (await mine.stop()).left == ()


class LosesAnswers(LocalHost):
    """A node whose connection breaks when a process has just been started there."""

    async def spawn(self, *args: Any, **kwargs: Any) -> LocalProcess:
        await super().spawn(*args, **kwargs)
        raise HostError("ssh gf2: connection reset", "mend the link")


async def test_a_process_whose_start_was_never_confirmed_is_stopped_all_the_same(tmp_path: Path) -> None:
    notes, mark = Notes(), f"unconfirmed-{os.getpid()}"
    plan = Plan("solo", "m", URL, (), (Step("here", "engine", SLEEP),))
    mine = Deployment(plan, {"here": LosesAnswers()}, tmp_path, notes, mark=mark)
    with pytest.raises(LaunchError, match="connection reset"):
        await mine.launch()
    assert len(await marked_pids(LocalHost(), mark)) == 1
    assert (await mine.stop()).left == ()
    assert await marked_pids(LocalHost(), mark) == ()
    assert notes.noted == ["engine"]
    assert notes.gone_numbers == [1]


async def test_a_store_that_fails_during_a_stop_keeps_nothing_up(tmp_path: Path) -> None:
    notes = Notes(refuses_gone=True)
    notes.let.set()
    mine = deployment(notes, tmp_path, "one", "two")
    await mine.launch()
    assert len(up(notes)) == 2
    await mine.stop()
    assert not up(notes)


async def test_a_log_that_cannot_be_written_is_a_launch_that_failed(tmp_path: Path) -> None:
    mine = deployment(Notes(), tmp_path / "no-such-folder", "engine")
    with pytest.raises(LaunchError, match="engine: cannot write"):
        await mine.launch()
