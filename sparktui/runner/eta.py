"""How long the rest will take: planned waves weighted by what waves have really taken, not counted as equals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

GROWTH = 0.55
"""A wave of N streams takes about N**GROWTH times as long as a wave of one, before anything was measured."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is still to be spent in waves; None before the first wave has ended."""

    cell_s: float | None = None
    all_s: float | None = None
    fraction: float | None = None
    """Of all the time in waves, spent and expected, what is spent."""
    wave_s: float | None = None
    """What a whole wave of the cell being measured should take."""
    sweep_s: float | None = None
    """What is left of the sweep that cell is of."""

    def into_wave(self, running_s: float) -> Remaining:
        """Return what remains when the wave in flight has run for so long; it takes no more than waves have taken.

        Else nothing would move while a wave runs, which may be for minutes.
        """
        if self.wave_s is None or self.cell_s is None:
            return self
        spent = min(running_s, self.wave_s, self.cell_s)
        return replace(
            self, cell_s=self.cell_s - spent, sweep_s=_less(self.sweep_s, spent), all_s=_less(self.all_s, spent)
        )


def _less(left_s: float | None, spent_s: float) -> float | None:
    return None if left_s is None else max(0.0, left_s - spent_s)


NOT_KNOWN_YET = Remaining()


@dataclass(frozen=True, slots=True)
class CellProgress:
    """One cell's plan and what it has taken so far."""

    topology: str
    concurrency: int
    waves_planned: int
    """Warm-up included."""
    wave_seconds: tuple[float, ...] = ()
    """What each finished wave took, warm-up included."""
    over: bool = False
    """Done, failed or skipped: nothing more will be spent on it."""


def remaining_s(cells: Iterable[CellProgress]) -> float | None:
    """Return the seconds still to be spent in waves; None before the first wave has ended."""
    every = tuple(cells)
    if not any(cell.wave_seconds for cell in every):
        return None
    return sum(cell_remaining_s(cell, every) for cell in every)


def cell_remaining_s(cell: CellProgress, every: tuple[CellProgress, ...]) -> float:
    """Return the seconds one cell will still take, by the nearest evidence among `every` cell."""
    left = 0 if cell.over else max(0, cell.waves_planned - len(cell.wave_seconds))
    return left * expected_wave_s(cell, every) if left else 0.0


def expected_wave_s(cell: CellProgress, every: tuple[CellProgress, ...]) -> float:
    """Return what the next wave should take: by its own waves, the same level elsewhere, or the nearest level."""
    if cell.wave_seconds:
        return median(cell.wave_seconds)
    same_level = [median(c.wave_seconds) for c in every if c.concurrency == cell.concurrency and c.wave_seconds]
    same_topology = _scaled(cell, [c for c in every if c.topology == cell.topology])
    if same_level:
        return median(same_level)
    return same_topology if same_topology is not None else _scaled(cell, every) or 0.0


def _scaled(cell: CellProgress, others: Iterable[CellProgress]) -> float | None:
    """Scale the nearest measured level to this one."""
    measured = [other for other in others if other.wave_seconds]
    if not measured:
        return None
    nearest = min(measured, key=lambda other: abs(other.concurrency - cell.concurrency))
    return float(median(nearest.wave_seconds) * (cell.concurrency / nearest.concurrency) ** GROWTH)
