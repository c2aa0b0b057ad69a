"""How far a campaign is, from what the store holds: the same for every viewer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparktui.runner.eta import CellProgress, cell_remaining_s, remaining_s
from sparktui.store.rows import CELL_OVER, SWEEP_OVER, CellRow, SweepRow


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is still to be spent in waves; None before the first wave has ended."""

    cell_s: float | None = None
    all_s: float | None = None
    fraction: float | None = None
    """Of all the time in waves, spent and expected, what is spent."""


NOT_KNOWN_YET = Remaining()


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
    progress = {
        cell.id: CellProgress(
            sweep.topology,
            cell.concurrency,
            cell.runs + warmup_waves,
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
    now = [cell.id for row in cells.values() for cell in row if cell.state == "measuring"]
    cell_s = cell_remaining_s(progress[now[-1]], every) if now else None
    return Remaining(cell_s, left, spent / (spent + left) if spent + left else None)
