"""What the History screen lists, as rows for a file."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.compare.verdict import SO_FAR, equal
from sparktui.exporting.text import moment
from sparktui.ui.history_view import HistoryRow, LevelWinner
from sparktui.ui.table_shown import TableShown, Value
from sparktui.units import UNKNOWN

COLUMNS = (
    *("campaign", "begun", "profile", "source", "state"),
    *("topologies_done", "topologies", "fastest_decode", "detail"),
)


def history_rows(rows: Sequence[HistoryRow], filtered_by: str) -> TableShown | None:
    """Return the list; None while there is none."""
    facts = (("filter", filtered_by),) if filtered_by else ()
    return TableShown(COLUMNS, tuple(map(_row, rows)), facts) if rows else None


def _winner(found: LevelWinner) -> str:
    named = equal(found.tied) or found.winner
    only = UNKNOWN if found.only is None else f"only {found.only}"
    return f"c{found.concurrency} {named or only}{SO_FAR if found.so_far and named else ''}"


def _row(row: HistoryRow) -> tuple[Value, ...]:
    winners = None
    if row.winners is not None:
        winners = "; ".join(map(_winner, row.winners))
    source = "SIMULATED" if row.source == "simulated" else row.source
    begun = row.date if row.created is None else moment(row.created)
    return row.key, begun, row.name, source, row.state, row.done, len(row.topologies), winners, row.detail or None
