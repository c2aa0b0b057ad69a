"""How far a campaign is, from what the store holds: the same for every viewer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

from sparktui.runner.eta import (
    NOT_KNOWN_YET,
    CellProgress,
    Remaining,
    cell_remaining_s,
    expected_wave_s,
    remaining_s,
)
from sparktui.store.rows import CELL_OVER, SWEEP_OVER, CellRow, SweepRow


def remaining(
    sweeps: Sequence[SweepRow],
    cells: Mapping[int, Sequence[CellRow]],
    wave_seconds: Mapping[int, tuple[float, ...]],
    warmup_waves: int,
) -> Remaining:
    """Return what remains of a campaign.

    Args:
        sweeps: Its sweeps.
        cells: Their cells, by sweep.
        wave_seconds: What each committed wave took, by cell.
        warmup_waves: How many waves each cell has before those it is planned with.
    """
    usual = _usual_runs([cell for rows in cells.values() for cell in rows], wave_seconds, warmup_waves)
    progress = {
        cell.id: CellProgress(
            sweep.topology,
            cell.concurrency,
            (cell.runs if usual is None else min(cell.runs, usual)) + warmup_waves,
            wave_seconds.get(cell.id, ()),
            over=cell.state in CELL_OVER or sweep.state in SWEEP_OVER,
        )
        for sweep in sweeps
        for cell in cells[sweep.id]
    }
    every = tuple(progress.values())
    left = remaining_s(every)
    if left is None:
        return NOT_KNOWN_YET
    spent = sum(sum(cell.wave_seconds) for cell in every)
    fraction = spent / (spent + left) if spent + left else None
    now = [cell for row in cells.values() for cell in row if cell.state == "measuring"]
    if not now:
        return Remaining(None, left, fraction)
    cell = progress[now[-1].id]
    sweep_s = sum(cell_remaining_s(progress[other.id], every) for other in cells[now[-1].sweep])
    return Remaining(cell_remaining_s(cell, every), left, fraction, expected_wave_s(cell, every), sweep_s)


def _usual_runs(
    cells: Sequence[CellRow], wave_seconds: Mapping[int, tuple[float, ...]], warmup_waves: int
) -> int | None:
    """Return how many waves cells took on average, where some ended early; None where they take what is planned."""
    done = [cell for cell in cells if cell.state == "done"]
    if not any(cell.ended_by for cell in done):
        return None
    return math.ceil(fmean(len(wave_seconds.get(cell.id, ())) for cell in done) - warmup_waves)
