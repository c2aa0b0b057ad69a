"""Who wins at one level, by how much, and whether that is more than a tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Literal

from sparktui.compare.drift import drift
from sparktui.compare.interval import Estimate, Interval, estimate, ratio_interval
from sparktui.measure.figures import Better
from sparktui.measure.statistics import mean, sample_std

TIE_THRESHOLD = 0.01
"""A margin under this is a tie, however narrow its interval: nobody chooses a topology for it."""
LEAST, MOST = 1e-100, 1e100
"""Figures are between these: the ratio of any two, and its inverse, is then a number too."""

MetricName = Literal["decode", "prefill", "ttft", "output", "energy", "stream", "itl", "e2e"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What topologies are ranked by."""

    name: MetricName
    figure: str
    """Its name in `measure.figures`."""
    title: str
    unit: str
    better: Better
    measured: bool = True
    """Whether every measurement gives it; else imported ones may, or nodes whose energy is known."""


METRICS: Mapping[str, Metric] = {
    "decode": Metric("decode", "decode_tps", "Decode, all streams", "tok/s", "higher"),
    "prefill": Metric("prefill", "prefill_tps", "Prefill, all streams", "tok/s", "higher"),
    "ttft": Metric("ttft", "ttft_ms", "Time to first token", "ms", "lower"),
    "output": Metric("output", "output_tps", "Output, ramp and drain included", "tok/s", "higher", measured=False),
    "energy": Metric("energy", "tokens_per_joule", "Energy, GPUs only", "tok/J", "higher", measured=False),
}

FURTHER: tuple[Metric, ...] = (
    Metric("stream", "decode_tps_stream", "Decode, each stream", "tok/s", "higher"),
    Metric("itl", "itl_p50_ms", "Between token events, median", "ms", "lower"),
    Metric("e2e", "e2e_ms", "Send to last token", "ms", "lower"),
)
"""What can be looked at beside the tables: figures that follow from those that are ranked there."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one topology reached at one level."""

    topology: str
    values: tuple[float, ...] = ()
    """One a wave, in their order; empty where only a mean is known."""
    known_mean: float | None = None
    """The figure, where it is not the mean of `values`: of a table that does not tell its waves, or over requests."""
    barred: str | None = None
    """Why it cannot win; its value is shown all the same."""
    awaited: bool = False
    """Whether it cannot win because it has not been measured to its end yet."""

    @property
    def value(self) -> float | None:
        """The mean."""
        return mean(self.values) if self.known_mean is None else self.known_mean


@dataclass(frozen=True, slots=True)
class Row:
    """One level's answer."""

    metric: MetricName
    concurrency: int
    values: dict[str, float | None]
    """Means by topology; None for one that has none."""
    winner: str | None = None
    """The best of those that can win; None where fewer than two can. A tie has one too: the best by a hair."""
    margin: float | None = None
    """Winner over `against`, less one: +0.46 is 46 % more. Of a latency it is negative: -0.19 is 19 % less."""
    against: str | None = None
    """The runner-up, or the first baseline that is not the winner and can be ranked."""
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
    estimates: dict[str, Estimate | None] = field(default_factory=dict)
    """How well each mean is known; None where it is not known wave by wave."""
    drift: dict[str, float] = field(default_factory=dict)
    """Who changed between the first half of its waves and the second, and by how much; who did not is left out."""

    tied: tuple[str, ...] = ()
    """Of a tie, the winner and those next to it who cannot be told from it, in the order of `values`."""
    in_doubt: tuple[str, ...] = ()
    """Who cannot be told from the winner either, though behind somebody who can, so badly is it known."""
    only: str | None = None
    """The one that can be ranked, where nobody else can: it has won against nobody."""
    awaited: tuple[str, ...] = ()
    """Who has not been measured to its end yet: until then the answer is one so far."""
    lead_over: str | None = None
    """Of a tie, the best that all of them are ahead of, or the baseline where they are; None where there is nobody."""

    @property
    def leads(self) -> tuple[float, ...]:
        """By how much each of those that tie is ahead of `lead_over`; nothing where there is nobody."""
        behind = None if self.lead_over is None else self.values[self.lead_over]
        values = [self.values[name] for name in self.tied]
        return tuple(value / behind - 1 for value in values if value is not None) if behind else ()

    @property
    def why_barred(self) -> str | None:
        """Who cannot win, and why, in one text; None where everybody can."""
        return "; ".join(f"{name}: {why}" for name, why in self.barred.items()) or None

    @property
    def best(self) -> tuple[str, ...]:
        """Who is to be marked as the best: the winner, or all that tie."""
        return self.tied or (() if self.winner is None else (self.winner,))


def decide(
    metric: Metric,
    concurrency: int,
    standings: Sequence[Standing],
    *,
    baselines: Sequence[str] = (),
    threshold: float = TIE_THRESHOLD,
    rank: bool = True,
) -> Row:
    """Find the winner of one level.

    Args:
        metric: What is ranked, and which way is better.
        concurrency: The level.
        standings: One a topology, in the order to show them in; of equals the first wins.
        baselines: The topologies to measure the margin against, instead of the runner-up: the first that is not the
            winner and can be ranked. Whether it is a tie is always between winner and runner-up.
        threshold: The margin under which it is a tie.
        rank: Whether there is to be a winner at all.
    """
    row = _unranked(metric, concurrency, standings)
    able = [s for s in standings if s.topology not in row.barred] if rank else []
    ranked = _ranked(metric, able)
    if len(ranked) < 2:
        return replace(row, only=ranked[0].topology if ranked else None)
    best, runner_up = ranked[0], ranked[1]
    rival = _rival(ranked, baselines)
    tie, decided_by = _told_apart(_margin(best, runner_up), _margin_interval(row, best, runner_up), threshold)
    alike = [other for other in ranked[1:] if _ties(row, best, other, threshold)]
    tied = [best, *takewhile(alike.__contains__, ranked[1:])] if tie else []
    behind = _behind(ranked, tied, rival)
    return replace(
        row,
        winner=best.topology,
        margin=_margin(best, rival),
        against=rival.topology,
        tie=tie,
        interval=_margin_interval(row, best, rival),
        decided_by=decided_by,
        tied=_names(row, tied),
        in_doubt=_names(row, [other for other in alike if other not in tied]),
        lead_over=None if behind is None else behind.topology,
    )


def _unranked(metric: Metric, concurrency: int, standings: Sequence[Standing]) -> Row:
    drifts = {s.topology: drift(s.values) for s in standings}
    return Row(
        metric=metric.name,
        concurrency=concurrency,
        values={s.topology: s.value for s in standings},
        barred={s.topology: reason for s in standings if (reason := _cannot_win(s)) is not None},
        std={s.topology: sample_std(s.values) for s in standings},
        estimates={s.topology: estimate(s.values) for s in standings},
        awaited=tuple(s.topology for s in standings if s.awaited),
        drift={topology: change for topology, change in drifts.items() if change is not None},
    )


def _rival(ranked: Sequence[Standing], baselines: Sequence[str]) -> Standing:
    others = {standing.topology: standing for standing in ranked[1:]}
    return next((others[name] for name in baselines if name in others), ranked[1])


def _cannot_win(standing: Standing) -> str | None:
    if standing.barred is not None:
        return standing.barred
    value = standing.value
    if value is None:
        return "not measured"
    return None if LEAST < value < MOST else f"its value {value} is no figure"


def _ranked(metric: Metric, standings: Sequence[Standing]) -> list[Standing]:
    sign = -1 if metric.better == "higher" else 1
    return sorted(standings, key=lambda standing: sign * _value(standing))


def _told_apart(
    margin: float, interval: Interval | None, threshold: float
) -> tuple[bool, Literal["interval", "threshold"]]:
    """Return whether it is a tie, and what decided."""
    if interval is not None and _holds_zero(interval):
        return True, "interval"
    tie = abs(margin) < threshold
    return tie, "threshold" if tie or interval is None else "interval"


def _ties(row: Row, best: Standing, other: Standing, threshold: float) -> bool:
    tie, _ = _told_apart(_margin(best, other), _margin_interval(row, best, other), threshold)
    return tie


def _names(row: Row, standings: Sequence[Standing]) -> tuple[str, ...]:
    """Return their names in the order of the row."""
    found = {one.topology for one in standings}
    return tuple(name for name in row.values if name in found)


def _behind(ranked: Sequence[Standing], tied: Sequence[Standing], rival: Standing) -> Standing | None:
    """Return whom a tie leads: the rival where it is behind all of them, or else the next."""
    after = ranked[len(tied) :] if tied else []
    return rival if rival in after else next(iter(after), None)


def _margin(best: Standing, other: Standing) -> float:
    return _value(best) / _value(other) - 1


def _margin_interval(row: Row, best: Standing, other: Standing) -> Interval | None:
    ratio = ratio_interval(row.estimates[best.topology], row.estimates[other.topology])
    return None if ratio is None else (ratio[0] - 1, ratio[1] - 1)


def _holds_zero(interval: Interval) -> bool:
    return interval[0] <= 0 <= interval[1]


def _value(standing: Standing) -> float:
    value = standing.value
    assert value is not None
    return value
