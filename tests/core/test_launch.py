from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from sparktui.errors import LaunchError, StoreError
from sparktui.serving.launch import Deployment
from sparktui.serving.local import LocalHost
from sparktui.serving.plan import Plan, Step

URL = "http://127.0.0.1:1"
SLEEP = (sys.executable, "-c", "import time; time.sleep(64)")


class Notes:
    """A ledger that says when it is asked, and answers when it is let."""

    def __init__(self, *, refuses_gone: bool = False, refuses_started: bool = False) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()
        self.pids: list[int] = []
        self.refuses_gone = refuses_gone
        self.refuses_started = refuses_started

    async def started(self, step: Step, pid: int | None, pid_started: float | None) -> int:
        self.pids += [] if pid is None else [pid]
        self.asked.set()
        if self.refuses_started:
            raise StoreError("no space left")
        await self.let.wait()
        return len(self.pids)

    async def gone(self, number: int) -> None:
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
    notes = Notes(refuses_started=True)
    mine = deployment(notes, tmp_path, "engine")
    with pytest.raises(StoreError):
        await mine.launch()
    await mine.stop()
    assert notes.pids
    assert not up(notes)


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
