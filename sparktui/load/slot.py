"""One request on its connection: opened, sent, sent again where the connection had died idle, decoded, recorded."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from sparktui.load.connection import Connection, reason
from sparktui.load.lag import LagHistogram
from sparktui.load.messages import (
    ANYTHING,
    SLOT_DECODING,
    SLOT_DONE,
    SLOT_FAILED,
    SLOT_PREFILL,
    SLOT_WAITING,
    Expected,
)
from sparktui.load.response import ResponseReader
from sparktui.measure.record import RequestRecord

CONNECT_TIMEOUT_S = 10.0
_DECODE_SLICE_NS = 1_000_000
_SECRET = re.compile(rb"^authorization: *(?:bearer +)?(\S+)", re.IGNORECASE | re.MULTILINE)


class Slot:
    """One request of a wave, or one turn of a pool's slot; `on_over` is called once, when nothing more will arrive."""

    __slots__ = ("_again", "_on_over", "_pictured", "connection", "error", "over", "reader", "request", "settled")

    def __init__(
        self, connection: Connection, request: bytes, on_over: Callable[[], None], expected: Expected = ANYTHING
    ) -> None:
        self.connection = connection
        self.request = request
        self.reader = ResponseReader(expected)
        self.over = False
        """Nothing more will arrive."""
        self.settled = False
        """Over, and decoded to the end, so that `error` is final."""
        self.error: str | None = None
        self._on_over = on_over
        self._again: asyncio.Task[None] | None = None
        self._pictured = 0

    @property
    def state(self) -> int:
        """What the slot is doing: one of SLOT_*."""
        if self.settled:
            return SLOT_DONE if self.error is None else SLOT_FAILED
        if self.reader.completion.marks:
            return SLOT_DECODING
        return SLOT_PREFILL if self.reader.has_head else SLOT_WAITING

    async def open(self) -> bool:
        """Connect, unless still connected, and tell whether that worked; where it did not, the request has failed."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self.connection.open()
        except TimeoutError:
            self._not_connected(f"no answer within {CONNECT_TIMEOUT_S:.0f} s")
        except OSError as error:
            self._not_connected(reason(error))
        return not self.over

    def send(self) -> None:
        """Send the request on its open connection."""
        self.connection.send(self.request, self.reader, self.ended)

    def ended(self) -> None:
        """Take the end of the request, or send it again where its connection had been given up while idle."""
        if self.connection.stale and self._again is None:
            self._again = asyncio.get_running_loop().create_task(self._send_again())
        else:
            self._end()

    def give_up(self, why: str) -> None:
        """Close the connection of a request that is not over, and have it failed."""
        if self.over:
            return
        if self._again is not None:
            self._again.cancel()
        self.connection.close()
        self.reader.fail(why, time.monotonic_ns())
        self._end()

    def decode(self) -> None:
        """Decode what has arrived; an answer that has gone bad in the middle ends here."""
        self.reader.decode_pending()
        if self.reader.finished and not self.over:
            self.connection.close()
            self._end()
        if self.over and not self.settled:
            self.settled = True
            self.error = _without_key(self.reader.settle(), self.request)

    def new_gaps(self) -> list[int]:
        """Return the microseconds between token events that nobody has asked for yet."""
        deltas = self.reader.completion.deltas_us
        gaps: list[int] = deltas[max(1, self._pictured) :].tolist()
        self._pictured = len(deltas)
        return gaps

    def record(self, index: int, wave_start_ns: int, turn: int = 0) -> RequestRecord:
        """Return what is kept of the request."""
        kept = self.reader.record(index, wave_start_ns)
        return msgspec.structs.replace(kept, seq=turn, error=self.error)

    async def _send_again(self) -> None:
        if await self.open():
            self.send()

    def _not_connected(self, why: str) -> None:
        self.reader.fail(f"connect: {why}", time.monotonic_ns())
        self._end()

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self._on_over()


@dataclass(slots=True)
class Past:
    """What the requests of a pool that are over, and no longer anybody's slot, add up to; a wave has none such."""

    done: int = 0
    failed: int = 0
    tokens: int = 0
    prefilled: int = 0
    """Requests that passed their first token."""
    ttfts_us: deque[int] = field(default_factory=deque)
    """Of the last few."""
    gaps_us: list[int] = field(default_factory=list)
    """Between token events since the last picture."""


class Lags:
    """How late the reads of some connections were."""

    def __init__(self) -> None:
        self.recent_ns: list[int] = []
        """Since whoever looks last emptied it."""
        self._all = LagHistogram()

    def take(self, connection: Connection) -> None:
        """Take what a connection has noted."""
        if connection.lags_ns:
            self._all.add(connection.lags_ns)
            self.recent_ns += connection.lags_ns
            connection.lags_ns.clear()

    def percentile_us(self, fraction: float) -> float | None:
        """Return the lag that `fraction` of all reads stay within; None without reads."""
        return self._all.percentile(fraction)


async def decode_all(slots: Iterable[Slot], lags: Lags) -> None:
    """Decode what has arrived, giving way to reads every millisecond."""
    since_ns = time.monotonic_ns()
    for slot in slots:
        slot.decode()
        lags.take(slot.connection)
        if time.monotonic_ns() - since_ns > _DECODE_SLICE_NS:
            await asyncio.sleep(0)
            since_ns = time.monotonic_ns()


def _without_key(error: str | None, request: bytes) -> str | None:
    """Blank out an API key that a server's message repeats."""
    if error is None:
        return None
    found = _SECRET.search(request[: request.find(b"\r\n\r\n")])
    return error.replace(found[1].decode("latin-1"), "***") if found else error
