"""One wave: N requests started together on open connections and waited for together, with a deadline."""

from __future__ import annotations

import asyncio
import functools
import re
import time

import msgspec

from sparktui.load.connection import Connection, reason
from sparktui.load.lag import LagHistogram
from sparktui.load.messages import SLOT_DECODING, SLOT_DONE, SLOT_FAILED, SLOT_PREFILL, SLOT_WAITING, StartWave, Target
from sparktui.load.response import ResponseReader
from sparktui.load.stream import clock_of, connect_to
from sparktui.measure.record import RequestRecord, WaveRecord

CONNECT_TIMEOUT_S = 10.0
_CONNECTING_AT_ONCE = 64
"""More at once overflows short accept queues, and a dropped SYN costs a second."""
_DECODE_SLICE_NS = 1_000_000
_SECRET = re.compile(rb"^authorization: *(?:bearer +)?(\S+)", re.IGNORECASE | re.MULTILINE)


class Connections:
    """The kept-alive connections of the slots, all to one target at a time."""

    def __init__(self) -> None:
        self._target: Target | None = None
        self._slots: list[Connection] = []

    def to(self, target: Target, n: int) -> list[Connection]:
        """Return `n` connections, open or not; those to another target are closed."""
        if target != self._target:
            self.close()
            self._target = target
        while len(self._slots) < n:
            self._slots.append(connect_to(target))
        return self._slots[:n]

    def close(self) -> None:
        """Close all."""
        for connection in self._slots:
            connection.close()
        self._slots.clear()


class Slot:
    """One request of the wave and the connection it goes out on."""

    __slots__ = ("again", "connection", "error", "over", "pictured", "reader", "request", "settled")

    def __init__(self, connection: Connection, request: bytes) -> None:
        self.connection = connection
        self.request = request
        self.reader = ResponseReader()
        self.over = False
        """Nothing more will arrive."""
        self.settled = False
        """Over, and decoded to the end, so that `error` is final."""
        self.error: str | None = None
        self.again: asyncio.Task[None] | None = None
        self.pictured = 0
        """Token events that `Progress` has taken gaps from."""

    @property
    def state(self) -> int:
        """What the slot is doing: one of SLOT_*."""
        if self.settled:
            return SLOT_DONE if self.error is None else SLOT_FAILED
        if self.reader.completion.marks:
            return SLOT_DECODING
        return SLOT_PREFILL if self.reader.has_head else SLOT_WAITING

    def decode(self) -> None:
        """Decode what has arrived."""
        self.reader.decode_pending()
        if self.over and not self.settled:
            self.settled = True
            self.error = _without_key(self.reader.settle(), self.request)

    def record(self, index: int, wave_start_ns: int) -> RequestRecord:
        """Return what is kept of the request."""
        return msgspec.structs.replace(self.reader.record(index, wave_start_ns), error=self.error)


class Wave:
    """Runs once; `slots` may be looked at while it does."""

    def __init__(self, order: StartWave, connections: list[Connection]) -> None:
        self.slots = [Slot(c, request) for c, request in zip(connections, order.requests, strict=True)]
        self.recent_lags_ns: list[int] = []
        """Since whoever looks last emptied it."""
        self._order = order
        self._lags = LagHistogram()
        self._left = len(self.slots)
        self._all_over = asyncio.Event()
        self._started_ns = 0

    async def run(self) -> WaveRecord:
        """Connect all, send all, wait for all, and return the record; cancelling closes what is in flight."""
        try:
            await self._open_all()
            started_at, cpu_s = time.time(), time.process_time()
            self._send_all()
            await self._wait()
            wall_s = (time.monotonic_ns() - self._started_ns) / 1e9
            cpu = (time.process_time() - cpu_s) / wall_s
            await self.decode()
        finally:
            self._drop_unfinished()
        return self._record(started_at, cpu)

    async def decode(self) -> None:
        """Decode what has arrived, giving way to reads every millisecond."""
        since_ns = time.monotonic_ns()
        for slot in self.slots:
            slot.decode()
            if slot.reader.finished and not slot.over:
                slot.connection.close()
                self._over(slot)
                slot.decode()
            self._take_lags(slot.connection)
            if time.monotonic_ns() - since_ns > _DECODE_SLICE_NS:
                await asyncio.sleep(0)
                since_ns = time.monotonic_ns()

    async def _open_all(self) -> None:
        # Two turns of the loop, so that connections closed by the server while idle are known to be closed.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gate = asyncio.Semaphore(_CONNECTING_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for slot in self.slots:
                group.create_task(self._open(slot, gate))

    async def _open(self, slot: Slot, gate: asyncio.Semaphore) -> bool:
        slot.connection.unstamped = 0
        slot.connection.lags_ns.clear()
        try:
            async with gate, asyncio.timeout(CONNECT_TIMEOUT_S):
                await slot.connection.open()
        except TimeoutError:
            self._not_connected(slot, f"no answer within {CONNECT_TIMEOUT_S:.0f} s")
        except OSError as error:
            self._not_connected(slot, reason(error))
        return not slot.over

    def _not_connected(self, slot: Slot, why: str) -> None:
        slot.reader.fail(f"connect: {why}", time.monotonic_ns())
        self._over(slot)

    def _send_all(self) -> None:
        ready = [
            (slot.connection.send, slot, functools.partial(self._ended, slot)) for slot in self.slots if not slot.over
        ]
        self._started_ns = time.monotonic_ns()
        for send, slot, ended in ready:
            send(slot.request, slot.reader, ended)

    def _ended(self, slot: Slot) -> None:
        """Take the end of a slot's request, or send it again where its connection had been given up while idle."""
        if slot.connection.stale and slot.again is None:
            slot.again = asyncio.get_running_loop().create_task(self._send_again(slot))
        else:
            self._over(slot)

    async def _send_again(self, slot: Slot) -> None:
        if await self._open(slot, asyncio.Semaphore()):
            slot.connection.send(slot.request, slot.reader, functools.partial(self._ended, slot))

    def _over(self, slot: Slot) -> None:
        if slot.over:
            return
        slot.over = True
        self._left -= 1
        if self._left == 0:
            self._all_over.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._order.timeout_s):
                await self._all_over.wait()
        except TimeoutError:
            self._drop_unfinished()

    def _drop_unfinished(self) -> None:
        for slot in self.slots:
            if not slot.over:
                if slot.again is not None:
                    slot.again.cancel()
                slot.connection.close()
                slot.reader.fail(f"timeout: not ended within {self._order.timeout_s:g} s", time.monotonic_ns())
                self._over(slot)

    def _take_lags(self, connection: Connection) -> None:
        if connection.lags_ns:
            self._lags.add(connection.lags_ns)
            self.recent_lags_ns += connection.lags_ns
            connection.lags_ns.clear()

    def _record(self, started_at: float, cpu: float) -> WaveRecord:
        last_ns = max(slot.reader.ended_ns for slot in self.slots)
        stamped = all(slot.connection.unstamped == 0 for slot in self.slots)
        return WaveRecord(
            started_at=started_at,
            duration_us=max(0, last_ns - self._started_ns) // 1000,
            clock=clock_of(self._order.target) if stamped else "user",
            lag_p50_us=self._lags.percentile(0.5),
            lag_p99_us=self._lags.percentile(0.99),
            worker_cpu=cpu,
            requests=tuple(slot.record(index, self._started_ns) for index, slot in enumerate(self.slots)),
        )


def _without_key(error: str | None, request: bytes) -> str | None:
    """Blank out an API key that a server's message repeats."""
    if error is None:
        return None
    found = _SECRET.search(request[: request.find(b"\r\n\r\n")])
    return error.replace(found[1].decode("latin-1"), "***") if found else error
