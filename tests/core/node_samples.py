"""Samples of a node over time, as an agent would send them: what is not said is what a healthy, busy Spark says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sparktui.nodes.sample import NodeSample

GIB = 1024**3
MIB = 1024**2

Reading = Any
"""A value, or a function that gives one for the seconds since the first sample."""

BUSY: dict[str, Any] = {
    "phase": "serving",
    "mem_total_bytes": 121 * GIB,
    "mem_available_bytes": 40 * GIB,
    "mem_free_bytes": 36 * GIB,
    "unified": True,
    "swap_used_bytes": 0,
    "swap_in_bytes": 0,
    "swap_out_bytes": 0,
    "order9_free": 9_000,
    "gpu_util_pct": 96.0,
    "power_w": 62.0,
    "temp_c": 66.0,
    "sm_mhz": 2411.0,
    "throttle": "",
    "rdma_rx_bytes": 0,
    "rdma_tx_bytes": 0,
    "rdma_errors": 0,
    "rdma_link_gbps": 200.0,
    "net_rx_bytes": 0,
    "net_tx_bytes": 0,
}


def samples(seconds: float = 20.0, node: str = "gf1", hz: float = 2.0, **readings: Reading) -> list[NodeSample]:
    """Return what an agent says over some seconds."""
    made = []
    for number in range(int(seconds * hz) + 1):
        t = number / hz
        said = {name: value(t) if callable(value) else value for name, value in (BUSY | readings).items()}
        made.append(NodeSample(t=1_000.0 + t, node=node, heartbeat=number, **said))
    return made


def counting(per_second: float) -> Callable[[float], int]:
    """Return a counter that goes up evenly."""
    return lambda t: int(t * per_second)
