"""How late the worker reads what the kernel has stamped: percentiles in memory that does not grow with time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TypeVar

Number = TypeVar("Number", int, float)


class LagHistogram:
    """Counts lags in steps of 1 us up to 1 ms, and of under 0.2 % above."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._n = 0

    def add(self, lags_ns: Iterable[int]) -> None:
        """Count lags given in nanoseconds."""
        for us, n in Counter([lag_ns // 1000 for lag_ns in lags_ns]).items():
            shift = max(0, us.bit_length() - 10)
            step = us >> shift << shift
            self._counts[step] = self._counts.get(step, 0) + n
            self._n += n

    def percentile(self, fraction: float) -> float | None:
        """Return the lag in microseconds that `fraction` of all reads stay within; None without reads."""
        wanted = fraction * self._n
        seen = 0
        for us in sorted(self._counts):
            seen += self._counts[us]
            if seen >= wanted:
                return float(us)
        return None


def percentile(values: Sequence[Number], fraction: float) -> Number | None:
    """Return the nearest-rank percentile of sorted values; None where there are none."""
    if not values:
        return None
    return values[min(len(values) - 1, int(fraction * len(values)))]
