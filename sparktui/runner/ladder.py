"""Which levels to measure when only the crossovers are wanted: a coarse ladder first, then where the lead changes.

A level says something about the order only of topologies that were measured at it, and only one topology is up at a
time. So the levels between are halved only among those that the rivals have; new levels near a crossover are chosen for
both topologies at once, from where their curves are expected to meet.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sparktui.compare.winners import METRICS, Metric
from sparktui.measure.statistics import mean
from sparktui.runner.adaptive import CONFIDENCE, Samples, is_plain

Curve = Mapping[int, Samples]
"""What one topology has measured, by level."""

MEASURED = tuple(metric for metric in METRICS.values() if metric.measured)
NEAR = 1.2
"""New levels lie this factor below and above where a crossover is expected."""
FINE = 1.5
"""Neighbouring levels no further apart than this factor locate a crossover well enough."""
STEPS = 200
"""In the search for where two curves meet."""
_MINE = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The lead in one metric passes from one topology to another between two neighbouring levels."""

    metric: Metric
    below: str
    above: str
    low: int
    high: int


def coarse(levels: Sequence[int]) -> tuple[int, ...]:
    """Return the first level, the middle one and the last."""
    return tuple(dict.fromkeys((levels[0], levels[len(levels) // 2], levels[-1])))


def halving(mine: Curve, rivals: Mapping[str, Curve]) -> int | None:
    """Return a level in the middle of where this topology gains or loses the lead, of those the rival there has."""
    both = sorted({level for curve in rivals.values() for level in curve} & mine.keys())
    for metric in MEASURED:
        for low, high in pairwise(both):
            leaders = {_leader(metric, {_MINE: mine, **rivals}, level) for level in (low, high)}
            rival = rivals.get(next((name for name in leaders if name), ""), {})
            between = [level for level in sorted(rival) if low < level < high]
            if _MINE in leaders and between:
                return between[len(between) // 2]
    return None


def changes(curves: Mapping[str, Curve]) -> Iterator[Change]:
    """Yield where the lead changes between levels, of those that at least two topologies were measured at."""
    levels = sorted({level for curve in curves.values() for level in curve})
    for metric in MEASURED:
        leaders = [(level, leader) for level in levels if (leader := _leader(metric, curves, level)) is not None]
        for (low, below), (high, above) in pairwise(leaders):
            if below != above:
                yield Change(metric, below, above, low, high)


def near_crossover(change: Change, curves: Mapping[str, Curve]) -> tuple[int, ...]:
    """Return new levels around where two curves should meet; none where the levels lie close enough already."""
    if change.high <= change.low * FINE:
        return ()
    expected = _meeting(change, curves[change.below], curves[change.above])
    wanted = {_round(expected / NEAR), _round(expected * NEAR)}
    return tuple(sorted(level for level in wanted if change.low < level < change.high))


def value(metric: Metric, curve: Curve, level: int) -> float | None:
    """Return a figure's mean at a level; None where it was not measured."""
    return mean(curve[level].get(metric.figure, ())) if level in curve else None


def _leader(metric: Metric, curves: Mapping[str, Curve], level: int) -> str | None:
    """Return who leads at a level; None where fewer than two were measured or the first two are too close to tell."""
    found = {name: v for name, curve in curves.items() if (v := value(metric, curve, level)) is not None}
    if len(found) < 2:
        return None
    first, second = sorted(found, key=found.__getitem__, reverse=metric.better == "higher")[:2]
    best, next_best = (curves[name][level][metric.figure] for name in (first, second))
    return first if is_plain(best, next_best, CONFIDENCE) else None


def _meeting(change: Change, below: Curve, above: Curve) -> float:
    """Return the concurrency between two levels at which two curves are expected to meet."""
    low, high = math.log2(change.low), math.log2(change.high)
    before = None
    for step in range(STEPS + 1):
        x = low + (high - low) * step / STEPS
        ahead = _expected(change.metric, below, x) - _expected(change.metric, above, x)
        if before is not None and before * ahead <= 0:
            return float(2**x)
        before = ahead
    return float(2 ** ((low + high) / 2))


def _expected(metric: Metric, curve: Curve, x: float) -> float:
    """Return a figure's logarithm at log2 of a concurrency, by the parabola through the three nearest levels."""
    known = [(math.log2(level), math.log(v)) for level in curve if (v := value(metric, curve, level))]
    nearest = sorted(known, key=lambda point: abs(point[0] - x))[:3]
    return math.fsum(y * _weight(x, x0, [other for other, _ in nearest]) for x0, y in nearest)


def _weight(x: float, at: float, points: Collection[float]) -> float:
    return math.prod((x - other) / (at - other) for other in points if other != at)


def _round(level: float) -> int:
    """Round to a number somebody would choose: whole under 16, then to an eighth of the power of two below."""
    step = 1 << max(0, int(math.log2(max(level, 1))) - 3)
    return max(1, round(level / step) * step)
