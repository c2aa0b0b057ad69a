"""What a cell had measured when its campaign was broken off, and how it is finished where that is all of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.measure.record import WaveRecord
from sparktui.measure.taint import taint
from sparktui.runner.journal import Journal
from sparktui.store.reader import Reader
from sparktui.store.reopening import RESUMED
from sparktui.store.rows import CellRow


@dataclass(frozen=True, slots=True)
class Earlier:
    """Of one cell, from before the break."""

    records: tuple[WaveRecord, ...] = ()
    """Its measured waves, with their token events."""
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
    before = await earlier_of(journal.writer.path, journal.campaign, cell.id)
    exact = bool((fingerprint.sampling or {}).get("exact_tg", True))
    why_not = taint(before.records, pp=cell.pp, tg=cell.tg, depth=cell.depth, exact_tg=exact)
    await journal.writer.set_cell_state(cell.id, "done", taint=why_not, ended_by=ended_by)
    text = f"{topology} c{cell.concurrency}: all {len(before.records)} waves had been measured"
    await journal.info(topology, "cell-done", text, {"cell": cell.id})


def _earlier(path: Path, campaign: int, cell: int) -> Earlier:
    with Reader(path) as reader:
        waves = reader.waves(cell, events=True)
        resumed = sum(event.kind == RESUMED for event in reader.events_since(campaign))
    records = tuple(wave.record for wave in waves if not wave.warmup)
    return Earlier(records, sum(wave.warmup for wave in waves), resumed)
