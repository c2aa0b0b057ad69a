"""How sure a ratio of two means is, from the waves they were taken over."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sparktui.measure.statistics import mean, sample_std

CONFIDENCE = 0.95

Interval = tuple[float, float]


def ratio_interval(above: Sequence[float], below: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """Return the confidence interval of mean(above) / mean(below); None where either has fewer than two values.

    Welch's t interval on the logarithms of the two means, whose variances are those of the means relative to
    themselves (delta method); degrees of freedom by Welch and Satterthwaite.
    """
    if len(above) < 2 or len(below) < 2:
        return None
    ratio = _positive_ratio(above, below)
    if ratio is None:
        return None
    a, b = _relative_variance(above), _relative_variance(below)
    if a + b == 0:
        return ratio, ratio
    freedom = (a + b) ** 2 / (a**2 / (len(above) - 1) + b**2 / (len(below) - 1))
    half = _t_quantile(freedom, confidence) * math.sqrt(a + b)
    return ratio * math.exp(-half), ratio * math.exp(half)


def _t_quantile(freedom: float, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))


def _positive_ratio(above: Sequence[float], below: Sequence[float]) -> float | None:
    a, b = mean(above), mean(below)
    return a / b if a is not None and b is not None and a > 0 and b > 0 else None


def _relative_variance(values: Sequence[float]) -> float:
    centre, spread = mean(values), sample_std(values)
    assert centre is not None
    assert spread is not None
    return (spread / centre) ** 2 / len(values)
