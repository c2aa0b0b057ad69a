"""From how many users on the order of two topologies is the other one, and how sure is that.

Between two levels the logarithm of the ratio of two topologies is taken to be straight over log2 of the concurrency.
The interval of a crossover is where that line cannot be told from zero: where its 95 % confidence interval holds zero
(Fieller's argument, as in inverse regression). It needs no simulation and may reach over several levels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median

from sparktui.compare.interval import LogRatio, log_ratio
from sparktui.compare.winners import TIE_THRESHOLD, Metric, MetricName, Row

STEPS = 64
"""Between two levels, in the search for the interval's ends."""
BISECTIONS = 30


@dataclass(frozen=True, slots=True)
class Crossover:
    """One flip of the order of two topologies."""

    metric: MetricName
    below: str
    """The better one at fewer users."""
    above: str
    """The better one at more."""
    concurrency: float
    """Where they are equal, as a point estimate."""
    between: tuple[int, int]
    """The nearest levels on both sides at which the order is decided."""
    interval: tuple[float | None, float | None] | None = None
    """Of `concurrency`, 95 %; an end is None where it lies beyond `between`. None where only means are known."""


@dataclass(frozen=True, slots=True)
class Lead:
    """How far one topology is ahead of another at one level."""

    concurrency: int
    ratio: LogRatio
    """Below zero where it is behind, whichever way the metric is better."""
    known: bool
    """Whether both are known wave by wave."""

    def side(self, metric: Metric, threshold: float) -> int:
        """Return 1 where it is ahead, -1 where it is behind, 0 where it is a tie by the rule of the winners."""
        size = abs(self.ratio.value)
        margin = math.expm1(size) if metric.better == "higher" else -math.expm1(-size)
        if margin < threshold or (self.known and size <= self.ratio.half_width()):
            return 0
        return 1 if self.ratio.value > 0 else -1


def crossovers(
    metric: Metric, first: str, second: str, rows: Sequence[Row], threshold: float = TIE_THRESHOLD
) -> tuple[Crossover, ...]:
    """Return every flip of the order of two topologies, by rising level.

    A flip lies between two levels at which their order is decided, with nothing but ties between. Levels that only one
    of them was measured at, or where one cannot win, are left out.
    """
    leads = [lead for row in rows if (lead := lead_of(metric, first, second, row)) is not None]
    decided = [(index, side) for index, lead in enumerate(leads) if (side := lead.side(metric, threshold)) != 0]
    return tuple(
        _crossover(metric, *((first, second) if side > 0 else (second, first)), leads[start : end + 1])
        for (start, side), (end, other) in pairwise(decided)
        if side != other
    )


def pair_crossovers(
    metric: Metric, topologies: Sequence[str], rows: Sequence[Row], threshold: float = TIE_THRESHOLD
) -> tuple[Crossover, ...]:
    """Return every flip of the order of any two topologies."""
    pairs = combinations(topologies, 2)
    return tuple(flip for first, second in pairs for flip in crossovers(metric, first, second, rows, threshold))


def leader_changes(metric: Metric, rows: Sequence[Row]) -> tuple[Crossover, ...]:
    """Return where the lead passes from one topology to another, between levels that are no ties and have a margin.

    Of two that were not both measured at those levels, the nearest around them at which they were.
    """
    decided = [
        (index, row.winner)
        for index, row in enumerate(rows)
        if row.winner is not None and not row.tie and row.margin is not None
    ]
    changes = (
        _change(metric, before, after, rows, start, end)
        for (start, before), (end, after) in pairwise(decided)
        if before != after
    )
    return tuple(change for change in changes if change is not None)


def lead_of(metric: Metric, first: str, second: str, row: Row) -> Lead | None:
    """Return how far the first is ahead of the second at one level; None where one is missing or cannot win."""
    values = (row.values.get(first), row.values.get(second))
    if None in values or {first, second} & row.barred.keys():
        return None
    estimates = row.estimates.get(first), row.estimates.get(second)
    known = estimates[0] is not None and estimates[1] is not None
    if estimates[0] is not None and estimates[1] is not None:
        ratio = log_ratio(estimates[0], estimates[1])
    else:
        ratio = LogRatio(math.log((values[0] or 0) / (values[1] or 0)), ())
    if metric.better == "lower":
        ratio = LogRatio(-ratio.value, ratio.parts)
    return Lead(row.concurrency, ratio, known)


def _change(metric: Metric, before: str, after: str, rows: Sequence[Row], start: int, end: int) -> Crossover | None:
    leads = [lead_of(metric, before, after, row) for row in rows[start : end + 1]]
    if leads[0] is not None and leads[-1] is not None:
        return _crossover(metric, before, after, [lead for lead in leads if lead is not None])
    low, high = rows[start].concurrency, rows[end].concurrency
    around = [
        flip
        for flip in crossovers(metric, before, after, rows)
        if flip.below == before and flip.between[0] <= high and flip.between[1] >= low
    ]
    return around[-1] if around else None


def _crossover(metric: Metric, below: str, above: str, leads: Sequence[Lead]) -> Crossover:
    """Locate the flip between the first of these levels and the last, which are on opposite sides."""
    known = all(lead.known for lead in leads)
    return Crossover(
        metric.name,
        below=below,
        above=above,
        concurrency=2 ** median(_roots(leads)),
        between=(leads[0].concurrency, leads[-1].concurrency),
        interval=(_first_doubt(leads), _first_doubt(leads[::-1])) if known else None,
    )


def _roots(leads: Sequence[Lead]) -> list[float]:
    """Return every log2 of a concurrency at which the lines between the levels are at zero."""
    at_levels = [math.log2(lead.concurrency) for lead in leads if lead.ratio.value == 0]
    between = [
        _at(a, b, a.ratio.value / (a.ratio.value - b.ratio.value))
        for a, b in pairwise(leads)
        if a.ratio.value * b.ratio.value < 0
    ]
    return at_levels + between


def _first_doubt(leads: Sequence[Lead]) -> float | None:
    """Return the concurrency nearest to the first level from which on the order is in doubt; None if it is there."""
    if _in_doubt(leads[0].ratio):
        return None
    for a, b in pairwise(leads):
        share = _doubt_from(a.ratio, b.ratio)
        if share is not None:
            return float(2 ** _at(a, b, share))
    return None


def _doubt_from(a: LogRatio, b: LogRatio) -> float | None:
    """Return the least share of the way from one ratio to the next at which the order is in doubt."""
    shares = (step / STEPS for step in range(1, STEPS + 1))
    within = next((share for share in shares if _in_doubt(a.mixed(b, share))), None)
    if within is None:
        return None
    without = within - 1 / STEPS
    for _ in range(BISECTIONS):
        middle = (without + within) / 2
        without, within = (without, middle) if _in_doubt(a.mixed(b, middle)) else (middle, within)
    return within


def _in_doubt(ratio: LogRatio) -> bool:
    return abs(ratio.value) <= ratio.half_width()


def _at(a: Lead, b: Lead, share: float) -> float:
    low, high = math.log2(a.concurrency), math.log2(b.concurrency)
    return low + share * (high - low)
