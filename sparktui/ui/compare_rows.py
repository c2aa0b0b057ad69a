"""The winner tables as rows for a file."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.sentences import leader_sentences
from sparktui.compare.winners import Row
from sparktui.store.rows import CampaignRow
from sparktui.ui.table_shown import TableShown, Value
from sparktui.ui.whose import Whose

HEAD = ("metric", "unit", "better", "workload", "concurrency")
VERDICT = ("winner", "margin", "against", "tie", "tied", "margin_95_low", "margin_95_high", "cannot_win")
"""`margin` and its interval are fractions: 0.46 is 46 % more than `against`."""


def compare_rows(comparison: Comparison | None) -> TableShown | None:
    """Return every row of every table, with each topology's mean and standard deviation; None without a table."""
    if comparison is None or not comparison.tables:
        return None
    names = comparison.topologies
    columns = (*HEAD, *(column for name in names for column in (name, f"{name} std")), *VERDICT)
    rows = tuple(_row(table, row, names) for table in comparison.tables for row in table.rows)
    return TableShown(columns, rows, tuple(_facts(comparison)))


def _facts(comparison: Comparison) -> list[tuple[str, str]]:
    facts = [("calculator", comparison.calculator), ("tokens counted by", comparison.token_source)]
    facts += _columns_of(comparison)
    facts += [("differs", difference) for difference in comparison.differences]
    facts += [("crossover", sentence) for table in comparison.tables for sentence in leader_sentences(table)]
    return facts + [("note", note) for note in comparison.notes]


def _columns_of(comparison: Comparison) -> list[tuple[str, str]]:
    """Say of several campaigns which columns are whose, and which of those were simulated."""
    found: dict[CampaignRow, list[str]] = {}
    for column in comparison.columns:
        found.setdefault(column.campaign, []).append(column.name)
    if len(found) < 2:
        return []
    marked = {
        row: f"{one.called}{', SIMULATED' if one.simulated else ''}"
        for row, one in zip(found, Whose.compared(found), strict=True)
    }
    return [(f"columns of {marked[row]}", "; ".join(names)) for row, names in found.items()]


def _row(table: Table, row: Row, names: Sequence[str]) -> tuple[Value, ...]:
    metric = table.metric
    values = (value for name in names for value in (row.values.get(name), row.std.get(name)))
    return (metric.name, metric.unit, metric.better, str(table.workload), row.concurrency, *values, *_verdict(row))


def _verdict(row: Row) -> tuple[Value, ...]:
    low, high = row.interval or (None, None)
    tie = None if row.margin is None else "yes" if row.tie else "no"
    return row.winner, row.margin, row.against, tie, "; ".join(row.tied) or None, low, high, row.why_barred
