"""What a campaign leaves open when nobody works on it any more: every sweep and cell gets a state that is final."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from sparktui.store.reader import Reader
from sparktui.store.rows import CELL_OVER, SWEEP_OVER, CellRow, SweepRow
from sparktui.store.writer import Writer

ENDED_EARLY = "its topology was ended early, as asked"


async def close_open(writer: Writer, campaign: int, sweep: int | None = None) -> None:
    """Close what is open in a campaign, or in one sweep: a cell in flight has failed, those behind it were skipped."""
    sweeps, cells = await asyncio.to_thread(_open, writer.path, campaign, sweep)
    await _close(writer, cells)
    for row in sweeps:
        await writer.set_sweep_state(row.id, "stopped")


async def end_early(writer: Writer, campaign: int, sweep: int) -> None:
    """Close the open cells of a sweep whose topology was ended as asked: they are not measured later either."""
    _, cells = await asyncio.to_thread(_open, writer.path, campaign, sweep)
    await _close(writer, cells, ended_by=ENDED_EARLY)


async def _close(writer: Writer, cells: Iterable[CellRow], ended_by: str | None = None) -> None:
    for cell in cells:
        await writer.set_cell_state(cell.id, "failed" if cell.state == "measuring" else "skipped", ended_by=ended_by)


def _open(path: Path, campaign: int, sweep: int | None) -> tuple[list[SweepRow], list[CellRow]]:
    with Reader(path) as reader:
        sweeps = [row for row in reader.sweeps(campaign) if sweep in (None, row.id)]
        cells = [cell for row in sweeps for cell in reader.cells(row.id) if cell.state not in CELL_OVER]
    return [row for row in sweeps if row.state not in SWEEP_OVER], cells
