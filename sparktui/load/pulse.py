"""Whether the worker ran: what it reads after a time in which it could not is not as exact as its stamps say.

The kernel stamps a read with the time of its last segment. Tokens that shared a read, because nobody could read the
first before the next came, all get the last one's time. Nothing in the stamps tells of that: the clock here does.
"""

from __future__ import annotations

import asyncio
import sys
import time
from types import TracebackType
from typing import Self

TICK_S = 0.02
AWAY_NS = 50_000_000
"""The worker's own work and an ordinary scheduler take less. A machine that has no core to spare takes more."""


class Pulse:
    """Ticks while a wave is in flight."""

    def __init__(self) -> None:
        self.ticked_ns = sys.maxsize
        """When it last ran in time; of what is read over `AWAY_NS` later, nobody knows for how long it lay there."""
        self._next: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self.ticked_ns = time.monotonic_ns()
        self._tick()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ticked_ns = sys.maxsize
        if self._next is not None:
            self._next.cancel()

    def _tick(self) -> None:
        loop, now_ns = asyncio.get_running_loop(), time.monotonic_ns()
        if now_ns - self.ticked_ns > AWAY_NS:
            # A process that goes on again may tick before it reads: the loop does that after the first of these.
            loop.call_soon(loop.call_soon, self._caught_up)
        else:
            self.ticked_ns = now_ns
        self._next = loop.call_later(TICK_S, self._tick)

    def _caught_up(self) -> None:
        if self.ticked_ns != sys.maxsize:
            self.ticked_ns = time.monotonic_ns()
