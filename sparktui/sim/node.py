"""A simulated DGX Spark: memory, GPU and fabric as its readings would look under the engines that run on it."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from sparktui.nodes.sample import NodeSample, Phase
from sparktui.sim.faults import shown
from sparktui.sim.holding import GIB, MIB, Holding, published
from sparktui.sim.spark import (
    BUSY_POWER_W,
    BUSY_SM_MHZ,
    BUSY_TEMP_C,
    IDLE_AVAILABLE_BYTES,
    IDLE_POWER_W,
    IDLE_SM_MHZ,
    IDLE_TEMP_C,
    LINK_GBPS,
    MEM_TOTAL_BYTES,
    NET_BYTES_PER_S,
    PAGE_CACHE_BYTES,
)

SWING_BYTES = 40 * MIB
COOLING_S = 30.0
ORDER9_BYTES = 2 * MIB
PRESSED_BYTES = 8 * GIB
"""With less left, processes begin to wait for memory."""


def read_sample(state_dir: Path, node: str, heartbeat: int, *, now: Callable[[], float] = time.time) -> NodeSample:
    """Read a simulated node: what its live processes hold, taken from what an idle Spark has left."""
    t = now()
    files = published(state_dir, node)
    alive = [holding for holding in files if is_alive(holding.pid)]
    held = sum(holding.held_bytes for holding in alive)
    available = max(0, min(MEM_TOTAL_BYTES, IDLE_AVAILABLE_BYTES - held + _swing(node, t)))
    rdma = sum(_carried(holding, t) for holding in files)
    sample = NodeSample(
        t=t,
        node=node,
        phase=_phase(alive),
        unified=True,
        gpu_procs_bytes=sum(holding.gpu_bytes for holding in alive),
        rdma_rx_bytes=rdma,
        rdma_tx_bytes=rdma,
        rdma_errors=0,
        rdma_link_gbps=LINK_GBPS,
        net_rx_bytes=int(t * NET_BYTES_PER_S),
        net_tx_bytes=int(t * NET_BYTES_PER_S),
        nvml_ms=round(1.8 + 0.2 * _ripple(node, t + 5), 2),
        heartbeat=heartbeat,
        **_memory(available, alive),
        **_gpu(node, t, files, min(1.0, sum(holding.busy for holding in alive))),
    )
    for holding in alive:
        sample = shown(sample, holding)
    return sample


def _memory(available: int, alive: list[Holding]) -> dict[str, Any]:
    free = max(0, available - PAGE_CACHE_BYTES)
    short = max(0.0, 1.0 - available / PRESSED_BYTES)
    largest = max(alive, key=lambda holding: holding.held_bytes, default=None)
    return {
        "mem_total_bytes": MEM_TOTAL_BYTES,
        "mem_available_bytes": available,
        "mem_free_bytes": free,
        "order9_free": int(free * 0.9) // ORDER9_BYTES,
        "swap_used_bytes": 0,
        "swap_in_bytes": 0,
        "swap_out_bytes": 0,
        "alloc_stalls": 0,
        "psi_some_pct": round(60 * short, 2),
        "psi_full_pct": round(25 * short, 2),
        "top": f"{largest.role} {largest.held_bytes / GIB:.1f} GiB" if short and largest else None,
    }


def _gpu(node: str, t: float, files: list[Holding], busy: float) -> dict[str, Any]:
    return {
        "gpu_util_pct": round(96 * busy),
        "power_w": round(IDLE_POWER_W + (BUSY_POWER_W - IDLE_POWER_W) * busy + _ripple(node, t), 2),
        "temp_c": round(IDLE_TEMP_C + (BUSY_TEMP_C - IDLE_TEMP_C) * _heat(files, t)),
        "sm_mhz": BUSY_SM_MHZ if busy > 0.05 else IDLE_SM_MHZ,
        "throttle": "",
        "load1": round(0.2 + 2 * busy, 2),
    }


def _carried(holding: Holding, t: float) -> int:
    """Return what the fabric had carried: it counts evenly, though its process tells of it only now and then."""
    played = min(1.0, (t - holding.updated) / holding.interval_s) if holding.interval_s else 1.0
    return holding.rdma_before_bytes + int(max(0.0, played) * (holding.rdma_bytes - holding.rdma_before_bytes))


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
