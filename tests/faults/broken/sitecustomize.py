"""Breaks the runner's durability on purpose: Python imports this first of all, where its folder is on PYTHONPATH.

The checker has to notice what `BROKEN` names: `early` stores a wave before its last request, `unsynced` tells SQLite to
leave it to the kernel when anything reaches the disk.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LATER_S = 2.0


def _store_early() -> None:
    from sparktui.store import statements as sql
    from sparktui.store.writer import Writer

    async def commit_wave(self: Any, cell: int, seq: int, warmup: bool, record: Any, stretch: Any = None) -> int:
        del stretch
        wave: int = await self._insert(sql.INSERT_WAVE, (cell, seq, warmup, *sql.wave_values(record)))
        for number, request in enumerate(record.requests, 1):
            if number == len(record.requests):
                await asyncio.sleep(LATER_S)
            await self._insert(sql.INSERT_REQUEST, (wave, *(getattr(request, name) for name in sql.REQUEST_COLUMNS)))
        return wave

    Writer.commit_wave = commit_wave  # type: ignore[method-assign]


def _never_sync() -> None:
    from sparktui.store import connection as store
    from sparktui.store import writer

    kept = store.transaction

    @contextmanager
    def transaction(connection: Any, _: str) -> Iterator[None]:
        with kept(connection, "OFF"):  # type: ignore[arg-type]
            yield

    vars(writer)["transaction"] = transaction


if "sparktui.runner" in sys.orig_argv:
    {"early": _store_early, "unsynced": _never_sync}[os.environ["BROKEN"]]()
