"""A wall clock that is set, by hand or by NTP, touches no figure: what is measured is measured by the other clock."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from sparktui.compare.energy import PowerSample, energy_curve
from sparktui.load import kernel, wave
from sparktui.load.messages import StartWave, Target
from sparktui.load.request import Ask, Prompt, build_request
from sparktui.load.wave import Connections, Wave
from sparktui.measure.cell import cell_figures
from sparktui.measure.record import WaveRecord, event_times_us
from sparktui.serving.local import LocalHost, process_started
from tests.faults import tried
from tests.scripted_server import SSE_HEAD, Peer, chunked, scripted_server, stream

TOKENS = 8
GAP_S = 0.03
STEPS_S = (3600.0, -3600.0, 0.5, -0.5, 0.01, -0.01)


class SteppedClock:
    """A wall clock that is set at one read, between its arrival and the moment somebody looks at the clock."""

    def __init__(self, step_s: float, at_read: int) -> None:
        self._step_ns, self._at_read = round(step_s * 1e9), at_read
        self._reads = 0
        self._offset_ns = self._arrival_offset_ns = 0
        self._unpack = kernel._timespec

    def time_ns(self) -> int:
        """What `kernel` asks right after a read."""
        self._reads += 1
        self._arrival_offset_ns = self._offset_ns
        if self._reads == self._at_read:
            self._offset_ns = self._step_ns
        return time.time_ns() + self._offset_ns

    def time(self) -> float:
        """What the wave asks when it starts."""
        return time.time() + self._offset_ns / 1e9

    def arrival(self, control: bytes) -> tuple[int, int]:
        """The kernel's stamp of what has just been read: by the clock as it was then."""
        seconds, nanoseconds = map(int, self._unpack(control))
        return divmod(seconds * 10**9 + nanoseconds + self._arrival_offset_ns, 10**9)


async def paced(peer: Peer) -> None:
    """Answer evenly."""
    role, *rest = stream(TOKENS)
    await peer.request()
    await peer.send(SSE_HEAD + chunked(role))
    for body in rest[:TOKENS]:
        await asyncio.sleep(GAP_S)
        await peer.send(chunked(body))
    await peer.send(b"".join(map(chunked, rest[TOKENS:])) + b"0\r\n\r\n")


async def measured() -> WaveRecord:
    async with scripted_server(paced) as server:
        order = StartWave(
            Target("localhost", server.port, False),
            (build_request(server.url, Ask("m", TOKENS), Prompt("hi")),),
            20.0,
        )
        connections = Connections()
        held = kernel.hold_kernel_stamps()
        record = await Wave(order, connections.to(order.target, 1)).run()
        connections.close()
        if held is not None:
            held.close()
    return record


@pytest.mark.skipif(not kernel.may_stamp(), reason="no kernel stamps on this platform")
@pytest.mark.parametrize("step_s", STEPS_S)
@pytest.mark.parametrize("at_read", [1, 4])
async def test_a_wave_in_which_the_clock_is_set_has_the_figures_of_any_other(
    step_s: float, at_read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SteppedClock(step_s, at_read)
    monkeypatch.setattr(
        kernel, "time", SimpleNamespace(time_ns=clock.time_ns, monotonic_ns=time.monotonic_ns, sleep=time.sleep)
    )
    monkeypatch.setattr(kernel, "_timespec", clock.arrival)
    monkeypatch.setattr(
        wave,
        "time",
        SimpleNamespace(time=clock.time, monotonic_ns=time.monotonic_ns, process_time=time.process_time),
    )
    with tried.bad_input():
        record = await measured()
    (request,) = record.requests
    assert request.error is None
    times = event_times_us(request)
    assert len(times) == TOKENS
    assert times == sorted(times)
    assert 0 < times[-1] - times[0] < 5e6
    whole_us = (TOKENS - 1) * GAP_S * 1e6
    assert whole_us * 0.5 < times[-1] - times[0]
    figures = cell_figures([record])
    assert 0 < (figures.mean("decode_tps") or 0) < 2 * (TOKENS - 1) * 1e6 / whole_us
    assert 0 < (figures.mean("ttft_ms") or 0) < 5000
    assert 0 < record.duration_us < 5e6


@pytest.mark.parametrize("step_s", [3600.0, -3600.0, -5.0])
def test_energy_over_a_clock_that_was_set_is_unknown_or_by_power_and_never_the_step(step_s: float) -> None:
    taken = [PowerSample(1000.0 + k / 2 + (step_s if k >= 20 else 0.0), 50.0, 50.0 * k / 2) for k in range(60)]
    curve = energy_curve(sorted(taken, key=lambda sample: sample.t))
    assert curve is not None
    joules = curve.taken_j(1005.0, 1015.0)  # a wave of ten seconds, in the middle of which it was set
    assert joules is None or joules == pytest.approx(500.0, rel=0.2)


async def test_a_process_is_known_again_after_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await LocalHost().spawn(["sleep", "60"], log=tmp_path / "log")
    started = running.started
    real = psutil.Process.create_time

    def stepped(process: Any) -> float:
        return float(real(process)) + 3600

    monkeypatch.setattr(psutil.Process, "create_time", stepped)
    try:
        assert process_started(running.pid) == started
        assert await LocalHost().adopt(running.pid, started, tmp_path / "log").alive()
    finally:
        await running.signal(9)
        assert running.process is not None
        await running.process.wait()
