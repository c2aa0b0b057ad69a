"""What Sweep draws, from what there is and where the cursor stands; values in, values out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sparktui.colours import slot
from sparktui.compare.comparison import Table
from sparktui.compare.winners import Row
from sparktui.exporting.interval import mean_interval
from sparktui.ui.chart import GHOST_STROKE, STROKES, Axis, Chart, Line, Point
from sparktui.ui.sweep_scale import Scale
from sparktui.ui.sweep_view import Ghost, SweepFigure, SweepView

Tainted = frozenset[tuple[str, int]]
"""Topology and level."""
GHOST_INK = "ghost"
NOT_IN_THE_RACE = "·"
NO_GHOST = {
    "none": "",
    "published": "nothing is published of this figure and model",
    "earlier": "no earlier campaign of this name has this figure",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Where the viewer stands."""

    figure: int = 0
    """Its place among those there are, counted round."""
    level: int | None = None
    """Under the cursor; None for the highest that is measured."""
    log: bool | None = None
    """Whether the figures' axis is logarithmic; None for whichever suits them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One topology at the level under the cursor."""

    topology: str
    index: int
    """Its place in the race: decides its letter."""
    value: float | None
    std: float | None
    interval: tuple[float, float] | None
    """Of the mean, 95 %; None where it is not known wave by wave."""
    best: float | None
    """The best value of the level over its own, less one, as a margin is; None for the best itself."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure, drawn and read out."""

    figure: SweepFigure
    chart: Chart
    levels: tuple[int, ...]
    """That there is a value of."""
    row: Row | None
    """Of the level under the cursor."""
    readings: tuple[Reading, ...]
    log: bool
    topologies: tuple[str, ...]
    """All of the race."""
    tainted: Tainted = frozenset()
    """What was measured while something was wrong."""
    behind: str = ""
    """Whose lines lie behind, in words; empty where none are asked for."""

    @property
    def table(self) -> Table:
        """The figure's own table."""
        return self.figure.table

    def index(self, topology: str) -> int:
        """Return a topology's place in the race."""
        return self.topologies.index(topology)

    def flaw(self, row: Row, topology: str) -> str:
        """Return the mark of a value that cannot win: `~` where it is tainted, else `*`; of one that can, nothing."""
        return _flaw(row, topology, self.tainted)


def picture(view: SweepView, choice: Choice, planned: Iterable[int] = ()) -> Picture | None:
    """Return what is to be drawn; None while nothing is measured.

    Args:
        view: What there is.
        choice: Where the viewer stands.
        planned: The levels of the whole race: the axis holds them from the start, so that it stands still.
    """
    if not view.figures:
        return None
    figure = view.figures[choice.figure % len(view.figures)]
    levels = measured_levels(figure.table)
    level = nearest(levels, choice.level)
    row = next((row for row in figure.table.rows if row.concurrency == level), None)
    topologies = view.comparison.topologies
    scale, tainted = Scale(figure, choice.log), _tainted(view, figure.table)
    ends = sorted({*planned, *(row.concurrency for row in figure.table.rows)})
    chart = Chart(
        _levels_axis(ends, level),
        scale.axis(),
        (*_ghost_lines(figure, topologies, scale, ends), *_lines(figure.table, topologies, scale, tainted)),
        cursor=None if level is None else math.log2(level),
        crossings=tuple(math.log2(crossover.concurrency) for crossover in figure.table.crossovers),
    )
    readings = _readings(figure.table, row, topologies)
    return Picture(figure, chart, levels, row, readings, scale.log, topologies, tainted, _behind(view, figure))


def measured_levels(table: Table) -> tuple[int, ...]:
    """Return the levels that any topology has a value at."""
    return tuple(row.concurrency for row in table.rows if any(value is not None for value in row.values.values()))


def nearest(levels: Sequence[int], wanted: int | None) -> int | None:
    """Return the level that is nearest to the wanted one by ratio; the highest for None."""
    if not levels:
        return None
    return levels[-1] if wanted is None else min(levels, key=lambda level: abs(math.log2(level / wanted)))


def letter(index: int) -> str:
    """Return what marks the topology at a place in the race, beside its colour."""
    return chr(ord("A") + index % 26)


def _tainted(view: SweepView, table: Table) -> Tainted:
    cells = [cell for column in view.comparison.columns for cell in column.cells if cell.workload == table.workload]
    return frozenset((cell.topology, cell.cell.concurrency) for cell in cells if cell.cell.taint is not None)


def _flaw(row: Row, topology: str, tainted: Tainted) -> str:
    if row.values.get(topology) is None or topology not in row.barred:
        return ""
    return "~" if (topology, row.concurrency) in tainted else "*"


def _behind(view: SweepView, figure: SweepFigure) -> str:
    named = [f"{ghost.label} ({ghost.unlike})" if ghost.unlike else ghost.label for ghost in figure.ghosts]
    return " · ".join(named) or NO_GHOST[view.ghosts]


def _readings(table: Table, row: Row | None, topologies: Sequence[str]) -> tuple[Reading, ...]:
    if row is None:
        return ()
    known = [value for value in row.values.values() if value is not None]
    best = (max if table.metric.better == "higher" else min)(known, default=None)
    return tuple(_reading(row, name, topologies.index(name), best) for name in table.topologies)


def _reading(row: Row, name: str, index: int, best: float | None) -> Reading:
    value = row.values.get(name)
    leader = best if row.winner is None else row.values[row.winner]
    return Reading(
        name,
        index,
        value,
        row.std.get(name),
        mean_interval(row.estimates.get(name)),
        None if not value or leader is None or value == leader else leader / value - 1,
    )


def _levels_axis(levels: Sequence[int], level: int | None) -> Axis:
    """Return the log2 axis; the label under the cursor comes first, so that no neighbour takes its room."""
    ticks = [(math.log2(one), f"[{one}]" if one == level else str(one)) for one in levels]
    ticks.sort(key=lambda tick: not tick[1].startswith("["))
    return Axis(math.log2(levels[0]), math.log2(levels[-1]), tuple(ticks))


def _lines(table: Table, topologies: Sequence[str], scale: Scale, tainted: Tainted) -> list[Line]:
    return [_line(table, name, topologies, scale, tainted) for name in table.topologies]


def _line(table: Table, name: str, topologies: Sequence[str], scale: Scale, tainted: Tainted) -> Line:
    points, index = [], topologies.index(name)
    for row in table.rows:
        place = scale.place(row.values.get(name))
        low, high = map(scale.place, mean_interval(row.estimates.get(name)) or (None, None))
        points.append(Point(math.log2(row.concurrency), place, low, high, _flaw(row, name, tainted)))
    return Line(tuple(points), f"topology-{slot(name, topologies)}", letter(index), STROKES[index % len(STROKES)])


def _ghost_lines(figure: SweepFigure, topologies: Sequence[str], scale: Scale, levels: Sequence[int]) -> list[Line]:
    within = range(levels[0], levels[-1] + 1)
    return [
        _ghost_line(ghost, name, topologies, scale, within)
        for ghost in figure.ghosts
        for name in ghost.table.topologies
    ]


def _ghost_line(ghost: Ghost, name: str, topologies: Sequence[str], scale: Scale, within: range) -> Line:
    rows = [row for row in ghost.table.rows if row.concurrency in within]
    points = tuple(Point(math.log2(row.concurrency), scale.place(row.values.get(name))) for row in rows)
    mark = letter(topologies.index(name)).lower() if name in topologies else NOT_IN_THE_RACE
    return Line(points, GHOST_INK, mark, GHOST_STROKE, behind=True)
