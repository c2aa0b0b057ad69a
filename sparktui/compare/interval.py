"""How sure a ratio of two means is, from the waves they were taken over.

Waves are the independent samples, never the requests in them. A mean's variance comes from what is left of its waves
after a straight line over their order is taken out (least squares): a machine that warms up steadily then widens
nothing, and the interval is one of the mean over the time that was measured. From `WAVES_FOR_CORRELATION` waves on,
neighbours that are alike count as fewer waves: the effective number is n (1 - r) / (1 + r) (Bayley and Hammersley
1946), with r the correlation of neighbours, freed of its bias after a fitted line, -(2 + 4 r) / n to first order. Two
means are compared by Welch's t on their logarithms (delta method), degrees of freedom by Welch and Satterthwaite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sparktui.measure.statistics import mean, sample_std

CONFIDENCE = 0.95
WAVES_FOR_LINE = 5
"""Fewer waves than this are taken as they are: a line through them would leave too little to judge by."""
WAVES_FOR_CORRELATION = 20
"""With fewer waves a correlation cannot be told from chance, and correcting for it costs more than it mends."""
DEAD_ZONE = 0.75
"""Correlations below this many standard errors count as none, so that independent waves keep their interval."""
MOST_CORRELATION = 0.9

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over waves and how well it is known."""

    mean: float
    variance: float
    """Of the mean's logarithm."""
    freedom: float
    waves: int
    """That it was taken over."""


@dataclass(frozen=True, slots=True)
class LogRatio:
    """The logarithm of the ratio of two means, or a mixture of several such."""

    value: float
    parts: tuple[tuple[float, float], ...]
    """Variance and degrees of freedom of each mean in it."""

    @property
    def variance(self) -> float:
        """Of the value."""
        return math.fsum(variance for variance, _ in self.parts)

    def half_width(self, confidence: float = CONFIDENCE) -> float:
        """Return half the width of the confidence interval of the value."""
        variance = self.variance
        if variance == 0:
            return 0.0
        freedom = 1 / math.fsum((part / variance) ** 2 / freedom for part, freedom in self.parts)
        return t_quantile(freedom, confidence) * math.sqrt(variance)

    def mixed(self, other: LogRatio, share: float) -> LogRatio:
        """Return the value on the straight line from this one (share 0) to an independent other one (share 1)."""
        mine = tuple((variance * (1 - share) ** 2, freedom) for variance, freedom in self.parts)
        theirs = tuple((variance * share**2, freedom) for variance, freedom in other.parts)
        return LogRatio(self.value * (1 - share) + other.value * share, mine + theirs)


def estimate(values: Sequence[float]) -> Estimate | None:
    """Return the mean of a cell's waves, in their order; None of fewer than two, or where it is not above zero."""
    centre = mean(values)
    if centre is None or len(values) < 2 or not centre > 0 or not math.isfinite(centre):
        return None
    if len(values) < WAVES_FOR_LINE:
        spread = sample_std(values) or 0.0
        return Estimate(centre, (spread / centre) ** 2 / len(values), len(values) - 1, len(values))
    left = _off_the_line(values, centre)
    squares = math.fsum((value / centre) ** 2 for value in left)
    n = len(values) / _stretch(left)
    return Estimate(centre, squares / (len(values) - 2) / n, max(n - 2, 1.0), len(values))


def log_ratio(above: Estimate, below: Estimate) -> LogRatio:
    """Return the logarithm of one mean over another."""
    parts = ((above.variance, above.freedom), (below.variance, below.freedom))
    return LogRatio(math.log(above.mean / below.mean), parts)


def ratio_interval(above: Estimate | None, below: Estimate | None, confidence: float = CONFIDENCE) -> Interval | None:
    """Return the confidence interval of the ratio of two means; None where either is not known wave by wave."""
    if above is None or below is None:
        return None
    ratio = log_ratio(above, below)
    half = ratio.half_width(confidence)
    return _exp(ratio.value - half), _exp(ratio.value + half)


def _exp(value: float) -> float:
    """Return e to a power; infinity where that is more than a float holds."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def t_quantile(freedom: float, confidence: float) -> float:
    """Return how many standard errors the two-sided interval reaches, by Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _off_the_line(values: Sequence[float], centre: float) -> list[float]:
    """Return what is left of the values after their mean and their slope over the order are taken out."""
    middle = (len(values) - 1) / 2
    steps = [index - middle for index in range(len(values))]
    slope = math.fsum(map(math.prod, zip(steps, values, strict=True))) / math.fsum(step * step for step in steps)
    return [value - centre - slope * step for value, step in zip(values, steps, strict=True)]


def _stretch(left: Sequence[float]) -> float:
    """Return how many waves stand for one independent one: (1 + r) / (1 - r), never under 1."""
    n = len(left)
    squares = math.fsum(value * value for value in left)
    if n < WAVES_FOR_CORRELATION or squares == 0:
        return 1.0
    neighbours = math.fsum(a * b for a, b in pairwise(left)) / squares
    unbiased = (neighbours + 2 / n) / (1 - 4 / n)
    if (neighbours + 2 / n) * math.sqrt(n) < DEAD_ZONE:
        return 1.0
    r = min(unbiased, MOST_CORRELATION)
    return (1 + r) / (1 - r)
