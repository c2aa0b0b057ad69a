"""The live rate: tokens over the last seconds of wall time, so that a stall is seen falling to zero."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

WINDOW_S = 2.0
MIN_SPAN_S = 0.5
"""A rate over less than this is mostly rounding."""

Point = tuple[float, int]
"""Wall clock in seconds, and a token count that only grows."""


def rate(points: Sequence[Point], now: float, window_s: float = WINDOW_S) -> float | None:
    """Return tokens per second over the window that ends now; None while too little is known.

    Args:
        points: Oldest first. A count that falls means the counter began again; only what follows it is used.
        now: The moment asked about; after the last point the count is taken to stand still.
        window_s: How far back to look; less only at the very beginning.
    """
    known = [point for point in since_reset(points) if point[0] <= now]
    if not known:
        return None
    start = max(known[0][0], now - window_s)
    if now - start < min(MIN_SPAN_S, window_s):
        return None
    return (known[-1][1] - count_at(known, start)) / (now - start)


def series(points: Sequence[Point], now: float, seconds: float, columns: int) -> list[float | None]:
    """Return the rate in each of `columns` equal slices of the last seconds, oldest first: a sparkline's data.

    A slice before the first point is None, a gap; one in which nothing came is zero.
    """
    known = since_reset(points)
    width = seconds / columns
    edges = [now - seconds + width * i for i in range(columns + 1)]
    return [_slice_rate(known, start, start + width) for start in edges[:-1]]


def _slice_rate(points: Sequence[Point], start: float, end: float) -> float | None:
    if not points or start < points[0][0]:
        return None
    return (count_at(points, end) - count_at(points, start)) / (end - start)


def since_reset(points: Sequence[Point]) -> Sequence[Point]:
    """Return the points that follow the last time the count fell, which is when a counter began again."""
    for i in range(len(points) - 1, 0, -1):
        if points[i][1] < points[i - 1][1]:
            return tuple(points)[i:]  # a deque cannot be sliced
    return points


def count_at(points: Sequence[Point], t: float) -> float:
    """Interpolate the count at a moment; before the first point and after the last it stands still."""
    i = bisect_right(points, t, key=lambda point: point[0])
    if i == 0:
        return points[0][1]
    if i == len(points):
        return points[-1][1]
    (earlier, before), (later, after) = points[i - 1], points[i]
    return before + (after - before) * (t - earlier) / (later - earlier)
