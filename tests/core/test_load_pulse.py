from __future__ import annotations

import asyncio
import time

from sparktui.load.pulse import AWAY_NS, Pulse


async def test_a_late_tick_stays_late_until_what_came_meanwhile_has_been_read() -> None:
    with Pulse() as pulse:
        late_ns = pulse.ticked_ns = time.monotonic_ns() - 100 * AWAY_NS
        pulse._tick()
        assert pulse.ticked_ns == late_ns
        await asyncio.sleep(0)  # the turn in which the loop reads
        assert pulse.ticked_ns == late_ns
        await asyncio.sleep(0)
        assert pulse.ticked_ns > late_ns + 50 * AWAY_NS


async def test_between_waves_nobody_is_away() -> None:
    pulse = Pulse()
    with pulse:
        assert pulse.ticked_ns <= time.monotonic_ns()
        pulse.ticked_ns -= 100 * AWAY_NS
        pulse._tick()
    for _ in range(3):
        await asyncio.sleep(0)
    assert time.monotonic_ns() - pulse.ticked_ns < 0
