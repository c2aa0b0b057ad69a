"""Whether the worker ran: what it reads after a time in which it could not is not as exact as its stamps say.

The kernel stamps a read with the time of its last segment. Tokens that shared a read, because nobody could read the
first before the next came, all get the last one's time. Nothing in the stamps tells of that: the clock here does.
"""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

TICK_S = 0.01
AWAY_NS = 50_000_000
"""The worker's own work and an ordinary scheduler take less. A machine that has no core to spare takes more."""


class Pulse:
    """Ticks while a wave is in flight."""

    def __init__(self) -> None:
        self._ticked_ns = time.monotonic_ns()
        self._missed_ns = 0
        """A process that goes on again may tick before it reads what has come meanwhile."""
        self._next: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._ticked_ns = time.monotonic_ns()
        self._tick()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._next is not None:
            self._next.cancel()

    def away_ns(self, now_ns: int) -> int:
        """Return for how long nobody could have made a read that is made now; 0 where that is no time to speak of."""
        away_ns = max(now_ns - self._ticked_ns, self._missed_ns)
        return away_ns if away_ns > AWAY_NS else 0

    def _tick(self) -> None:
        loop, now_ns = asyncio.get_running_loop(), time.monotonic_ns()
        if now_ns - self._ticked_ns > AWAY_NS:
            self._missed_ns = now_ns - self._ticked_ns
            loop.call_soon(loop.call_soon, self._caught_up)  # the loop's next turn reads it, after the first of these
        self._ticked_ns = now_ns
        self._next = loop.call_later(TICK_S, self._tick)

    def _caught_up(self) -> None:
        self._missed_ns = 0
