"""How often a costly question may be asked: so that it takes no more than a share of a core."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """Due at once where asking is cheap, and seldom where it is not, but never more seldom than `longest_s`."""

    def __init__(self, share: float, longest_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._share, self._longest_s, self._now = share, longest_s, now
        self._due = float("-inf")

    def is_due(self) -> bool:
        """Tell whether to ask now."""
        return self._now() >= self._due

    def spent(self, cpu_s: float) -> None:
        """Say what the last question took, in seconds of a core."""
        self._due = self._now() + min(cpu_s / self._share, self._longest_s)
