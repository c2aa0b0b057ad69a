"""How sure one mean is: the interval that the winners' rule gives it."""

from __future__ import annotations

import math

from sparktui.compare.interval import Estimate, Interval, LogRatio


def mean_interval(estimate: Estimate | None) -> Interval | None:
    """Return a mean's 95 % confidence interval, by Student's t on its logarithm; None where it is not known."""
    if estimate is None or estimate.mean <= 0 or not math.isfinite(estimate.variance):
        return None
    half = LogRatio(0.0, ((estimate.variance, estimate.freedom),)).half_width()
    return (estimate.mean * math.exp(-half), estimate.mean * math.exp(half)) if half < 50 else None
