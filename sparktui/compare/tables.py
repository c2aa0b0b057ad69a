"""A comparison as text: one row a level and one column a topology, the best of a row in brackets."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sparktui.compare.answers import advice_lines, capacity_lines
from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.gains import Gain
from sparktui.compare.goodput import NO_LIMITS, UserLimits
from sparktui.compare.sentences import leader_sentences, pair_sentences
from sparktui.compare.unmeasured import UNMEASURED, unmeasured_lines
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
        *(
            render_table(table, _counted(table), simulated=table.simulated, width=width, gains=gains)
            for table in tables
        ),
        _section("Crossovers", [line for table in tables for line in leader_sentences(table)]),
        _section("Between others", [line for table in tables for line in pair_sentences(table)]),
        _section("When to use which", advice_lines(comparison, WIDTH)),
        _section(f"Users within {limits}", capacity_lines(comparison, limits, WIDTH) if limits else ()),
        _section("Notes", comparison.notes),
    ]
    return visible("\n\n".join(part for part in parts if part))


def render_table(table: Table, counted: str, *, simulated: bool, width: int = WIDTH, gains: bool = False) -> str:
    """Return one table, the best cell of a row in brackets; what does not fit is left out, least needed first."""
    with_std = partial(_cell, table, std=True)
    plain = partial(_cell, table, std=False)
    full, short = _last_column(table, gains)
    for cell, last in ((with_std, full), (plain, full), (plain, short)):
        grid = _grid(table, table.topologies, cell, last, gains)
        if _width(grid) <= width:
            break
    else:
        grid = _grid(table, _shortened(table.topologies, _width(grid) - width), plain, short, gains)
    return "\n".join((*_title(table, counted, simulated, width, gains), *_aligned(grid)))


def _section(title: str, lines: Iterable[str]) -> str:
    body = [
        textwrap.fill(line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
        for line in lines
    ]
    return "\n".join((title, *body)) if body else ""


def _last_column(table: Table, gains: bool) -> tuple[Callable[[Row], str], Callable[[Row], str]]:
    """Return how a row's verdict is told in full, and in short."""
    if gains:
        by_level = {gain.concurrency: gain for gain in table.gains}
        return (
            lambda row: _gain(by_level.get(row.concurrency), full=True),
            lambda row: _gain(by_level.get(row.concurrency), full=False),
        )
    against = table.baseline is not None and len({row.against for row in table.rows}) > 1
    return partial(_full_verdict, against=against), partial(verdict, against=against)


def _gain_word(table: Table) -> str:
    """Return what a difference is called: more of what should be low is no gain."""
    return "gain" if table.metric.better == "higher" else "change"


def _gain(gain: Gain | None, *, full: bool) -> str:
    if gain is None:
        return UNKNOWN
    text = f"{'tie ' if gain.tie else ''}{percent(gain.value)}"
    return f"{text} ({_span(gain.interval)})" if full and gain.interval is not None else text


def _title(table: Table, counted: str, simulated: bool, width: int, gains: bool) -> list[str]:
    metric = table.metric
    mark = "SIMULATED  " if simulated else ""
    title = f"{mark}{metric.title}, {metric.unit}, {metric.better} is better"
    margin = f"margin against {table.baseline or 'the runner-up'}"
    load = f"{table.workload}, {counted}; {f'{_gain_word(table)} of {table.topologies[1]}' if gains else margin}"
    fits = len(title) + len(load) + 4 <= width
    return [f"{title}  ({load})"] if fits else [title, *textwrap.wrap(f"({load})", width)]


def _counted(table: Table) -> str:
    """Return the calculator, and what it took for a token."""
    source = table.token_source
    return table.calculator if source in ("", "none") else f"{table.calculator} by {source}"


def _grid(
    table: Table, names: Sequence[str], cell: Callable[[Row, str], str], last: Callable[[Row], str], gains: bool
) -> list[list[str]]:
    head = ["c", *names, _gain_word(table).capitalize() if gains else "Winner"]
    body = [[str(row.concurrency), *(cell(row, name) for name in table.topologies), last(row)] for row in table.rows]
    return [head, *body]


def _aligned(grid: Sequence[Sequence[str]]) -> list[str]:
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


def _widths(grid: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*grid, strict=True)]


def _width(grid: Sequence[Sequence[str]]) -> int:
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
    if topology == row.winner:
        return f"[{text}]"
    return f"{text}*" if topology in row.barred and row.values.get(topology) is not None else f"{text} "


def _number(table: Table, value: float | None) -> str:
    return milliseconds(value) if table.metric.unit == "ms" else rate(value)


def verdict(row: Row, *, against: bool = False) -> str:
    """Say who wins in a few words: `cluster-tp2 +46 %`, `tie +0.6 %`, or `-`; `against` adds whom it is measured by.

    A margin against a baseline does not show a tie: `tie with cluster-tp2-ray, +45 %`.
    """
    if row.winner is None:
        return UNKNOWN
    if row.margin is None:
        return f"{row.winner} alone"
    by = f" vs {row.against}" if against else ""
    return f"{_tie(row) if row.tie else row.winner} {percent(row.margin)}{by}"


def _full_verdict(row: Row, *, against: bool = False) -> str:
    """Add who leads a tie, and how sure the margin is."""
    text = verdict(row, against=against)
    text = text.replace(_tie(row), f"{_tie(row).removesuffix(',')}, {row.winner}", 1) if row.tie else text
    return text if row.interval is None else f"{text} ({_span(row.interval)})"


def _tie(row: Row) -> str:
    return "tie" if row.tied_with is None else f"tie with {row.tied_with},"


def _span(interval: Iterable[float]) -> str:
    low, high = interval
    return f"{low * 100:+.1f} to {high * 100:+.1f}"
