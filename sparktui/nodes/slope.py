"""How fast a figure rises or falls over the last seconds, whatever single wild readings say. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from statistics import median

LEAST_READINGS = 3
LEAST_SPAN_S = 1.0
"""Three readings within less say more about noise than about a trend."""
LEAST_STEP_S = 0.1
"""Between two readings that are compared: closer ones turn a little noise into a steep slope."""


def robust_slope(readings: Sequence[tuple[float, float]]) -> float | None:
    """Return the change per second of readings `(seconds, value)`, in order of time; None where they are too few.

    The Theil-Sen estimator: the median of the slopes between all pairs (Sen, 1968). Up to 29 % of the readings may be
    wrong by any amount.
    """
    if len(readings) < LEAST_READINGS or readings[-1][0] - readings[0][0] < LEAST_SPAN_S:
        return None
    pairs = combinations(readings, 2)
    return median((v - u) / (t - s) for (s, u), (t, v) in pairs if t - s >= LEAST_STEP_S)
