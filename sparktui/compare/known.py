"""Figures of imported cells: what a file says of them, in place of waves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sparktui.measure.cell import CellFigures, Figure, Stated
from sparktui.measure.figures import FIGURES, FigureKind
from sparktui.measure.foreign import FOREIGN
from sparktui.measure.statistics import mean
from sparktui.store.rows import CellRow, KnownFigureRow

UNKNOWN_CALCULATOR = "unknown"


def known_cell_figures(
    cell: CellRow, rows: Sequence[KnownFigureRow], calculator: str | None, token_source: str | None
) -> CellFigures:
    """Return what is known of an imported cell; requests and errors are none, since files rarely tell them."""
    return CellFigures(
        calculator=calculator or UNKNOWN_CALCULATOR,
        figures={row.name: _figure(cell, row) for row in rows},
        waves=cell.runs,
        requests=0,
        errors=0,
        token_source=token_source or "none",
    )


def _figure(cell: CellRow, row: KnownFigureRow) -> Figure:
    per: Literal["wave", "request"] = "request" if row.per == "request" else "wave"
    kind = replace(_kind(row.name), per=per)
    if row.per == "cell" or not row.values:
        return Figure(kind, (), stated=Stated(row.mean, row.std, row.n))
    return Figure(kind, row.values, _wave_means(cell, row.values) if per == "request" else ())


def _kind(name: str) -> FigureKind:
    return FIGURES.get(name) or FOREIGN.get(name) or FigureKind(name, "", "higher", "wave", name)


def _wave_means(cell: CellRow, values: Sequence[float]) -> tuple[float, ...]:
    """Return each wave's mean, where there is a value for every request of every wave: they are in the waves' order."""
    size = cell.concurrency
    if cell.shape != "waves" or (size > 1 and len(values) != cell.runs * size):
        return ()
    waves = (values[start : start + size] for start in range(0, len(values), size))
    return tuple(value for wave in waves if (value := mean(wave)) is not None)
