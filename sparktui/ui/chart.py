"""A line chart as rows of text, drawn in braille dots; values in, rows of runs out.

Lines that share a cell share its dots, and each has a stroke and a mark of its own, so they can be told apart without
colour. Plotting libraries for terminals give a cell to the line drawn last, which erases the others wherever two
topologies are close: there it matters most.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

Run = tuple[str, str]
"""Text, and the name of its ink: a line's own, AXIS, CURSOR or CROSSING."""
Rows = tuple[tuple[Run, ...], ...]

AXIS, CURSOR, CROSSING = "axis", "cursor", "crossing"
STROKES = ("#", "########----", "##--", "########--##--")
"""Solid, dashed, dotted, dash-dotted: `#` is a dot of the line, `-` none. A cell is 2 dots wide and 4 high."""
GHOST_STROKE = "#---"
LEAST_COLUMNS, LEAST_ROWS = 12, 3
"""Of the area between the axes; in less nothing is drawn."""
INSET = 2
"""Columns between the axis and the first point, and after the last, so that no mark touches an edge."""
SEVERAL = "+"
"""Where the marks of several lines fall into one cell."""
BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot, by its row and column in the cell (Unicode, Braille Patterns)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point, in the units of the axes; a y of None, or one that is no finite number, is a gap."""

    x: float
    y: float | None
    low: float | None = None
    high: float | None = None
    """The ends of its interval."""
    mark: str = ""
    """In place of its line's."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series, its points by rising x."""

    points: tuple[Point, ...]
    ink: str
    mark: str
    """One character, at every point."""
    stroke: str = STROKES[0]
    behind: bool = False
    """Its marks give way to those of lines that are not."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What a side of the chart reaches over, and its labels; places are linear, so logarithms are the caller's."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...] = ()
    """Where labels would touch, the earlier one stays."""

    def at(self, value: float) -> float:
        """Return the place of a value, 0 to 1; of one outside the nearest end, and 0.5 where there is no length."""
        length = self.high / 2 - self.low / 2
        share = (value / 2 - self.low / 2) / length if length > 0 else 0.5
        return 0.5 if math.isnan(share) else min(1.0, max(0.0, share))


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: later lines over earlier ones."""

    x: Axis
    y: Axis
    lines: tuple[Line, ...] = ()
    cursor: float | None = None
    """An x, marked over the whole height."""
    crossings: tuple[float, ...] = ()


@lru_cache(maxsize=4)
def draw(chart: Chart, width: int, height: int) -> Rows:
    """Return exactly `height` rows of `width` columns; blank where that is too small for a chart."""
    gutter = max((len(label) for _, label in chart.y.ticks), default=0)
    canvas = _Canvas(width - gutter - 1, height - 2)
    if canvas.columns < LEAST_COLUMNS or canvas.rows < LEAST_ROWS:
        return ((((" " * width), AXIS),),) * height
    _uprights(canvas, chart)
    for line in chart.lines:
        _trace(canvas, chart, line)
    for line in chart.lines:
        _marks(canvas, chart, line)
    return (*_body(canvas, chart.y, gutter), *_foot(canvas, chart.x, gutter))


@dataclass(frozen=True, slots=True)
class _Place:
    """A point's place in cells, from the left and from the top; fractions count."""

    column: float
    row: float
    low: float
    """The row of the lower end of its interval; rows count downwards."""
    high: float

    @property
    def cell(self) -> tuple[int, int]:
        return round(self.column), round(self.row)


class _Canvas:
    """The area between the axes: dots that add up, and characters over them."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._dots: dict[tuple[int, int], tuple[int, str]] = {}
        self._characters: dict[tuple[int, int], Run] = {}
        self._behind: dict[tuple[int, int], Run] = {}
        self._under: dict[tuple[int, int], Run] = {}

    def column(self, share: float) -> float:
        return INSET + share * (self.columns - 1 - 2 * INSET)

    def row(self, share: float) -> float:
        return (1 - share) * (self.rows - 1)

    def dot(self, column: float, row: float, ink: str) -> None:
        x, y = math.floor(2 * column + 1), math.floor(4 * row + 2)
        cell = (x // 2, y // 4)
        self._dots[cell] = (self._dots.get(cell, (0, ink))[0] | DOTS[y % 4][x % 2], ink)

    def upright(self, column: int, character: str, ink: str) -> None:
        self._under |= {(column, row): (character, ink) for row in range(self.rows)}

    def mark(self, cell: tuple[int, int], character: str, ink: str, *, behind: bool = False) -> None:
        marks = self._behind if behind else self._characters
        taken = marks.get(cell)
        marks[cell] = (SEVERAL if taken is not None and taken[0] != character else character, ink)

    def line(self, row: int) -> list[Run]:
        return [self._cell((column, row)) for column in range(self.columns)]

    def _cell(self, cell: tuple[int, int]) -> Run:
        for marks in (self._characters, self._behind):
            if cell in marks:
                return marks[cell]
        if cell in self._dots:
            mask, ink = self._dots[cell]
            return chr(BRAILLE | mask), ink
        return self._under.get(cell, (" ", AXIS))


def _uprights(canvas: _Canvas, chart: Chart) -> None:
    for x in chart.crossings:
        canvas.upright(round(canvas.column(chart.x.at(x))), "┊", CROSSING)
    if chart.cursor is not None:
        canvas.upright(round(canvas.column(chart.x.at(chart.cursor))), "│", CURSOR)


def _places(canvas: _Canvas, chart: Chart, line: Line) -> list[_Place | None]:
    return [_place(canvas, chart, point) for point in line.points]


def _place(canvas: _Canvas, chart: Chart, point: Point) -> _Place | None:
    if point.y is None or not math.isfinite(point.y) or not math.isfinite(point.x):
        return None
    low = point.y if point.low is None else point.low
    high = point.y if point.high is None else point.high
    rows = [canvas.row(chart.y.at(value)) for value in (point.y, low, high)]
    return _Place(canvas.column(chart.x.at(point.x)), rows[0], max(rows), min(rows))


def _trace(canvas: _Canvas, chart: Chart, line: Line) -> None:
    """Set the dots of a line, its stroke going on from one piece to the next, and of its intervals."""
    step = 0
    for a, b in pairwise(_places(canvas, chart, line)):
        if a is None or b is None:
            continue
        across, down = b.column - a.column, b.row - a.row
        steps = max(1, math.ceil(max(abs(2 * across), abs(4 * down))))
        for share in (index / steps for index in range(steps)):
            if line.stroke[step % len(line.stroke)] == "#":
                canvas.dot(a.column + share * across, a.row + share * down, line.ink)
            step += 1


def _marks(canvas: _Canvas, chart: Chart, line: Line) -> None:
    for point, place in zip(line.points, _places(canvas, chart, line), strict=True):
        if place is not None:
            for quarter in range(math.floor(4 * place.high), math.ceil(4 * place.low)):
                canvas.dot(place.column, quarter / 4, line.ink)
            canvas.mark(place.cell, point.mark or line.mark, line.ink, behind=line.behind)


def _body(canvas: _Canvas, axis: Axis, gutter: int) -> Iterator[tuple[Run, ...]]:
    labels = {round(canvas.row(axis.at(value))): label for value, label in reversed(axis.ticks)}
    for row in range(canvas.rows):
        edge = labels.get(row, "").rjust(gutter) + ("┤" if row in labels else "│")
        yield _joined([(edge, AXIS), *canvas.line(row)])


def _foot(canvas: _Canvas, axis: Axis, gutter: int) -> tuple[tuple[Run, ...], ...]:
    line, labels = ["─"] * canvas.columns, [" "] * canvas.columns
    for value, label in axis.ticks:
        column = round(canvas.column(axis.at(value)))
        start = min(max(0, column - len(label) // 2), max(0, canvas.columns - len(label)))
        if not "".join(labels[max(0, start - 1) : start + len(label) + 1]).strip():
            labels[start : start + len(label)] = label[: canvas.columns]
            line[column] = "┬"
    edge = " " * gutter
    return ((f"{edge}└{''.join(line)}", AXIS),), ((f"{edge} {''.join(labels)}", AXIS),)


def _joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Join neighbours of one ink."""
    return tuple(("".join(text for text, _ in same), ink) for ink, same in groupby(runs, key=_ink))


def _ink(run: Run) -> str:
    return run[1]
