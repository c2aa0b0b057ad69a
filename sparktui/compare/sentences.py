"""Crossovers in words: `cluster-tp2 wins decode up to 56 users (48 to 63), shuffle beyond`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sparktui.compare.comparison import Table
from sparktui.compare.crossover import Crossover
from sparktui.compare.levels import spans
from sparktui.compare.verdict import equal
from sparktui.compare.winners import Row
from sparktui.units import percents


def leader_sentences(table: Table) -> list[str]:
    """Say who leads a metric up to how many users; nothing where there is nobody to compare with or nothing ranked."""
    so_far = "so far " if any(row.awaited for row in table.rows) else ""
    return [f"{so_far}{line}" for line in (*_leads(table), *_ties(table))]


def _leads(table: Table) -> list[str]:
    changes = table.crossovers
    if changes and all(before.above == after.below for before, after in pairwise(changes)):
        return [_chain(changes, "wins")]
    return [_chain([change], "wins") for change in changes] or _no_change(table)


def pair_sentences(table: Table) -> list[str]:
    """Say where the order of two topologies flips that does not change the lead."""
    return [_chain([pair], "beats " + pair.above + " in") for pair in table.pairs if pair not in table.crossovers]


def _chain(changes: Sequence[Crossover], verb: str) -> str:
    first, *others = changes
    parts = [f"{first.below} {verb} {first.metric} {_up_to(first)}"]
    parts += [f"{change.below} {_up_to(change)}" for change in others]
    return ", ".join((*parts, f"{changes[-1].above} beyond"))


def _up_to(change: Crossover) -> str:
    users = round(change.concurrency)
    return f"up to {users} user{'' if users == 1 else 's'} ({_between(change)})"


def _between(change: Crossover) -> str:
    low, high = change.between
    if change.interval is None:
        return f"between c{low} and c{high}"
    start, end = change.interval
    if start is not None and end is not None:
        return f"{start:.0f} to {end:.0f}"
    if start is None and end is None:
        return f"it may be anywhere between {low} and {high}"
    return f"{end:.0f} at the most" if start is None else f"{start:.0f} at the least"


def _no_change(table: Table) -> list[str]:
    decided = [row for row in table.rows if row.margin is not None and not row.tie]
    winners = {row.winner for row in decided}
    if len(winners) != 1:
        return []
    where = "every level" if len(decided) == len(table.rows) else _where(table, decided)
    return [f"{decided[0].winner} wins {table.metric.name} at {where}"]


def _ties(table: Table) -> list[str]:
    """Say who ties, at levels between which the lead does not change hands: a crossover's own say it already."""
    crossed = [change.between for change in table.crossovers]
    ties: dict[tuple[str, ...], list[Row]] = {}
    for row in table.rows:
        if row.tie and not any(low <= row.concurrency <= high for low, high in crossed):
            ties.setdefault(row.tied, []).append(row)
    return [_tie(table, names, rows) for names, rows in ties.items()]


def _tie(table: Table, names: Sequence[str], rows: Sequence[Row]) -> str:
    every = len(rows) == len(table.rows)
    rivals = dict.fromkeys(row.lead_over for row in rows if row.lead_over is not None)
    leads = [lead for row in rows for lead in row.leads]
    ahead = f", {percents(leads)} vs {' or '.join(rivals)}" if all(row.lead_over for row in rows) else ""
    return f"{table.metric.name} is a tie at {'every level' if every else _where(table, rows)}: {equal(names)}{ahead}"


def _where(table: Table, rows: Sequence[Row]) -> str:
    return spans([row.concurrency for row in rows], [row.concurrency for row in table.rows])
