"""The figures of Sweep in numbers: the level under the cursor in full, and every level in short."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.content import Content

from sparktui.compare.answers import NO_BREAK
from sparktui.compare.comparison import Table
from sparktui.compare.sentences import leader_sentences
from sparktui.compare.verdict import SO_FAR, verdicts
from sparktui.compare.winners import Row
from sparktui.exporting.grid import number
from sparktui.ui.chart import SEVERAL
from sparktui.ui.colours import colour
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.sweep_picture import Picture, Reading, letter
from sparktui.ui.text import Part, harmless, lines, squeezed
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, percent

NAME = 16
SHORT_NAME = 10
LETTER = 3
"""A topology's letter and the space around it."""
ONE_LINE = 66
"""From this width on a topology has all on one line."""


class SweepPanel(Panel):
    """Draws a picture; the snapshot it came from matters to the masthead alone."""

    grows = True
    _picture: Picture | None = None
    _instead = ""

    def tell(self, picture: Picture | None, instead: str) -> None:
        """Show another picture, or why there is none."""
        if (picture, instead) != (self._picture, self._instead):
            self._picture, self._instead = picture, instead
            self._redraw()

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        return Content.styled(self._instead, "$dim") if self._picture is None else self.write(self._picture, width)

    def write(self, picture: Picture, width: int) -> Content:
        """Return what to say of a picture in `width` columns."""
        raise NotImplementedError


class Heading(SweepPanel):
    """Which figure this is, how it was come by, and whose lines lie behind; the last facts give way first."""

    def write(self, picture: Picture, width: int) -> Content:
        table, metric = picture.table, picture.table.metric
        title = f"{metric.title}, {metric.unit}"
        facts = [f"{metric.better} is better", *(["log axis"] if picture.log else []), str(table.workload)]
        facts += [table.calculator, f"tokens by {table.token_source}"]
        while facts and len(title) + 2 + len(" · ".join(facts)) > width:
            facts.pop()
        rows = [Content.assemble((title, "bold"), (f"  {' · '.join(facts)}", "$dim"))]
        if picture.behind:
            behind = f"dotted: {picture.behind}" if picture.figure.ghosts else picture.behind
            rows.append(Content.styled(behind, "$dim").truncate(width, ellipsis=True))
        return lines(rows)


class Readout(SweepPanel):
    """Every topology at the level under the cursor: exact value, spread, interval, and the best's margin over it."""

    def write(self, picture: Picture, width: int) -> Content:
        row = picture.row
        if row is None:
            return Content.styled(self._instead, "$dim")
        drawn = [line for line in picture.chart.lines if any(point.y is not None for point in line.points)]
        several = f" · {SEVERAL} is several lines" if len(drawn) > 1 else ""
        self.border_title = f"at c{row.concurrency}, {picture.table.metric.unit}{several}"
        readings = sorted(picture.readings, key=_rank(picture.table))
        shape = _one_line if width >= ONE_LINE else _two_lines
        rows = [line for reading in readings for line in shape(picture, reading)]
        return lines([*rows, *_said(picture, row, width)])


class LevelTable(SweepPanel):
    """A row a topology and a column a level, the best of a level in brackets, then who leads and by how much."""

    def write(self, picture: Picture, width: int) -> Content:
        shape = _shape(picture, width)
        head = Content.assemble(("c".rjust(shape.name), "$dim"), *(_level(row, picture, shape) for row in shape.rows))
        body = [_of_topology(picture, topology, shape) for topology in picture.table.topologies]
        return lines([head, *body, _leaders(picture, shape)])


@dataclass(frozen=True, slots=True)
class _Shape:
    """What there is room for."""

    name: int
    column: int
    rows: Sequence[Row]
    """The levels shown: all, or those around the cursor."""
    margins: bool


def _shape(picture: Picture, width: int) -> _Shape:
    """Take the fullest form in which every level fits; margins go first, then long names, then far levels."""
    rows = picture.table.rows
    longest = max(len(name) for name in picture.table.topologies)
    for margins, name in ((True, longest), (False, longest), (False, min(longest, SHORT_NAME))):
        column = _column(picture, margins)
        if name + LETTER + column * len(rows) <= width:
            return _Shape(name + LETTER, column, rows, margins)
    shown = _around(rows, picture.row, max(1, (width - name - LETTER) // column))
    return _Shape(name + LETTER, column, shown, margins)


def _column(picture: Picture, margins: bool) -> int:
    texts = [text for row in picture.table.rows for text in _values(picture, row)]
    texts += [_leader(picture, row, margins) for row in picture.table.rows]
    return 1 + max(map(len, texts), default=0)


def _rank(table: Table) -> Callable[[Reading], tuple[bool, float]]:
    """Return the order of the readout: the best first, what is not known last."""
    sign = -1 if table.metric.better == "higher" else 1
    return lambda reading: (reading.value is None, sign * (reading.value or 0.0))


def _one_line(picture: Picture, reading: Reading) -> list[Content]:
    spread = _spread(picture, reading).ljust(10) + _interval(picture, reading).ljust(20)
    return [Content.assemble(*_named(picture, reading), "  ", (spread, "$dim"), _standing(picture, reading))]


def _two_lines(picture: Picture, reading: Reading) -> list[Content]:
    spread = f"{'':4}{_spread(picture, reading)}  {_interval(picture, reading)}"
    first = Content.assemble(*_named(picture, reading), "  ", _standing(picture, reading))
    return [first, Content.styled(spread.rstrip(), "$dim")] if spread.strip() else [first]


def _named(picture: Picture, reading: Reading) -> list[Part]:
    name = f"{letter(reading.index)} {squeezed(reading.topology, NAME).ljust(NAME)}"
    best = picture.row is not None and reading.topology in picture.row.best
    value = number(picture.table, reading.value)
    flaw = "" if picture.row is None else picture.flaw(picture.row, reading.topology)
    text = f"[{value}]" if best else f"{value}{flaw or ' '}"
    return [(name, f"bold {colour(reading.topology, picture.topologies)}"), (text.rjust(11), "bold" if best else "")]


def _spread(picture: Picture, reading: Reading) -> str:
    return "" if reading.std is None else f"±{number(picture.table, reading.std)}"


def _interval(picture: Picture, reading: Reading) -> str:
    if reading.interval is None:
        return ""
    low, high = (number(picture.table, end) for end in reading.interval)
    return f"{low} to {high}"


def _standing(picture: Picture, reading: Reading) -> str:
    row = picture.row
    if row is not None and reading.topology in row.best:
        return "ties" if row.tie else "leads"
    if row is not None and row.only == reading.topology:
        return "alone"
    return "" if reading.best is None else f"best {percent(reading.best)}"


def _said(picture: Picture, row: Row, width: int) -> list[Content]:
    """Say who leads by how much, what keeps others from it, and where the lead passes on."""
    barred = [
        f"{flaw} {name} cannot win: {why}" for name, why in row.barred.items() if (flaw := picture.flaw(row, name))
    ]
    texts = [_verdict(row), *barred, *leader_sentences(picture.table)]
    whole = [harmless(text).replace(" %", f"{NO_BREAK}%") for text in texts if text]
    wrapped = [
        line for text in whole for line in textwrap.wrap(text, width, subsequent_indent="  ", break_on_hyphens=False)
    ]
    return [Content(line.replace(NO_BREAK, " ")) for line in wrapped]


def _verdict(row: Row) -> str:
    if row.only is None and row.winner is None:
        return ""
    return f"{verdicts(row, named=True, sure=True)[0]}{SO_FAR if row.awaited else ''}"


def _of_topology(picture: Picture, topology: str, shape: _Shape) -> Content:
    index = picture.index(topology)
    label = f"{letter(index)} {squeezed(topology, shape.name - LETTER)}".ljust(shape.name)
    values = ((_value(picture, row, topology).rjust(shape.column), _weight(row, topology)) for row in shape.rows)
    return Content.assemble((label, f"bold {colour(topology, picture.topologies)}"), *values)


def _leaders(picture: Picture, shape: _Shape) -> Content:
    found = (_leader(picture, row, shape.margins).rjust(shape.column) for row in shape.rows)
    return Content.assemble(("leads".ljust(shape.name), "$dim"), *found)


def _weight(row: Row, topology: str) -> str:
    return "bold" if topology in row.best else "$dim" if topology in row.barred else ""


def _leader(picture: Picture, row: Row, margins: bool) -> str:
    """Return who leads a level, by its letter, and by how much.

    A tie is called one. How far it is ahead of the others, as Compare has it, stands beside the level under the cursor:
    by how much its first is ahead of its second is no answer here.
    """
    if row.winner is None:
        return f"{UNKNOWN} "
    who = "tie" if row.tie else letter(picture.index(row.winner))
    told = margins and row.margin is not None and row.lead_over is None
    return f"{who} {percent(row.margin)} " if told else f"{who} "


def _values(picture: Picture, row: Row) -> list[str]:
    return [_value(picture, row, topology) for topology in picture.table.topologies]


def _value(picture: Picture, row: Row, topology: str) -> str:
    text = number(picture.table, row.values.get(topology))
    if topology in row.best:
        return f"[{text}]"
    return f"{text}{picture.flaw(row, topology) or ' '}"


def _around(rows: Sequence[Row], row: Row | None, room: int) -> Sequence[Row]:
    """Return as many rows as there is room for, the one under the cursor among them."""
    at = rows.index(row) if row is not None else len(rows) - 1
    start = max(0, min(at - room // 2, len(rows) - room))
    return rows[start : start + room]


def _level(row: Row, picture: Picture, shape: _Shape) -> Part:
    here = picture.row is not None and row.concurrency == picture.row.concurrency
    return (f"{'▸' if here else ''}{row.concurrency} ".rjust(shape.column), "bold" if here else "$dim")
