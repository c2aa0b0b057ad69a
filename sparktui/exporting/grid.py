"""A winner table as cells of text, for Markdown and HTML alike."""

from __future__ import annotations

from dataclasses import dataclass

from sparktui.compare.advice import Advice, advise
from sparktui.compare.answers import advice_reason
from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.levels import span
from sparktui.compare.verdict import verdict
from sparktui.compare.winners import Row
from sparktui.exporting.interval import mean_interval
from sparktui.units import UNKNOWN, milliseconds, rate


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table."""

    text: str
    best: bool = False
    """Or one of those that tie for it."""
    topology: str | None = None
    note: str = ""
    """Why it cannot win, or how sure it is."""
    barred: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table's heads and rows; first the concurrency, then each topology; after several of them, who wins."""

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def grid(table: Table) -> Grid:
    """Return a winner table; with a column for the margin's interval where one is known."""
    sure = any(row.interval is not None for row in table.rows)
    last = (*((table.verdict_title,) if table.contested else ()), *(("95 % interval",) if sure else ()))
    head = ("Concurrency", *table.topologies, *last)
    return Grid(head, tuple(_row(table, row, sure) for row in table.rows))


def number(table: Table, value: float | None) -> str:
    """Format a figure of a table's metric."""
    return milliseconds(value) if table.metric.unit == "ms" else rate(value)


def title(table: Table) -> str:
    """Say what a table shows: `Decode, all streams`."""
    return table.metric.title


def subtitle(table: Table, comparison: Comparison) -> str:
    """Say in what unit, which way is better, under which load, by which calculator."""
    metric = table.metric
    against = "" if not table.contested else f"; margins against {table.baseline or 'the runner-up'}"
    return f"{metric.unit}, {metric.better} is better; {table.workload}; calculator {comparison.calculator}{against}"


def advice_rows(comparison: Comparison) -> tuple[tuple[str, str, str], ...]:
    """Return use case, topology and reason; nothing where fewer than two topologies are compared."""
    found = advise(comparison)
    several = len({advice.workload for advice in found}) > 1
    return tuple(
        (_use_case(advice, several), advice.topology or "undecided", advice_reason(advice)) for advice in found
    )


def _use_case(advice: Advice, several: bool) -> str:
    text = f"{advice.use_case} ({span(advice.levels)})"
    return f"{text}, {advice.workload}" if several else text


def _row(table: Table, row: Row, sure: bool) -> tuple[Cell, ...]:
    interval = (Cell(_span(row)),) if sure else ()
    values = (_value(table, row, name) for name in table.topologies)
    return (Cell(f"c{row.concurrency}"), *values, *_winner(table, row), *interval)


def _winner(table: Table, row: Row) -> tuple[Cell, ...]:
    """Return who wins, in the winner's colour where there is one that cannot change any more."""
    said = verdict(row, named=table.names_rival(row))
    return (Cell(said, topology=None if row.tie or row.awaited else row.winner),) if table.contested else ()


def _value(table: Table, row: Row, topology: str) -> Cell:
    value, barred = row.values.get(topology), row.barred.get(topology)
    note = f"cannot win: {barred}" if barred else _sure(table, row, topology)
    return Cell(
        number(table, value),
        topology in row.best,
        topology,
        note,
        barred is not None and value is not None,
    )


def _sure(table: Table, row: Row, topology: str) -> str:
    interval = mean_interval(row.estimates.get(topology))
    if interval is None:
        return ""
    low, high = interval
    return f"95 % interval of the mean: {number(table, low)} to {number(table, high)}"


def _span(row: Row) -> str:
    if row.interval is None:
        return UNKNOWN
    low, high = row.interval
    return f"{low * 100:+.1f} to {high * 100:+.1f} %"
