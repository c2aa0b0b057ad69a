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
PACE_S, NOW_S = 4.0, 1.3
"""What a pace is taken over: a node has gone from 29 to 2.5 GiB in nine seconds. And the newest part of it."""
UNLIKE = 2.2
"""A pace that has changed by this factor is the newest part's: a cache that is taken at once is taken once."""


def robust_slope(readings: Sequence[tuple[float, float]]) -> float | None:
    """Return the change per second of readings `(seconds, value)`, in order of time; None where they are too few.

    The Theil-Sen estimator: the median of the slopes between all pairs (Sen, 1968). Up to 29 % of the readings may be
    wrong by any amount.
    """
    if len(readings) < LEAST_READINGS or readings[-1][0] - readings[0][0] < LEAST_SPAN_S:
        return None
    pairs = combinations(readings, 2)
    return median((v - u) / (t - s) for (s, u), (t, v) in pairs if t - s >= LEAST_STEP_S)


def pace(readings: Sequence[tuple[float, float]]) -> float | None:
    """Return the change per second that an owner is told: over the last 4 s, or over the last one where that differs.

    None where the readings, `(seconds, value)` in order of time, are too few.
    """
    lately = [reading for reading in readings if reading[0] >= readings[-1][0] - PACE_S]
    over_all = robust_slope(lately)
    now = robust_slope([reading for reading in lately if reading[0] >= lately[-1][0] - NOW_S])
    if over_all is None or now is None:
        return over_all
    slower, faster = sorted((abs(over_all), abs(now)))
    return now if over_all * now < 0 or faster > UNLIKE * slower else over_all
