"""One pool run: N slots, each sending its next request the moment its last has ended, for a set number of turns.

What of it counts as steady is not decided here: every request is recorded, and `measure.pool` trims.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from sparktui.load.connection import Connection
from sparktui.load.messages import StartPool
from sparktui.load.pulse import Pulse
from sparktui.load.slot import Lags, Past, Slot, decode_all
from sparktui.load.wave import open_all, stamped_by
from sparktui.measure.record import RequestRecord, WaveRecord


class Pool:
    """Runs once; `slots` holds what each slot is doing at the moment, and may be looked at meanwhile."""

    def __init__(self, order: StartPool, connections: list[Connection]) -> None:
        self.past = Past(ttfts_us=deque(maxlen=len(connections)))
        self.lags = Lags()
        self._pulse = Pulse()
        self._order = order
        self._connections = connections
        self._over = [asyncio.Event() for _ in connections]
        self.slots = [self._turn(index, 0) for index in range(len(connections))]
        self._ended: deque[tuple[int, int, Slot]] = deque()
        """Slot, turn and request of what is over and not yet decoded to its end."""
        self._records: list[RequestRecord] = []
        self._started_ns = self._last_ns = 0

    @property
    def counted(self) -> Sequence[Slot]:
        """What has begun and is not in `past`."""
        return [*(slot for _, _, slot in self._ended), *self.slots]

    async def run(self) -> WaveRecord:
        """Connect all, run every slot through its turns, and return the record; cancelling closes what is in flight."""
        try:
            await open_all(self.slots, self._pulse)
            started_at, cpu_s = time.time(), time.process_time()
            self._started_ns = time.monotonic_ns()
            with self._pulse:
                async with asyncio.TaskGroup() as group:
                    for index in range(len(self.slots)):
                        group.create_task(self._run_slot(index))
            wall_s = (time.monotonic_ns() - self._started_ns) / 1e9
            cpu = (time.process_time() - cpu_s) / wall_s
            await self.decode()
        finally:
            for slot in self.slots:
                slot.give_up("given up")
        return self._record(started_at, cpu)

    async def decode(self) -> None:
        """Decode what has arrived, and book what is over."""
        await self._settle()
        await decode_all(self.slots, self.lags)

    async def _run_slot(self, index: int) -> None:
        for turn in range(len(self._order.slots[index])):
            if turn:
                # Decoded later: the next request does not wait for it.
                self._ended.append((index, turn - 1, self.slots[index]))
                self.slots[index] = self._turn(index, turn)
            await self._run_turn(self.slots[index], self._over[index])

    async def _run_turn(self, slot: Slot, over: asyncio.Event) -> None:
        # Of a request that never gets as far as being sent, this is when it was its turn.
        slot.reader.sent_ns = time.monotonic_ns()
        try:
            async with asyncio.timeout(self._order.timeout_s):
                if not slot.over and await slot.open():
                    slot.send()
                await over.wait()
        except TimeoutError:
            slot.give_up(f"timeout: not ended within {self._order.timeout_s:g} s")

    def _turn(self, index: int, turn: int) -> Slot:
        over = self._over[index]
        over.clear()
        return Slot(self._connections[index], self._order.slots[index][turn], over.set, self._order.expected)

    async def _settle(self) -> None:
        """Decode to the end what is over, and keep of it no more than its record and its counts."""
        while self._ended:
            # One at a time and without a pause in between: two callers may be at it at once.
            index, turn, slot = self._ended.popleft()
            slot.decode()
            self._records.append(slot.record(index, self._started_ns, turn))
            self._book(slot)
            await asyncio.sleep(0)

    def _book(self, slot: Slot) -> None:
        past, seen = self.past, slot.reader.completion
        past.done += slot.error is None
        past.failed += slot.error is not None
        past.tokens += seen.tokens
        past.gaps_us += slot.new_gaps()
        if seen.ttft_us is not None:
            past.prefilled += 1
            past.ttfts_us.append(seen.ttft_us)
        self._last_ns = max(self._last_ns, slot.reader.ended_ns)

    def _record(self, started_at: float, cpu: float) -> WaveRecord:
        last = [slot.record(index, self._started_ns, self._turns(index) - 1) for index, slot in enumerate(self.slots)]
        ended_ns = max(self._last_ns, *(slot.reader.ended_ns for slot in self.slots))
        return WaveRecord(
            started_at=started_at,
            duration_us=max(0, ended_ns - self._started_ns) // 1000,
            clock=stamped_by(self._order.target, self._connections),
            lag_p50_us=self.lags.percentile_us(0.5),
            lag_p99_us=self.lags.percentile_us(0.99),
            worker_cpu=cpu,
            arrival_error=max(connection.arrival_error for connection in self._connections),
            requests=tuple(sorted((*self._records, *last), key=lambda request: (request.slot, request.seq))),
        )

    def _turns(self, index: int) -> int:
        return len(self._order.slots[index])
