from __future__ import annotations

import os
import threading
import time

import msgspec
import pytest

from sparktui.nodes import agent
from sparktui.nodes.gpu import GpuReading
from sparktui.nodes.link import AgentLink
from sparktui.nodes.sample import NodeSample, Phase


async def test_a_started_agent_samples_this_machine_and_ends_with_its_link() -> None:
    link = await AgentLink.start("here")
    first, second = await link.next(), await link.next()
    await link.close()
    assert first is not None
    assert second is not None
    assert (first.node, first.phase, second.heartbeat) == ("here", "idle", first.heartbeat + 1)
    assert first.mem_total_bytes is None or first.mem_total_bytes > 0
    assert await link.next() is None


async def test_an_agent_is_told_the_phase() -> None:
    link = await AgentLink.start("here")
    link.tell("loading")
    phases = set()
    for _ in range(20):
        sample = await link.next()
        assert sample is not None
        phases.add(sample.phase)
        if "loading" in phases:
            break
    await link.close()
    assert "loading" in phases


def test_samples_end_when_the_parent_is_gone() -> None:
    ours, parents = os.pipe()
    seen: list[bytes] = []

    def read(phase: Phase, heartbeat: int) -> NodeSample:
        if heartbeat == 2:
            os.close(parents)
        return NodeSample(t=0, node="n", phase=phase, heartbeat=heartbeat)

    agent.run(read, ours, seen.append)
    assert [msgspec.json.decode(line, type=NodeSample).heartbeat for line in seen] == [0, 1, 2]


def test_a_gpu_driver_that_hangs_stops_no_other_reading() -> None:
    hung = threading.Event()

    def read() -> GpuReading:
        hung.wait(30)
        return GpuReading(nvml_ms=1)

    gpus = agent.GpuThread(read)
    assert [gpus.latest() for _ in range(3)] == [GpuReading()] * 3
    hung.set()


def test_a_reading_that_hangs_makes_the_gpu_unknown_and_not_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    hung = threading.Event()
    waits = iter([0, 30])

    def read() -> GpuReading:
        hung.wait(next(waits))
        return GpuReading(nvml_ms=1)

    gpus = agent.GpuThread(read)
    gpus.latest()
    while gpus.latest().nvml_ms is None:
        time.sleep(0.01)
    monkeypatch.setattr(agent.GpuThread, "DEADLINE_S", 0.0)
    time.sleep(0.01)
    assert gpus.latest() == GpuReading()
    hung.set()
