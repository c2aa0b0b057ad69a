"""One of two topologies against the other, level by level: what changing from the first to the second gains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sparktui.compare.crossover import lead_of
from sparktui.compare.interval import Interval
from sparktui.compare.winners import TIE_THRESHOLD, Metric, Row


@dataclass(frozen=True, slots=True)
class Gain:
    """One level's ratio of two topologies."""

    concurrency: int
    of: str
    over: str
    value: float
    """Mean of `of` over mean of `over`, less one; of a latency a gain is below zero."""
    interval: Interval | None
    """Of `value`, 95 %; None where it is not known wave by wave."""
    tie: bool


def gains(
    metric: Metric, over: str, of: str, rows: Sequence[Row], threshold: float = TIE_THRESHOLD
) -> tuple[Gain, ...]:
    """Return what `of` gains over `over` at every level where both were measured and neither is barred."""
    return tuple(gain for row in rows if (gain := _gain(metric, over, of, row, threshold)) is not None)


def _gain(metric: Metric, over: str, of: str, row: Row, threshold: float) -> Gain | None:
    lead = lead_of(metric, of, over, row)
    new, old = row.values.get(of), row.values.get(over)
    if lead is None or new is None or old is None:
        return None
    middle = lead.ratio.value if metric.better == "higher" else -lead.ratio.value
    half = lead.ratio.half_width()
    interval = (math.expm1(middle - half), math.expm1(middle + half)) if lead.known else None
    return Gain(row.concurrency, of, over, new / old - 1, interval, tie=lead.side(metric, threshold) == 0)
