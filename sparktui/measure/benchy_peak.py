"""llama-benchy's peak rate, and the rate over time that it draws it from: tokens in the second before each token."""

from __future__ import annotations

from collections.abc import Sequence

WINDOW_S = 1.0

Series = list[tuple[float, float]]
"""Seconds since the first token, and tokens per second in the second that ends there: one point a token."""


def peak_tps(times_s: Sequence[float]) -> float | None:
    """Return the most tokens that any second held; over less than a second all tokens over the whole span.

    The latter divides n tokens by n - 1 gaps, so that it lies above the mean rate. None without tokens.
    """
    if not times_s:
        return None
    span_s = max(times_s) - min(times_s)
    if 0 < span_s < WINDOW_S:
        return len(times_s) / span_s
    return max(rate for _, rate in rate_over_time(times_s))


def rate_over_time(times_s: Sequence[float]) -> Series:
    """Return the rate at each token; it rises during the first second and has no points in a stall."""
    ordered = sorted(times_s)
    series: Series = []
    oldest = 0
    for newest, at_s in enumerate(ordered):
        while oldest < newest and ordered[oldest] <= at_s - WINDOW_S:
            oldest += 1
        series.append((at_s - ordered[0], (newest - oldest + 1) / WINDOW_S))
    return series
