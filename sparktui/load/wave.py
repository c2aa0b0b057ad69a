"""One wave: N requests started together on open connections and waited for together, with a deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

from sparktui.load.connection import Connection
from sparktui.load.messages import StartWave, Target
from sparktui.load.pulse import Pulse
from sparktui.load.slot import Lags, Past, Slot, decode_all
from sparktui.load.stream import clock_of, connect_to
from sparktui.measure.record import Clock, WaveRecord

_CONNECTING_AT_ONCE = 64
"""More at once overflows short accept queues, and a dropped SYN costs a second."""


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


class Wave:
    """Runs once; `slots` may be looked at while it does."""

    def __init__(self, order: StartWave, connections: list[Connection]) -> None:
        pairs = zip(connections, order.requests, strict=True)
        self.slots = [Slot(connection, request, self._over, order.expected) for connection, request in pairs]
        self.counted: Sequence[Slot] = self.slots
        """What has begun and is not in `past`."""
        self.past = Past()
        self.lags = Lags()
        self._pulse = Pulse()
        self._order = order
        self._left = len(self.slots)
        self._all_over = asyncio.Event()
        self._started_at = 0.0
        self._started_ns = 0

    async def run(self) -> WaveRecord:
        """Connect all, send all, wait for all, and return the record; cancelling closes what is in flight."""
        try:
            await open_all(self.slots, self._pulse)
            cpu_s = time.process_time()
            with self._pulse:
                self._send_all()
                await self._wait()
            wall_s = (time.monotonic_ns() - self._started_ns) / 1e9
            cpu = (time.process_time() - cpu_s) / wall_s
            await self.decode()
        finally:
            self._drop_unfinished()
        return self._record(cpu)

    async def decode(self) -> None:
        """Decode what has arrived."""
        await decode_all(self.slots, self.lags)

    def _send_all(self) -> None:
        ready = [(slot.connection.send, slot.request, slot.reader, slot.ended) for slot in self.slots if not slot.over]
        self._started_at, self._started_ns = time.time(), time.monotonic_ns()
        for send, request, reader, ended in ready:
            send(request, reader, ended)

    def _over(self) -> None:
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
            slot.give_up(f"timeout: not ended within {self._order.timeout_s:g} s")

    def _record(self, cpu: float) -> WaveRecord:
        last_ns = max(slot.reader.ended_ns for slot in self.slots)
        return WaveRecord(
            started_at=self._started_at,
            duration_us=max(0, last_ns - self._started_ns) // 1000,
            clock=stamped_by(self._order.target, [slot.connection for slot in self.slots]),
            lag_p50_us=self.lags.percentile_us(0.5),
            lag_p99_us=self.lags.percentile_us(0.99),
            worker_cpu=cpu,
            arrival_error=max(slot.connection.arrival_error for slot in self.slots),
            requests=tuple(slot.record(index, self._started_ns) for index, slot in enumerate(self.slots)),
        )


async def open_all(slots: Sequence[Slot], pulse: Pulse) -> None:
    """Open the connections of slots that are about to start under a pulse, and forget what these noted before."""
    # Two turns of the loop, so that connections closed by the server while idle are known to be closed.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for slot in slots:
        slot.connection.begin(pulse)
    gate = asyncio.Semaphore(_CONNECTING_AT_ONCE)

    async def open_one(slot: Slot) -> None:
        async with gate:
            await slot.open()

    async with asyncio.TaskGroup() as group:
        for slot in slots:
            if not slot.connection.is_open:
                group.create_task(open_one(slot))


def stamped_by(target: Target, connections: Iterable[Connection]) -> Clock:
    """Return whose receive stamps some connections' reads carried: the kernel's only where all of them did."""
    return clock_of(target) if all(connection.unstamped == 0 for connection in connections) else "user"
