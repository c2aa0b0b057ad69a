"""What a screen shows, as rows for a file: the same values, with their units in the columns' names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sparktui import __version__
from sparktui.exporting.csv_lines import csv_line
from sparktui.exporting.text import SIMULATED, moment, one_line
from sparktui.ui.whose import Whose

Value = str | int | float | None
"""None is not known: an empty field, never a zero."""


@dataclass(frozen=True, slots=True)
class TableShown:
    """One table; a screen that shows several puts a column in front that tells them apart."""

    columns: tuple[str, ...]
    """Names with units where the value has one: `left_gib`, `ttft_ms`."""
    rows: tuple[tuple[Value, ...], ...]
    """A value for every column."""
    facts: tuple[tuple[str, str], ...] = ()
    """What holds for all rows: the calculator, what margins are against, the window shown."""


def csv_chunks(table: TableShown, screen: str, whose: Sequence[Whose], t: float) -> Iterator[bytes]:
    """Return the file piece by piece: whose figures they are, then the facts, then the columns and rows.

    Args:
        table: What is shown.
        screen: Where.
        whose: The campaigns; none where a screen shows none.
        t: The moment, seconds since the epoch.
    """
    for name, value in (*_origin(screen, whose, t), *table.facts):
        yield csv_line((f"# {name}", one_line(value)))
    yield csv_line(map(one_line, table.columns))
    for row in table.rows:
        yield csv_line(one_line(value) if isinstance(value, str) else value for value in row)


def _origin(screen: str, whose: Sequence[Whose], t: float) -> Iterator[tuple[str, str]]:
    yield from _warning(whose)
    yield "screen", f"{screen} of sparktui {__version__}"
    yield "taken", moment(t)
    for one in whose:
        yield "campaign", one.name if one.number is None else f"{one.number} {one.name}"
        yield "source", one.source
        yield "state", one.state
        yield "begun", moment(one.created)


def _warning(whose: Sequence[Whose]) -> Iterator[tuple[str, str]]:
    """Say that it was simulated, and where other campaigns stand beside it, of which ones that is said."""
    simulated = [one.called for one in whose if one.simulated]
    if len(simulated) == len(whose) > 0:
        yield "warning", SIMULATED
    elif simulated:
        yield "warning", f"{SIMULATED}: {', '.join(simulated)}"
