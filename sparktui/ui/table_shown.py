"""What a screen shows, as rows for a file: the same values, with their units in the columns' names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparktui import __version__
from sparktui.exporting.csv_lines import csv_line
from sparktui.exporting.text import SIMULATED, moment, one_line

if TYPE_CHECKING:
    from sparktui.ui.snapshot import Campaign

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


def csv_chunks(table: TableShown, screen: str, campaign: Campaign | None, t: float) -> Iterator[bytes]:
    """Return the file piece by piece: whose figures they are, then the facts, then the columns and rows.

    Args:
        table: What is shown.
        screen: Where.
        campaign: Whose; None where a screen shows none.
        t: The moment, seconds since the epoch.
    """
    for name, value in (*_origin(screen, campaign, t), *table.facts):
        yield csv_line((f"# {name}", one_line(value)))
    yield csv_line(map(one_line, table.columns))
    for row in table.rows:
        yield csv_line(one_line(value) if isinstance(value, str) else value for value in row)


def _origin(screen: str, campaign: Campaign | None, t: float) -> Iterator[tuple[str, str]]:
    if campaign is not None and campaign.simulated:
        yield "warning", SIMULATED
    yield "screen", f"{screen} of sparktui {__version__}"
    yield "taken", moment(t)
    if campaign is not None:
        yield "campaign", f"{campaign.id} {campaign.name}"
        yield "source", campaign.source
        yield "state", campaign.state
        yield "begun", moment(campaign.created)
