"""A winner table in the published shape: a row per level, a column per topology, the best in brackets, who wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from textual.content import Content

from sparktui.compare.summary import Comparison, Table
from sparktui.compare.winners import MetricName, Row
from sparktui.ui.endings import SHORT
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, lines, squeezed
from sparktui.ui.themes import accent
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, milliseconds, percent, rate

MIN_COLUMN = 9
"""Of a topology: a value of five digits in brackets."""
LEVEL = 4
MARGIN = 9
INTERVAL = 19
MIN_VERDICT = 22
LEGEND = "[best]  ± over waves  * incomplete  ~ tainted: neither wins  tie: too close"


class VerdictTable(Panel):
    """One metric of the campaign's comparison.

    Args:
        metric: Its name.
        title: What stands above it.
        nth: Of several workloads, which.
    """

    def __init__(self, metric: MetricName, title: str, nth: int = 0) -> None:
        super().__init__(id=verdict_id(metric, nth), classes="box verdict", title=title)
        self.heading = title
        self._metric = metric
        self._nth = nth

    def concern(self, snapshot: Snapshot) -> object:
        return snapshot.comparison

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        table = find_table(snapshot.comparison, self._metric, self._nth)
        self.make_room(2 if table is None else 1 + len(table.rows))
        if table is None:
            return Content.styled("nothing measured yet", "$dim")
        shape = _shape(table, width, _tainted(snapshot.comparison, table), _ended(snapshot.comparison))
        self.entitle(self.heading, _subtitle(table, shape))
        return lines([_head(table, shape), *(_row(table, row, shape) for row in table.rows)])


def verdict_id(metric: MetricName, nth: int = 0) -> str:
    """Return what a metric's table is called on its screen."""
    return f"verdict-{metric}-{nth}" if nth else f"verdict-{metric}"


def find_table(comparison: Comparison | None, metric: MetricName, nth: int = 0) -> Table | None:
    """Return a metric's table; of several workloads the nth."""
    tables = () if comparison is None else comparison.tables
    return next(iter([table for table in tables if table.metric.name == metric][nth:]), None)


def _subtitle(table: Table, shape: _Shape) -> str:
    against = f" · margin against {table.baseline or 'the runner-up'}" if shape.verdict else ""
    return f"{table.metric.better} is better{against}"


Cells = frozenset[tuple[str, int]]
"""Topology and level."""


def _tainted(comparison: Comparison | None, table: Table) -> Cells:
    """Return whose cells were measured while something was wrong."""
    columns = () if comparison is None else comparison.columns
    cells = ((column.name, cell) for column in columns for cell in column.cells if cell.workload == table.workload)
    return frozenset((name, cell.cell.concurrency) for name, cell in cells if cell.cell.taint is not None)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What there is room for: a width per topology, spreads, and the columns that are left for the verdict."""

    columns: tuple[int, ...]
    std: bool
    verdict: int
    tainted: Cells = field(default_factory=frozenset)
    ended: Mapping[str, str] = field(default_factory=dict)
    """How topologies ended that came to no good end: what is missing of them does not come any more."""


def _ended(comparison: Comparison | None) -> Mapping[str, str]:
    columns = () if comparison is None else comparison.columns
    return {column.name: SHORT[column.sweep.state] for column in columns if column.sweep.state in SHORT}


def _shape(table: Table, width: int, tainted: Cells, ended: Mapping[str, str]) -> _Shape:
    """Take the fullest form that fits; spreads are the first to go, then long names, then the verdict."""
    longest = max((len(row.winner) for row in table.rows if row.winner), default=0)
    for std, names, gap, least in (
        (True, 99, 2, longest + MARGIN + INTERVAL),
        (False, 99, 2, longest + MARGIN),
        (False, 99, 1, longest + MARGIN),
        (False, MIN_COLUMN, 1, MIN_VERDICT),
    ):
        columns = tuple(max(min(len(name) + 1, names), _widest(table, name, std)) + gap for name in table.topologies)
        if (left := width - LEVEL - sum(columns)) >= least:
            return _Shape(columns, std, left, tainted, ended)
    return _Shape(columns, False, 0, tainted, ended)


def _widest(table: Table, topology: str, std: bool) -> int:
    return max((len(_value(table, row, topology, std)) for row in table.rows), default=MIN_COLUMN)


def _head(table: Table, shape: _Shape) -> Content:
    parts: list[Part] = [("  c", "$dim")]
    for index, name in enumerate(table.topologies):
        column = shape.columns[index]
        parts.append((squeezed(name, column - 2).rjust(column - 1) + " ", f"bold {accent(index)}"))
    return Content.assemble(*parts, (f"  {_winner_title(table, shape.verdict - 2)}" if shape.verdict else "", "$dim"))


def _winner_title(table: Table, room: int) -> str:
    """Name the baseline here too: a panel without a frame has no line below that says it."""
    return "Winner" if table.baseline is None else squeezed(f"Winner, vs {table.baseline}", room)


def _row(table: Table, row: Row, shape: _Shape) -> Content:
    parts: list[Part] = [(f"{row.concurrency:3}", "$dim")]
    for index, name in enumerate(table.topologies):
        mark = "~" if (name, row.concurrency) in shape.tainted else "*"
        missing = row.values.get(name) is None and name in shape.ended
        text = f"{shape.ended[name]} " if missing else _value(table, row, name, shape.std, mark)
        parts.append((text.rjust(shape.columns[index]), "$error" if missing else _style(row, name, index)))
    if not shape.verdict:
        return Content.assemble(*parts)
    return Content.assemble(*parts, "  ", _verdict(table, row, shape.verdict - 2))


def _style(row: Row, topology: str, index: int) -> str:
    if topology == row.winner:
        return f"bold {accent(index)}"
    return "$dim" if topology in row.barred else ""


def _value(table: Table, row: Row, topology: str, std: bool, mark: str = "*") -> str:
    value, spread = row.values.get(topology), row.std.get(topology)
    text = _number(table, value)
    if std and value is not None and spread is not None:
        text += f" ±{spread:.{_decimals(value)}f}"
    if topology == row.winner:
        return f"[{text}]"
    return f"{text}{mark}" if value is not None and topology in row.barred else f"{text} "


def _decimals(value: float) -> int:
    return 2 if value < 100 else 1 if value < 1000 else 0


def _number(table: Table, value: float | None) -> str:
    return milliseconds(value) if table.metric.unit == "ms" else rate(value)


def _verdict(table: Table, row: Row, room: int) -> Content:
    if row.winner is None:
        return Content.styled(UNKNOWN, "$dim")
    style = f"bold {accent(table.topologies.index(row.winner))}"
    if row.margin is None:
        return Content.assemble((squeezed(row.winner, room - 6), style), (" alone", "$dim"))
    margin, span = percent(row.margin), _span(row)
    who = row.winner if row.tied_with is None else f"{row.winner}={row.tied_with}"
    span = span if len(who) + len(margin) + len(span) + (5 if row.tie else 3) <= room else ""
    name = squeezed(who, max(4, room - len(margin) - (7 if row.tie else 1)))
    if row.tie:
        return Content.assemble(("tie", "bold"), (f"  {name} ", "$dim"), margin, (f"  {span}", "$dim"))
    return Content.assemble((name, style), f" {margin}", (f"  {span}", "$dim"))


def _span(row: Row) -> str:
    if row.interval is None:
        return ""
    low, high = row.interval
    return f"({low * 100:+.1f} to {high * 100:+.1f})"
