"""What a cell had measured when its campaign was broken off, and how it is finished where that is all of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.runner.ending import Asked, Measured, end_cell
from sparktui.runner.journal import Journal
from sparktui.store.reader import Reader
from sparktui.store.reopening import RESUMED
from sparktui.store.rows import CellRow


@dataclass(frozen=True, slots=True)
class Earlier:
    """Of one cell, from before the break."""

    waves: int = 0
    """Measured ones that it has."""
    warmups: int = 0
    """Warm-up waves it has; they are repeated on what was launched anew, and not stored twice."""
    resumed: int = 0
    """How often the campaign was resumed; 0 for a cell that no break has touched."""


UNTOUCHED = Earlier()


async def earlier_of(path: Path, campaign: int, cell: int) -> Earlier:
    """Return what a cell has from before the break."""
    return await asyncio.to_thread(_earlier, path, campaign, cell)


async def finish(
    journal: Journal, topology: str, cell: CellRow, fingerprint: Fingerprint, ended_by: str | None
) -> None:
    """Give a cell whose waves are all there its final state: the break came just before that.

    What the engine's own counters moved by is not known any more.

    Args:
        journal: Of its campaign.
        topology: Whose cell it is.
        cell: As it is stored.
        fingerprint: How its waves were measured.
        ended_by: Why it has fewer waves than planned.
    """
    exact = bool((fingerprint.sampling or {}).get("exact_tg", True))
    name = f"{topology} c{cell.concurrency}"
    asked = Asked(cell.pp, cell.tg, cell.depth, exact)
    records = await end_cell(journal, topology, Measured(cell.id, name, asked, ended_by))
    text = f"{name}: all {len(records)} waves had been measured"
    await journal.info(topology, "cell-done", text, {"cell": cell.id})


def _earlier(path: Path, campaign: int, cell: int) -> Earlier:
    with Reader(path) as reader:
        waves = reader.waves(cell)
        resumed = sum(event.kind == RESUMED for event in reader.events_since(campaign))
    warmups = sum(wave.warmup for wave in waves)
    return Earlier(len(waves) - warmups, warmups, resumed)
