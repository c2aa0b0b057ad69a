"""Which topology to serve with, by use case: read off the winner tables, and left open where they do not decide."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sparktui.compare.cells import Workload
from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.levels import spans
from sparktui.compare.verdict import equal
from sparktui.compare.winners import MetricName, Row
from sparktui.units import milliseconds, percents, rate

DEFAULT = "default"
_NAMES = {"ttft": "TTFT"}


@dataclass(frozen=True, slots=True)
class UseCase:
    """Somebody's load, and the figure that decides for it."""

    name: str
    metric: MetricName
    low: int
    high: float
    also: MetricName | None = None
    """What is told beside it, and decides nothing."""


USE_CASES = (
    UseCase("single user", "decode", 1, 1, "ttft"),
    UseCase("a few users", "decode", 2, 7, "ttft"),
    UseCase("moderate concurrency", "decode", 8, 32, "ttft"),
    UseCase("many users, maximum throughput", "decode", 33, math.inf, "prefill"),
    UseCase("prefill-heavy", "prefill", 4, math.inf, "ttft"),
    UseCase("latency-sensitive at scale", "ttft", 8, math.inf, "decode"),
    UseCase("best energy", "energy", 1, math.inf),
)


@dataclass(frozen=True, slots=True)
class Advice:
    """One use case's answer."""

    use_case: str
    metric: MetricName
    workload: Workload
    levels: tuple[int, ...]
    """The measured levels it rests on, ties among them included."""
    topology: str | None
    """None where the tables do not decide."""
    reason: str
    means_only: bool = False
    """No wave is known of the cells it rests on, so nothing says how sure the margins are."""


def advise(comparison: Comparison) -> tuple[Advice, ...]:
    """Return every use case's answer and the default, for each workload; nothing where fewer than two are compared.

    A use case whose levels are won by different topologies has an answer for each run of levels. A tie decides nothing
    and contradicts nothing.
    """
    if not comparison.ranked or len(comparison.topologies) < 2:
        return ()
    workloads = dict.fromkeys(table.workload for table in comparison.tables)
    return tuple(
        advice
        for workload in workloads
        for advice in _of_workload({t.metric.name: t for t in comparison.tables if t.workload == workload})
    )


def _of_workload(tables: Mapping[MetricName, Table]) -> Iterator[Advice]:
    for case in USE_CASES:
        rows = _band(tables.get(case.metric), case)
        for run in _runs(rows):
            yield _answer(case, run, tables)
    if "decode" in tables:
        yield _default(tables["decode"])


def _band(table: Table | None, case: UseCase) -> list[Row]:
    return [] if table is None else [row for row in table.rows if case.low <= row.concurrency <= case.high]


def _runs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Split levels where the winner changes; undecided ones go with those before, the first ones with those after."""
    winners = [_winner(row) for row in rows]
    known = next((winner for winner in winners if winner is not None), None)
    carried = []
    for winner in winners:
        known = winner or known
        carried.append(known)
    for _, run in groupby(zip(carried, rows, strict=True), key=lambda pair: pair[0]):
        yield [row for _, row in run]


def _winner(row: Row) -> str | None:
    return None if row.tie or row.margin is None else row.winner


def _answer(case: UseCase, rows: Sequence[Row], tables: Mapping[MetricName, Table]) -> Advice:
    decided = [row for row in rows if _winner(row) is not None]
    topology = _winner(decided[0]) if decided else None
    table = tables[case.metric]
    levels = tuple(row.concurrency for row in rows)
    reason = not_decided(rows) if topology is None else "; ".join(_reasons(case, topology, rows, decided, tables))
    ranked = [row for row in decided or rows if row.margin is not None]
    means_only = bool(ranked) and all(row.interval is None for row in ranked)
    return Advice(case.name, case.metric, table.workload, levels, topology, reason, means_only)


def not_decided(rows: Sequence[Row]) -> str:
    """Say why levels without a decided winner have none."""
    ties = [row for row in rows if row.tie]
    if not ties:
        able = {row.concurrency: row.only for row in rows if row.only} or {row.concurrency: "none" for row in rows}
        where = spans(able, [row.concurrency for row in rows])
        return f"nothing to compare: able to win at {where}: {', '.join(dict.fromkeys(able.values()))}"
    return f"not decided: a tie ({', '.join(map(_tied, ties))})"


def _tied(row: Row) -> str:
    return f"{equal(row.tied)} at c{row.concurrency}"


def _reasons(
    case: UseCase, topology: str, rows: Sequence[Row], decided: Sequence[Row], tables: Mapping[MetricName, Table]
) -> Iterator[str]:
    rivals = " or ".join(dict.fromkeys(row.against for row in decided if row.against))
    margins = percents([row.margin for row in decided if row.margin is not None])
    values = _values(tables[case.metric], topology, decided)
    yield f"{margins} {_NAMES.get(case.metric, case.metric)} over {rivals}, {values}"
    if undecided := [row for row in rows if row not in decided]:
        yield f"undecided at {', '.join(f'c{row.concurrency}' for row in undecided)}"
    if case.also is not None and (beside := tables.get(case.also)) is not None:
        levels = {row.concurrency for row in decided}
        if text := _beside(beside, topology, [row for row in beside.rows if row.concurrency in levels]):
            yield text


def _beside(table: Table, topology: str, rows: Sequence[Row]) -> str:
    """Tell a figure that does not decide: its values, and how far ahead or behind they are."""
    values = _values(table, topology, rows)
    if not values:
        return ""
    name = _NAMES.get(table.metric.name, table.metric.name)
    best = dict.fromkeys(winner for row in rows if (winner := _winner(row)) is not None)
    if list(best) == [topology]:
        margins = percents([row.margin for row in rows if _winner(row) and row.margin is not None])
        return f"{name} {values}, best by {margins}"
    others = [other for other in best if other != topology]
    return f"{name} {values}" + (f", better with {' or '.join(others)}" if others else "")


def _default(table: Table) -> Advice:
    """Name the topology that wins decode at more levels than any other."""
    decided = [row for row in table.rows if _winner(row) is not None]
    counts = Counter(_winner(row) for row in decided).most_common()
    levels = tuple(row.concurrency for row in table.rows)
    if not counts or (len(counts) > 1 and counts[0][1] == counts[1][1]):
        reason = "not decided: no topology wins decode at more levels than every other"
        return Advice(DEFAULT, "decode", table.workload, levels, None, reason)
    best, won = counts[0]
    parts = [f"wins decode at {won} of {len(levels)} levels ({spans(_levels(decided, best), levels)})"]
    parts += [f"{other} wins at {spans(_levels(decided, other), levels)}" for other, _ in counts[1:]]
    return Advice(DEFAULT, "decode", table.workload, levels, best, "; ".join(parts))


def _levels(rows: Iterable[Row], winner: str | None) -> list[int]:
    return [row.concurrency for row in rows if _winner(row) == winner]


def _values(table: Table, topology: str, rows: Sequence[Row]) -> str:
    values = [value for row in rows if (value := row.values.get(topology)) is not None]
    if not values:
        return ""
    show = milliseconds if table.metric.unit == "ms" else rate
    low, high = show(min(values)), show(max(values))
    return f"{low if low == high else f'{low} to {high}'} {table.metric.unit}"
