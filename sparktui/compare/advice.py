"""Which topology to serve with, by use case: read off the winner tables, and left open where they do not decide."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.levels import spans
from sparktui.compare.more_waves import more_waves
from sparktui.compare.reasons import beside, decided_winner, undecided, who_else, won
from sparktui.compare.winners import MetricName, Row
from sparktui.compare.workload import Workload

DEFAULT = "default"


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
    awaited: tuple[str, ...] = ()
    """Who is still to be measured at these levels, and may change the answer."""
    waves: int | None = None
    """Of a tie, how many waves a level would probably decide it; None where that is not known."""


def advise(comparison: Comparison) -> tuple[Advice, ...]:
    """Return every use case's answer and the default, for each workload; nothing where fewer than two are compared.

    A use case whose levels are won by different topologies has an answer for each run of levels. A tie decides nothing,
    and contradicts nobody who is among those that tie.
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
    rows = () if table is None else table.rows
    return [row for row in rows if case.low <= row.concurrency <= case.high and any(row.values.values())]


def _runs(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Split levels where the answer changes.

    A tie goes with the winner before it or after it that is among those that tie; where both are, it is for neither.
    """
    answers: list[tuple[str, ...]] = []
    known: str | None = None
    for at, row in enumerate(rows):
        following = next((winner for later in rows[at:] if (winner := decided_winner(later)) is not None), None)
        joined = {name for name in (known, following) if name is not None and name in row.tied}
        known = decided_winner(row) or (joined.pop() if len(joined) == 1 else None)
        answers.append((known,) if known is not None else ("undecided",))
    for _, run in groupby(zip(answers, rows, strict=True), key=lambda pair: pair[0]):
        yield [row for _, row in run]


def _answer(case: UseCase, rows: Sequence[Row], tables: Mapping[MetricName, Table]) -> Advice:
    decided = [row for row in rows if decided_winner(row) is not None]
    topology = decided_winner(decided[0]) if decided else None
    table = tables[case.metric]
    ranked = [row for row in decided or rows if row.margin is not None]
    return Advice(
        case.name,
        case.metric,
        table.workload,
        levels=tuple(row.concurrency for row in rows),
        topology=topology,
        reason="; ".join(_reasons(case, topology, rows, tables)),
        means_only=bool(ranked) and all(row.interval is None for row in ranked),
        awaited=_awaited(rows),
        waves=more_waves(rows) if topology is None else None,
    )


def _reasons(
    case: UseCase, topology: str | None, rows: Sequence[Row], tables: Mapping[MetricName, Table]
) -> Iterator[str]:
    table, other = tables[case.metric], None if case.also is None else tables.get(case.also)
    levels = [row.concurrency for row in rows]
    yield from (undecided(table, rows),) if topology is None else won(table, topology, rows)
    if other is not None:
        yield from who_else(other, levels) if topology is None else beside(other, topology, levels)


def _awaited(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row.awaited))


def _default(table: Table) -> Advice:
    """Name the topology that wins decode, or ties for it, at more levels than any other; of equals who wins at more."""
    rows = [row for row in table.rows if row.margin is not None]
    held = {name: [row for row in rows if name in row.best] for name in table.topologies}
    wins = Counter(decided_winner(row) for row in rows)
    ranks = {name: (len(found), wins[name]) for name, found in held.items()}
    best = [name for name in table.topologies if ranks[name] == max(ranks.values())]
    topology = best[0] if len(best) == 1 and held[best[0]] else None
    reason = _no_default(table, best, held) if topology is None else "; ".join(_holds(table, topology, held))
    levels = tuple(row.concurrency for row in table.rows)
    return Advice(DEFAULT, "decode", table.workload, levels, topology, reason, awaited=_awaited(table.rows))


def _holds(table: Table, topology: str, held: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    levels = [row.concurrency for row in table.rows]
    mine = held[topology]
    verb = "wins decode, or ties for it," if any(row.tie for row in mine) else "wins decode"
    yield f"{verb} at {len(mine)} of {len(levels)} levels ({spans([row.concurrency for row in mine], levels)})"
    for other, rows in held.items():
        won_there = [row.concurrency for row in rows if not row.tie]
        if other != topology and won_there:
            yield f"{other} wins at {spans(won_there, levels)}"


def _no_default(table: Table, best: Sequence[str], held: Mapping[str, Sequence[Row]]) -> str:
    most = len(held[best[0]])
    if not most:
        return "not decided: nobody has won decode at any level"
    return f"not decided: {' and '.join(best)} win decode, or tie for it, at {most} of {len(table.rows)} levels each"
