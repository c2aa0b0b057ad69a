"""A winner table in the published shape: a row per level, a column per topology, the best in brackets, who wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from textual.content import Content

from sparktui.compare.summary import Comparison, Table
from sparktui.compare.verdict import fitting, tie_in_numbers, verdicts
from sparktui.compare.winners import MetricName, Row
from sparktui.ui.colours import colour
from sparktui.ui.endings import SHORT
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, harmless, lines, squeezed
from sparktui.ui.widgets.panel import Panel
from sparktui.units import milliseconds, rate

MIN_COLUMN = 9
"""Of a topology: a value of five digits in brackets."""
LEVEL = 3
GAP = 2
"""Before the verdict."""
MARGIN = 9
INTERVAL = 19
MIN_VERDICT = 22
MOST_DECIMALS = 3
"""Of a spread."""
LEGEND = "[best, or all that tie]  ± over waves  * incomplete  ~ tainted: neither wins"


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
        if table is None or snapshot.comparison is None:
            self.make_room(2)
            return Content.styled("nothing measured yet", "$dim")
        about = _About.of(snapshot.comparison, table)
        shape = _shape(about, width)
        self.entitle(self.heading, _subtitle(table, shape))
        rows = [_head(about, shape), *(_row(about, row, shape) for row in table.rows), *_left_out(table, shape, width)]
        self.make_room(len(rows))
        return lines(rows)


def verdict_id(metric: MetricName, nth: int = 0) -> str:
    """Return what a metric's table is called on its screen."""
    return f"verdict-{metric}-{nth}" if nth else f"verdict-{metric}"


def find_table(comparison: Comparison | None, metric: MetricName, nth: int = 0) -> Table | None:
    """Return a metric's table; of several workloads the nth."""
    tables = () if comparison is None else comparison.tables
    return next(iter([table for table in tables if table.metric.name == metric][nth:]), None)


def _subtitle(table: Table, shape: _Shape) -> str:
    if not table.contested:
        return f"{table.metric.better} is better"
    against = f" · margin against {table.baseline or 'the runner-up'}" if shape.verdict else ""
    return f"{table.metric.better} is better{against}"


Cells = frozenset[tuple[str, int]]
"""Topology and level."""


@dataclass(frozen=True, slots=True)
class _About:
    """A table, and what of its comparison has to be seen in it."""

    table: Table
    names: tuple[str, ...]
    """Everything compared: together they decide their colours."""
    tainted: Cells
    """What was measured while something was wrong."""
    ended: Mapping[tuple[str, int], str]
    """How topologies ended that came to no good end, at the levels that do not come any more."""

    @classmethod
    def of(cls, comparison: Comparison, table: Table) -> _About:
        columns = comparison.columns
        cells = [(column, c.cell) for column in columns for c in column.cells if c.workload == table.workload]
        tainted = frozenset((column.name, cell.concurrency) for column, cell in cells if cell.taint is not None)
        ended = {
            (column.name, cell.concurrency): SHORT[column.sweep.state]
            for column, cell in cells
            if column.sweep.state in SHORT and cell.state != "done"
        }
        return cls(table, comparison.topologies, tainted, ended)

    def colour(self, topology: str) -> str:
        return colour(topology, self.names)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What there is room for: a width for each topology shown, spreads, and what is left for the verdict."""

    level: int
    columns: Mapping[str, int]
    std: bool
    verdict: int


def _shape(about: _About, width: int) -> _Shape:
    """Take the fullest form that fits; spreads are the first to go, then long names, the verdict, and whole columns."""
    level = max([LEVEL, *(len(str(row.concurrency)) for row in about.table.rows)])
    for std, names, gap, least in _forms(about.table):
        columns = _columns(about, std=std, names=names, gap=gap)
        left = width - level - sum(columns.values())
        if not about.table.contested and left >= 0:
            return _Shape(level, columns, std, 0)
        if left >= least:
            return _Shape(level, columns, std, left)
    fitting: dict[str, int] = {}
    for name, column in columns.items():
        if level + sum(fitting.values()) + column > width:
            break
        fitting[name] = column
    return _Shape(level, fitting, False, 0)


def _forms(table: Table) -> Iterator[tuple[bool, int, int, int]]:
    """Yield, the fullest first: whether spreads are shown, how long a name may be, the gap, and the least verdict."""
    widest = max((len(name) + 1 for name in table.topologies), default=MIN_COLUMN)
    longest = max((len(row.winner) for row in table.rows if row.winner), default=0)
    verdict = max([longest + MARGIN, *(GAP + len(tie_in_numbers(row)) for row in table.rows)])
    yield True, widest, 2, max(verdict, longest + MARGIN + INTERVAL)
    yield False, widest, 2, verdict
    yield False, widest, 1, verdict
    yield False, widest, 1, longest + MARGIN
    yield from ((False, names, 1, MIN_VERDICT) for names in range(max(widest, MIN_COLUMN), MIN_COLUMN - 1, -1))


def _columns(about: _About, *, std: bool, names: int, gap: int) -> dict[str, int]:
    return {name: max(min(len(name) + 1, names), _widest(about, name, std)) + gap for name in about.table.topologies}


def _left_out(table: Table, shape: _Shape, width: int) -> list[Content]:
    """Name the columns there is no room for."""
    names = [name for name in table.topologies if name not in shape.columns]
    if not names:
        return []
    text = f"no room for {len(names)} more: {', '.join(names)} · e writes all"
    return [Content.styled(harmless(text), "$warning").truncate(width, ellipsis=True)]


def _widest(about: _About, topology: str, std: bool) -> int:
    texts = (_missing(about, row, topology) or _value(about.table, row, topology, std) for row in about.table.rows)
    return max(map(len, texts), default=MIN_COLUMN)


def _head(about: _About, shape: _Shape) -> Content:
    parts: list[Part] = [("c".rjust(shape.level), "$dim")]
    for name, column in shape.columns.items():
        parts.append((squeezed(name, column - 2).rjust(column - 1) + " ", f"bold {about.colour(name)}"))
    title = f"{' ' * GAP}{_winner_title(about.table, shape.verdict - GAP)}" if shape.verdict else ""
    return Content.assemble(*parts, (title, "$dim"))


def _winner_title(table: Table, room: int) -> str:
    """Name the baseline here too: a panel without a frame has no line below that says it."""
    title = table.verdict_title
    return title if table.baseline is None else squeezed(f"{title}, vs {table.baseline}", room)


def _row(about: _About, row: Row, shape: _Shape) -> Content:
    parts: list[Part] = [(str(row.concurrency).rjust(shape.level), "$dim")]
    for name, column in shape.columns.items():
        mark = "~" if (name, row.concurrency) in about.tainted else "*"
        missing = _missing(about, row, name)
        text = missing or _value(about.table, row, name, shape.std, mark)
        parts.append((text.rjust(column), "$error" if missing else _style(about, row, name)))
    if not shape.verdict:
        return Content.assemble(*parts)
    return Content.assemble(*parts, " " * GAP, _verdict(about, row, shape.verdict - GAP))


def _missing(about: _About, row: Row, topology: str) -> str:
    """Return how a topology ended that was not measured at a level; nothing of one that was, or still may be."""
    ended = about.ended.get((topology, row.concurrency))
    return f"{ended} " if ended is not None and row.values.get(topology) is None else ""


def _style(about: _About, row: Row, topology: str) -> str:
    if topology in row.best:
        return "bold" if row.awaited else f"bold {about.colour(topology)}"
    return "$dim" if topology in row.barred else ""


def _value(table: Table, row: Row, topology: str, std: bool, mark: str = "*") -> str:
    value, spread = row.values.get(topology), row.std.get(topology)
    text = _number(table, value)
    if std and value is not None and spread is not None:
        text += f" ±{_spread(spread, text)}"
    if topology in row.best:
        return f"[{text}]"
    return f"{text}{mark}" if value is not None and topology in row.barred else f"{text} "


def _spread(spread: float, value: str) -> str:
    """Format a spread with the digits of its value, or where those are all zero, with as many as it takes to see it."""
    decimals = len(value.partition(".")[2])
    digits = next((digits for digits in range(decimals, MOST_DECIMALS + 1) if round(spread, digits)), None)
    return "0" if digits is None else f"{spread:,.{digits}f}".replace(",", " ")


def _number(table: Table, value: float | None) -> str:
    return milliseconds(value) if table.metric.unit == "ms" else rate(value)


def _verdict(about: _About, row: Row, room: int) -> Content:
    text = fitting(_forms_of(about.table, row), room)
    if row.winner is None:
        return Content.styled(squeezed(text, room), "$dim")
    if row.awaited or not text.startswith(row.winner) or row.tie:
        return Content(squeezed(text, room))
    said = text[len(row.winner) :]
    name = squeezed(row.winner, max(4, room - len(said)))
    margin, bracket, interval = said.partition("(")
    return Content.assemble((name, f"bold {about.colour(row.winner)}"), margin, (bracket + interval, "$dim"))


def _forms_of(table: Table, row: Row) -> tuple[str, ...]:
    named = table.names_rival(row)
    every = (*verdicts(row, named=named, sure=True), *verdicts(row, named=named))
    return tuple(sorted(every, key=len, reverse=True))
