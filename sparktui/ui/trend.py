"""A figure's recent history in means of one second, and rates from counters; both forget what no screen shows."""

from __future__ import annotations

from sparktui.ui.snapshot import Series

KEPT_S = 180
"""More columns than any sparkline has."""


class Trend:
    """One figure over the last minutes; a second without a value is a gap."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[float, int]] = {}

    def add(self, t: float, value: float | None) -> None:
        """Take one reading; an unknown one leaves a gap."""
        if value is None:
            return
        second = int(t)
        total, count = self._sums.get(second, (0.0, 0))
        self._sums[second] = (total + value, count + 1)
        for old in [key for key in self._sums if key < second - KEPT_S]:
            del self._sums[old]

    def series(self, now: float) -> Series:
        """Return the means up to now, oldest first; the running second only once it has a value."""
        if not self._sums:
            return ()
        last = int(now) if int(now) in self._sums else int(now) - 1
        first = max(min(self._sums), last - KEPT_S + 1)
        return tuple(self._mean(second) for second in range(first, last + 1))

    def _mean(self, second: int) -> float | None:
        total, count = self._sums.get(second, (0.0, 0))
        return total / count if count else None
