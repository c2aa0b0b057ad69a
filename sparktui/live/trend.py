"""A figure's recent history in means of one second; it forgets what no screen shows."""

from __future__ import annotations

from sparktui.live.values import Curve, Series

KEPT_S = 180
"""More columns than any sparkline has."""


class Trend:
    """One figure over the last minutes; a second without a value is a gap."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[float, int]] = {}
        self._top = 0.0

    def add(self, t: float, value: float | None) -> None:
        """Take one reading; an unknown one leaves a gap."""
        if value is None:
            return
        second = int(t)
        total, count = self._sums.get(second, (0.0, 0))
        self._sums[second] = (total + value, count + 1)
        for old in [key for key in self._sums if key < second - KEPT_S]:
            del self._sums[old]

    def fit(self) -> None:
        """Let the axis fall to what is in sight: what follows is another measurement."""
        self._top = 0.0

    def clear(self) -> None:
        """Forget everything."""
        self._sums.clear()
        self._top = 0.0

    def curve(self, now: float) -> Curve:
        """Return the means up to now, oldest first, under an axis that never falls by itself."""
        values = self._series(now)
        self._top = max(self._top, *(value for value in values if value is not None), 0.0)
        return Curve(values, self._top)

    def _series(self, now: float) -> Series:
        """Leave out the running second until it has a value."""
        if not self._sums:
            return ()
        last = int(now) if int(now) in self._sums else int(now) - 1
        first = max(min(self._sums), last - KEPT_S + 1)
        return tuple(self._mean(second) for second in range(first, last + 1))

    def _mean(self, second: int) -> float | None:
        total, count = self._sums.get(second, (0.0, 0))
        return total / count if count else None
