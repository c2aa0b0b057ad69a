"""Whether a topology changed while it was measured: an interval over waves cannot know that it did."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.compare.interval import estimate, ratio_interval

CONFIDENCE = 0.99
"""Of many cells some look as if they drift by chance; fewer do at this confidence."""
MIN_HALF = 3


def drift(values: Sequence[float]) -> float | None:
    """Return by how much the second half of a cell's waves differs from the first: -0.03 is 3 % less.

    None where the halves cannot be told apart, and of fewer than six waves. Of an odd number the middle one is left
    out.
    """
    half = len(values) // 2
    if half < MIN_HALF:
        return None
    first, second = estimate(values[:half]), estimate(values[len(values) - half :])
    interval = ratio_interval(second, first, CONFIDENCE)
    if first is None or second is None or interval is None or interval[0] <= 1 <= interval[1]:
        return None
    return second.mean / first.mean - 1
