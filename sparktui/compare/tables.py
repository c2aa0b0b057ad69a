"""A comparison as text: one row a level and one column a topology, the best of a row, or all that tie, in brackets."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from sparktui.compare.answers import advice_lines, capacity_lines
from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.goodput import NO_LIMITS, UserLimits
from sparktui.compare.sentences import leader_sentences, pair_sentences
from sparktui.compare.unmeasured import UNMEASURED, unmeasured_lines
from sparktui.compare.verdict import fitting, span, verdicts
from sparktui.compare.winners import Row
from sparktui.units import UNKNOWN, milliseconds, percent, rate
from sparktui.visible import visible

WIDTH = 80
MIN_NAME = 8


def render(comparison: Comparison, width: int = WIDTH, *, gains: bool = False, limits: UserLimits = NO_LIMITS) -> str:
    """Return every table, the crossovers and the notes, for a terminal `width` columns wide.

    Args:
        comparison: What to show.
        width: Of the terminal.
        gains: Show what the second of two topologies gains over the first, instead of who wins.
        limits: Say how many users each topology serves within these.
    """
    if why := unmeasured_lines(comparison):
        return visible(_section(UNMEASURED, why))
    tables = comparison.tables
    side_by_side = gains or len(comparison.campaigns) > 1
    parts = [
        _section("What differs", (*comparison.differences, *(comparison.engine_differences if side_by_side else ()))),
        *(render_table(table, _counted(table), width=width, gains=gains and table.contested) for table in tables),
        _section("Crossovers", [line for table in tables for line in leader_sentences(table)]),
        _section("Between others", [line for table in tables for line in pair_sentences(table)]),
        _section("When to use which", advice_lines(comparison, WIDTH)),
        _section(f"Users within {limits}", capacity_lines(comparison, limits, WIDTH) if limits else ()),
        _section("Notes", comparison.notes),
    ]
    return visible("\n\n".join(part for part in parts if part))


def render_table(table: Table, counted: str, *, width: int = WIDTH, gains: bool = False) -> str:
    """Return one table, the best cells of a row in brackets; what does not fit is left out, least needed first.

    `gains` is for a table of two topologies.
    """
    for std, sure in ((True, True), (False, True), (False, False)):
        figures = _figures(table, table.topologies, std)
        last = _last_column(table, gains, sure, width - _width(figures) - 1)
        grid = _beside(figures, last)
        if _width(grid) <= width:
            break
    else:
        grid = _beside(_figures(table, _shortened(table.topologies, _width(grid) - width), False), last)
    return "\n".join((*_title(table, counted, width, gains), *_aligned(grid)))


def _section(title: str, lines: Iterable[str]) -> str:
    body = [
        textwrap.fill(
            line,
            WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines
    ]
    return "\n".join((title, *body)) if body else ""


def _last_column(table: Table, gains: bool, sure: bool, room: int) -> list[str]:
    """Return what is said of each row, as fully as there is room for."""
    texts = [_gain(table, row, full=sure) if gains else _winner(table, row, sure) for row in table.rows]
    if not table.contested:
        return [""] * (1 + len(table.rows))
    head = _gain_word(table).capitalize() if gains else table.verdict_title
    return [head, *(fitting(forms, room) for forms in texts)]


def _winner(table: Table, row: Row, sure: bool) -> tuple[str, ...]:
    return verdicts(row, named=table.names_rival(row), sure=sure)


def _gain_word(table: Table) -> str:
    """Return what a difference is called: more of what should be low is no gain."""
    return "gain" if table.metric.better == "higher" else "change"


def _gain(table: Table, row: Row, *, full: bool) -> tuple[str, ...]:
    gain = next((gain for gain in table.gains if gain.concurrency == row.concurrency), None)
    if gain is None:
        return (UNKNOWN,)
    text = f"{'tie ' if gain.tie else ''}{percent(gain.value)}"
    return (f"{text} ({span(gain.interval)})" if full and gain.interval is not None else text,)


def _title(table: Table, counted: str, width: int, gains: bool) -> list[str]:
    metric = table.metric
    title = f"{_mark(table)}{metric.title}, {metric.unit}, {metric.better} is better"
    margin = f"; margin against {table.baseline or 'the runner-up'}" if table.contested else ""
    load = f"{table.workload}, {counted}{f'; {_gain_word(table)} of {table.topologies[1]}' if gains else margin}"
    fits = len(title) + len(load) + 4 <= width
    return [f"{title}  ({load})"] if fits else [title, *textwrap.wrap(f"({load})", width)]


def _mark(table: Table) -> str:
    """Say that it is simulated; where only some of it is, what differs says of which."""
    if not table.simulated:
        return ""
    return "SIMULATED  " if set(table.simulated) == set(table.topologies) else "PARTLY SIMULATED  "


def _counted(table: Table) -> str:
    """Return the calculator, and what it took for a token."""
    source = table.token_source
    return table.calculator if source in ("", "none") else f"{table.calculator} by {source}"


Grid = Sequence[Sequence[str]]


def _figures(table: Table, names: Sequence[str], std: bool) -> list[list[str]]:
    cells = ([_cell(table, row, name, std=std) for name in table.topologies] for row in table.rows)
    return [["c", *names], *([str(row.concurrency), *line] for row, line in zip(table.rows, cells, strict=True))]


def _beside(figures: Grid, last: Sequence[str]) -> list[list[str]]:
    return [[*line, text] for line, text in zip(figures, last, strict=True)]


def _aligned(grid: Grid) -> list[str]:
    widths = _widths(grid)
    return [
        " ".join(
            (
                cells[0].rjust(widths[0]),
                *(c.rjust(w) for c, w in zip(cells[1:-1], widths[1:-1], strict=True)),
                cells[-1],
            )
        ).rstrip()
        for cells in grid
    ]


def _widths(grid: Grid) -> list[int]:
    return [max(map(len, column)) for column in zip(*grid, strict=True)]


def _width(grid: Grid) -> int:
    widths = _widths(grid)
    return sum(widths) + len(widths) - 1


def _shortened(names: Sequence[str], excess: int) -> list[str]:
    """Take `excess` columns off the longest names, one at a time, never below MIN_NAME."""
    rooms = [len(name) for name in names]
    for _ in range(max(0, excess)):
        longest = max(range(len(rooms)), key=rooms.__getitem__)
        if rooms[longest] <= MIN_NAME:
            break
        rooms[longest] -= 1
    return [_squeezed(name, room) for name, room in zip(names, rooms, strict=True)]


def _squeezed(name: str, room: int) -> str:
    """Take the middle out of a name that is too long: what tells names apart stands at either end."""
    if len(name) <= room:
        return name
    tail = room // 2
    return f"{name[: room - 1 - tail]}…{name[len(name) - tail :]}"


def _cell(table: Table, row: Row, topology: str, *, std: bool) -> str:
    text = _number(table, row.values.get(topology))
    spread = row.std.get(topology)
    if std and spread is not None:
        text = f"{text} ±{_number(table, spread)}"
    if topology in row.best:
        return f"[{text}]"
    return f"{text}*" if topology in row.barred and row.values.get(topology) is not None else f"{text} "


def _number(table: Table, value: float | None) -> str:
    return milliseconds(value) if table.metric.unit == "ms" else rate(value)
