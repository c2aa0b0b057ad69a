"""The whole race over time, once it is over: what every cell decoded, when, on an axis that does not move any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from textual.content import Content

from sparktui.moments import local_time
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import bars, harmless, lines, spread, squeezed
from sparktui.ui.widgets.panel import Panel
from sparktui.units import rate

AXIS = 8
"""Columns for the highest value, in front."""
LEAST_NAME = 6


@dataclass(frozen=True, slots=True)
class _Cell:
    """One measured cell."""

    topology: str
    started: float
    ended: float
    decode_tps: float


class Course(Panel):
    """Bars over time, a colour a topology, named below; then the clock."""

    def __init__(self) -> None:
        super().__init__(id="course", classes="box", title="decode over the race, tok/s")

    def concern(self, snapshot: Snapshot) -> object:
        return snapshot.comparison

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        cells, rows = _cells(snapshot), self.content_size.height - 2
        if not cells or rows < 1 or width <= AXIS:
            return Content.styled("nothing measured", "$dim")
        owners = _owners(cells, width - AXIS)
        values = [None if cell is None else cell.decode_tps for cell in owners]
        top = max(cell.decode_tps for cell in cells)
        owned = [None if cell is None else cell.topology for cell in owners]
        drawn = bars(values, width - AXIS, rows, top)
        labels = [f"{rate(top)} ┤", *[" ┤"] * (rows - 1)]
        body = [_row(snapshot, label.rjust(AXIS), row, owned) for label, row in zip(labels, drawn, strict=True)]
        return lines([*body, _names(snapshot, owned), _clock(cells, width)])


def _cells(snapshot: Snapshot) -> list[_Cell]:
    comparison = snapshot.comparison
    return [
        _Cell(column.sweep.topology, cell.cell.started, cell.cell.ended, decode)
        for column in (comparison.columns if comparison else ())
        for cell in column.cells
        if cell.cell.started and cell.cell.ended and (decode := cell.figures.mean("decode_tps")) is not None
    ]


def _owners(cells: Sequence[_Cell], columns: int) -> list[_Cell | None]:
    """Return what was measured in each slice of the time from the first cell to the last; None between cells."""
    start, end = min(cell.started for cell in cells), max(cell.ended for cell in cells)
    step = max(1e-9, end - start) / columns
    return [_longest(cells, start + step * column, start + step * (column + 1)) for column in range(columns)]


def _longest(cells: Sequence[_Cell], low: float, high: float) -> _Cell | None:
    """Return the cell that most of a slice of time was spent on."""
    within = [cell for cell in cells if cell.started < high and cell.ended > low]
    return max(within, key=lambda cell: min(cell.ended, high) - max(cell.started, low), default=None)


def _row(snapshot: Snapshot, label: str, row: str, owned: Sequence[str | None]) -> Content:
    drawn = groupby(zip(row, owned, strict=True), key=lambda pair: pair[1])
    parts = [
        ("".join(character for character, _ in run), "$dim" if name is None else snapshot.colour(name))
        for name, run in drawn
    ]
    return Content.assemble((label, "$dim"), *parts)


def _names(snapshot: Snapshot, owned: Sequence[str | None]) -> Content:
    """Name each topology under its bars, where there is room for a name."""
    parts = []
    for name, run in groupby(_without_gaps(owned)):
        room = len(list(run))
        said = squeezed(harmless(name), room - 1) if name is not None and room > LEAST_NAME else ""
        parts.append((said.ljust(room), "$dim" if name is None else snapshot.colour(name)))
    return Content.assemble(" " * AXIS, *parts)


def _without_gaps(owned: Sequence[str | None]) -> list[str | None]:
    """Give what lies between two cells of one topology to that topology."""
    last = {name: index for index, name in enumerate(owned) if name is not None}
    filled: list[str | None] = []
    now = None
    for index, name in enumerate(owned):
        now = name if name is not None else now if now is not None and index < last[now] else None
        filled.append(now)
    return filled


def _clock(cells: Sequence[_Cell], width: int) -> Content:
    start, end = min(cell.started for cell in cells), max(cell.ended for cell in cells)
    left, right = (local_time(t, "%H:%M") for t in (start, end))
    return spread(Content.styled(" " * AXIS + left, "$dim"), Content.styled(right, "$dim"), width)
