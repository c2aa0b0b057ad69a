"""What can end a topology early, and how: one place that cancels, at most once, and never a stop already under way."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

Reason = Literal["stop", "guard", "unguarded", "end-topology"]
RANK: dict[Reason, int] = {"end-topology": 0, "unguarded": 1, "guard": 2, "stop": 3}


@dataclass(slots=True)
class Interrupt:
    """The reason the work in flight is to end, once there is one."""

    reason: Reason | None = None
    text: str = ""
    topology: str | None = None
    """The one in flight, or the last that was."""
    heeding: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever reads what was asked for: nothing is to be carried out twice."""
    _task: asyncio.Task[None] | None = None
    _requested: asyncio.Event = field(default_factory=asyncio.Event)

    def request(self, reason: Reason, text: str) -> None:
        """End the work in flight for a reason; a weightier one replaces it, but nothing is cancelled twice."""
        first = self.reason is None
        if first or RANK[reason] > RANK[self.reason or reason]:
            self.reason, self.text = reason, text
            self._requested.set()
        if first and self._task is not None:
            self._task.cancel()

    async def run(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run work that may be ended; tell whether it came to its own end."""
        if self.reason is not None:
            work.close()
            return False
        self._task = asyncio.create_task(work)
        try:
            await self._task
        except asyncio.CancelledError:
            if self.reason is None:
                raise
            return False
        finally:
            self._task = None
        return True

    async def comes(self, reason: Reason, within_s: float) -> bool:
        """Tell whether a reason is there, or comes within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.reason != reason:
                    self._requested.clear()
                    await self._requested.wait()
        return self.reason == reason

    def clear(self) -> None:
        """Forget a reason that ended one topology, so that the next can run; a stop is never forgotten."""
        if self.reason != "stop":
            self.reason, self.text = None, ""
