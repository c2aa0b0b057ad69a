"""Ends a runner at a moment of its first cell: Python imports this first of all, where its folder is on PYTHONPATH.

`DIES` says when: `flight` is while the second wave runs, `committed` after that wave was stored, `last` after the last.
With `engine` the runner goes on, and the engine ends when the last cell has.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

LAST = int(os.environ.get("WAVES", "3")) - 1


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _in_flight() -> None:
    from sparktui.store.writer import Writer

    kept = Writer.add_live

    async def add_live(self: Any, cell: int, wave_seq: int, warmup: bool, *others: Any) -> int:
        if wave_seq == 1 and not warmup:
            _die()
        return await kept(self, cell, wave_seq, warmup, *others)

    vars(sys.modules[Writer.__module__])["Writer"].add_live = add_live


def _committed(last: int) -> None:
    from sparktui.store.writer import Writer

    kept = Writer.commit_wave

    async def commit_wave(self: Any, cell: int, seq: int, warmup: bool, *others: Any) -> int:
        wave = await kept(self, cell, seq, warmup, *others)
        if seq == last and not warmup:
            _die()
        return wave

    vars(sys.modules[Writer.__module__])["Writer"].commit_wave = commit_wave


def _without_engine() -> None:
    from sparktui.store.writer import Writer

    kept = Writer.set_cell_state

    async def set_cell_state(self: Any, cell: int, state: str, **others: Any) -> None:
        await kept(self, cell, state, **others)
        if state == "done":
            _end_engine(self.path)

    vars(sys.modules[Writer.__module__])["Writer"].set_cell_state = set_cell_state


def _end_engine(store: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        ((pid,),) = connection.execute("SELECT pid FROM launched WHERE title LIKE 'engine%'").fetchall()
    os.killpg(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] != "Z":
        time.sleep(0.01)


if "sparktui.runner" in sys.orig_argv:
    when = os.environ["DIES"]
    if when == "engine":
        _without_engine()
    elif when == "flight":
        _in_flight()
    else:
        _committed(1 if when == "committed" else LAST)
