"""What the History screen lists, as rows for a file."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.compare.verdict import equal
from sparktui.exporting.text import moment
from sparktui.ui.history_view import HistoryRow
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


def _row(row: HistoryRow) -> tuple[Value, ...]:
    winners = None
    if row.winners is not None:
        winners = "; ".join(f"c{w.concurrency} {equal(w.tied) or w.winner or UNKNOWN}" for w in row.winners)
    begun = row.date if row.created is None else moment(row.created)
    return row.key, begun, row.name, row.source, row.state, row.done, len(row.topologies), winners, row.detail or None
