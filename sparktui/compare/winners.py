"""Who wins at one level, by how much, and whether that is more than a tie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sparktui.compare.interval import Interval, ratio_interval
from sparktui.measure.figures import Better
from sparktui.measure.statistics import mean, sample_std

TIE_THRESHOLD = 0.01
"""A margin under this is a tie, however narrow its interval: nobody chooses a topology for it."""

MetricName = Literal["decode", "prefill", "ttft"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What topologies are ranked by."""

    name: MetricName
    figure: str
    """Its name in `measure.figures`."""
    title: str
    unit: str
    better: Better


METRICS: Mapping[str, Metric] = {
    "decode": Metric("decode", "decode_tps", "Decode, all streams", "tok/s", "higher"),
    "prefill": Metric("prefill", "prefill_tps", "Prefill, all streams", "tok/s", "higher"),
    "ttft": Metric("ttft", "ttft_ms", "Time to first token", "ms", "lower"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What one topology reached at one level."""

    topology: str
    values: tuple[float, ...] = ()
    """One a wave; empty where only a mean is known."""
    known_mean: float | None = None
    """The mean of a table that does not tell its waves."""
    barred: str | None = None
    """Why it cannot win; its value is shown all the same."""

    @property
    def value(self) -> float | None:
        """The mean."""
        return mean(self.values) if self.values else self.known_mean


@dataclass(frozen=True, slots=True)
class Row:
    """One level's answer."""

    metric: MetricName
    concurrency: int
    values: dict[str, float | None]
    """Means by topology; None for one that has none."""
    winner: str | None = None
    """The best of those that can win; None where there is none. A tie has one too: the best by a hair."""
    margin: float | None = None
    """Winner over `against`, less one: +0.46 is 46 % more. Of a latency it is negative: -0.19 is 19 % less."""
    against: str | None = None
    """The runner-up, or the baseline where one was asked for and can be ranked."""
    tie: bool = False
    """Winner and runner-up cannot be told apart."""
    interval: Interval | None = None
    """Of `margin`, 95 %; None where it is not known wave by wave."""
    decided_by: Literal["interval", "threshold"] | None = None
    """What told winner from tie: the interval of the ratio, or the threshold alone."""
    barred: dict[str, str] = field(default_factory=dict)
    """Who cannot win, and why."""
    std: dict[str, float | None] = field(default_factory=dict)
    """Sample standard deviation over waves, by topology."""


def decide(
    metric: Metric,
    concurrency: int,
    standings: Sequence[Standing],
    *,
    baseline: str | None = None,
    threshold: float = TIE_THRESHOLD,
) -> Row:
    """Find the winner of one level.

    Args:
        metric: What is ranked, and which way is better.
        concurrency: The level.
        standings: One a topology, in the order to show them in; of equals the first wins.
        baseline: The topology to measure the margin against, instead of the runner-up. Whether it is a tie is always
            between winner and runner-up.
        threshold: The margin under which it is a tie.
    """
    known = {s.topology: s.value for s in standings}
    std = {s.topology: sample_std(s.values) for s in standings}
    barred = {s.topology: reason for s in standings if (reason := _cannot_win(s)) is not None}
    ranked = _ranked(metric, [s for s in standings if s.topology not in barred])
    if len(ranked) < 2:
        winner = ranked[0].topology if ranked else None
        return Row(metric.name, concurrency, known, winner, barred=barred, std=std)
    best, runner_up = ranked[0], ranked[1]
    rival = next((s for s in ranked[1:] if s.topology == baseline), runner_up)
    tie, decided_by = _told_apart(best, runner_up, threshold)
    return Row(
        metric=metric.name,
        concurrency=concurrency,
        values=known,
        winner=best.topology,
        margin=_margin(best, rival),
        against=rival.topology,
        tie=tie,
        interval=_margin_interval(best, rival),
        decided_by=decided_by,
        barred=barred,
        std=std,
    )


def _cannot_win(standing: Standing) -> str | None:
    if standing.barred is not None:
        return standing.barred
    value = standing.value
    if value is None:
        return "not measured"
    return None if math.isfinite(value) and value > 0 else f"its value {value} is no figure"


def _ranked(metric: Metric, standings: Sequence[Standing]) -> list[Standing]:
    sign = -1 if metric.better == "higher" else 1
    return sorted(standings, key=lambda standing: sign * _value(standing))


def _told_apart(best: Standing, runner_up: Standing, threshold: float) -> tuple[bool, Literal["interval", "threshold"]]:
    interval = _margin_interval(best, runner_up)
    if abs(_margin(best, runner_up)) < threshold:
        return True, "threshold" if interval is None or not _holds_zero(interval) else "interval"
    if interval is None:
        return False, "threshold"
    return _holds_zero(interval), "interval"


def _margin(best: Standing, other: Standing) -> float:
    return _value(best) / _value(other) - 1


def _margin_interval(best: Standing, other: Standing) -> Interval | None:
    ratio = ratio_interval(best.values, other.values)
    return None if ratio is None else (ratio[0] - 1, ratio[1] - 1)


def _holds_zero(interval: Interval) -> bool:
    return interval[0] <= 0 <= interval[1]


def _value(standing: Standing) -> float:
    value = standing.value
    assert value is not None
    return value
