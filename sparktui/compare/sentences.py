"""Crossovers in words: `cluster-tp2 wins decode up to 56 users (48 to 63), shuffle beyond`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sparktui.compare.comparison import Table
from sparktui.compare.crossover import Crossover


def leader_sentences(table: Table) -> list[str]:
    """Say who leads a metric up to how many users; nothing where there is nobody to compare with or nothing ranked."""
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
    metric = table.metric.name
    contested = [row for row in table.rows if row.margin is not None]
    decided = [row for row in contested if not row.tie]
    winners = {row.winner for row in decided}
    if not contested or len(winners) > 1:
        return []
    if not decided:
        return [f"{metric} is a tie at every level"]
    levels = ", ".join(f"c{row.concurrency}" for row in decided)
    where = "at every level" if len(decided) == len(table.rows) else f"at {levels}, and nobody else at any other level"
    return [f"{decided[0].winner} wins {metric} {where}"]
