"""A simulated DGX Spark: memory, GPU and fabric as its readings would look under the engines that run on it."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import psutil

from sparktui.nodes.sample import NodeSample, Phase
from sparktui.sim.holding import GIB, MIB, Holding, published

MEM_TOTAL_BYTES = 127_600_748 * 1024
"""MemTotal of a DGX Spark."""
IDLE_AVAILABLE_BYTES = int(118.4 * GIB)
PAGE_CACHE_BYTES = 4 * GIB
"""Reclaimable cache: in MemAvailable, not in MemFree."""
SWING_BYTES = 40 * MIB
IDLE_POWER_W, BUSY_POWER_W = 11.0, 60.0
IDLE_TEMP_C, BUSY_TEMP_C = 38.0, 71.0
IDLE_SM_MHZ, BUSY_SM_MHZ = 2_061.0, 2_411.0
COOLING_S = 30.0
ORDER9_BYTES = 2 * MIB


def read_sample(state_dir: Path, node: str, heartbeat: int, *, now: Callable[[], float] = time.time) -> NodeSample:
    """Read a simulated node: what its live processes hold, taken from what an idle Spark has left."""
    t = now()
    files = published(state_dir, node)
    alive = [holding for holding in files if is_alive(holding.pid)]
    busy = min(1.0, sum(holding.busy for holding in alive))
    held = sum(holding.held_bytes for holding in alive)
    available = max(0, min(MEM_TOTAL_BYTES, IDLE_AVAILABLE_BYTES - held + _swing(node, t)))
    free = max(0, available - PAGE_CACHE_BYTES)
    rdma = sum(holding.rdma_bytes for holding in files)
    return NodeSample(
        t=t,
        node=node,
        phase=_phase(alive),
        mem_total_bytes=MEM_TOTAL_BYTES,
        mem_available_bytes=available,
        mem_free_bytes=free,
        gpu_procs_bytes=sum(holding.gpu_bytes for holding in alive),
        unified=True,
        swap_used_bytes=0,
        psi_some_pct=0.0,
        psi_full_pct=0.0,
        order9_free=int(free * 0.9) // ORDER9_BYTES,
        gpu_util_pct=round(96 * busy),
        power_w=round(IDLE_POWER_W + (BUSY_POWER_W - IDLE_POWER_W) * busy + _ripple(node, t), 2),
        temp_c=round(IDLE_TEMP_C + (BUSY_TEMP_C - IDLE_TEMP_C) * _heat(files, t)),
        sm_mhz=BUSY_SM_MHZ if busy > 0.05 else IDLE_SM_MHZ,
        rdma_rx_bytes=rdma,
        rdma_tx_bytes=rdma,
        nvml_ms=round(1.8 + 0.2 * _ripple(node, t + 5), 2),
        heartbeat=heartbeat,
    )


def is_alive(pid: int) -> bool:
    """Tell whether a process still runs; one that has ended but was not waited for does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _phase(alive: list[Holding]) -> Phase:
    if not alive:
        return "idle"
    return "loading" if any(holding.phase == "loading" for holding in alive) else "serving"


def _heat(files: list[Holding], t: float) -> float:
    # A process that has ended leaves its heat behind, so the files of dead ones count here, and only for a while.
    warmth = (holding.heat * math.exp(-max(0.0, t - holding.updated) / COOLING_S) for holding in files)
    return min(1.0, max(warmth, default=0.0))


def _swing(node: str, t: float) -> int:
    return int(SWING_BYTES * (_wave(node, t, 13.0) + 0.5 * _wave(node, t, 3.1)) / 1.5)


def _ripple(node: str, t: float) -> float:
    return 0.6 * _wave(node, t, 7.3)


def _wave(node: str, t: float, period_s: float) -> float:
    phase = zlib.crc32(node.encode()) % 997 / 997
    return math.sin(math.tau * (t / period_s + phase))
