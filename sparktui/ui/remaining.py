"""How long the cell and the race will still take, from the runner's own estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparktui.runner.eta import CellProgress, cell_remaining_s, remaining_s
from sparktui.store.rows import CellRow, SweepRow
from sparktui.ui.snapshot import Remaining

CELL_OVER = ("done", "failed", "skipped")
SWEEP_OVER = ("done", "failed", "stopped", "guard")


def remaining(
    sweeps: Sequence[SweepRow],
    cells: Mapping[int, Sequence[CellRow]],
    wave_seconds: Mapping[int, tuple[float, ...]],
    warmup_waves: int,
) -> Remaining:
    """Return what remains; None before the first wave has ended."""
    progress: dict[int, CellProgress] = {}
    current: CellProgress | None = None
    for sweep in sweeps:
        for cell in cells[sweep.id]:
            progress[cell.id] = CellProgress(
                sweep.topology,
                cell.concurrency,
                cell.runs + warmup_waves,
                wave_seconds.get(cell.id, ()),
                over=cell.state in CELL_OVER or sweep.state in SWEEP_OVER,
            )
            current = progress[cell.id] if cell.state == "measuring" else current
    every = tuple(progress.values())
    all_s = remaining_s(every)
    known = all_s is not None and current is not None
    return Remaining(cell_remaining_s(current, every) if known and current else None, all_s)
