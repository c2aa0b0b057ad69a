"""What goes wrong on a simulated node: how it shows in its readings, and what it does to the engine there.

Every fault is played as owners of real nodes have described it, so that what is said of it can be tried beforehand.
"""

from __future__ import annotations

import os
import signal
import time
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sparktui.faults import Fault
from sparktui.nodes.sample import NodeSample
from sparktui.sim.holding import GIB, Holding, MemoryCurve, published
from sparktui.sim.spark import BUSY_SM_MHZ, IDLE_AVAILABLE_BYTES

TRACE_GIB = (28.97, 28.96, 27.31, 23.79, 10.6, 6.27, 2.5)
"""What a node had left when it broke down, every 2 s: a published trace, and what was said of its end."""
COLLAPSE_GIB = tuple((3.0 + 2.0 * step, gib) for step, gib in enumerate(TRACE_GIB))
"""The same by seconds since the fall began; the first of them are for the way down to where the trace begins."""
COLLAPSE_LASTS_S = 60.0
"""For so long the load does not get on: a node that falls like this never comes to serve."""
ZOMBIE_REQUESTS = 2
"""As soon as so many run at once, no further token is made."""
ZOMBIE_IDLE_W, ZOMBIE_SPINNING_W = 13.0, 31.0
STUCK_MHZ, STUCK_W, STUCK_C = 850.0, 28.0, 47.0
SLOW_LINK_GBPS, SLOW_LINK_W = 13.0, 41.0
SLOW_LINK_FACTOR = 2.0
"""How much longer a step takes, with the GPUs waiting for each other."""
HUNG_CALL = "nvmlDeviceGetUtilizationRates"
AGENT_LOST_AFTER_S = 2.0
"""Of serving."""
SILENT_S = 7.0
"""How long after it was killed a node's agent says nothing."""
AGENT_KILLED = "agent-killed"
"""A file in the node's folder: an agent is killed only once."""


@dataclass(frozen=True, slots=True)
class Collapsing:
    """The memory of an engine on a node that breaks down while it loads."""

    curve: MemoryCurve
    sick: bool
    """Its own node is the one."""

    @property
    def load_s(self) -> float:
        """How long it takes to load."""
        return self.curve.load_s + COLLAPSE_LASTS_S

    def gpu_bytes(self, elapsed_s: float) -> int:
        """Return what the process holds on the GPU, which tells nothing of what is going on."""
        return self.curve.gpu_bytes(elapsed_s)

    def held_bytes(self, elapsed_s: float) -> int:
        """Return all that is held of the node: once all of the model is in, far more than the process asked for."""
        held = self.curve.held_bytes(min(elapsed_s, self.curve.load_s))
        falling_s = elapsed_s - self.curve.load_s
        if not self.sick or falling_s <= 0:
            return held
        return IDLE_AVAILABLE_BYTES - int(left_gib(falling_s, (IDLE_AVAILABLE_BYTES - held) / GIB) * GIB)


def left_gib(falling_s: float, before_gib: float) -> float:
    """Return what a collapsing node has left so long after it began to fall, straight between the trace's points."""
    points = [(0.0, before_gib), *COLLAPSE_GIB]
    i = bisect_right(points, falling_s, key=lambda point: point[0])
    if i == len(points):
        return points[-1][1]
    (earlier, high), (later, low) = points[i - 1], points[i]
    return high + (low - high) * (falling_s - earlier) / (later - earlier)


def slowdown(fault: Fault | None) -> float:
    """Return what a fault multiplies the engine's step times by."""
    return {"throttle": BUSY_SM_MHZ / STUCK_MHZ, "link-slow": SLOW_LINK_FACTOR}.get(fault or "", 1.0)


def freezes(fault: Fault | None, running: int) -> bool:
    """Tell whether the engine makes no further token now."""
    return fault == "zombie" and running >= ZOMBIE_REQUESTS


def fabric_bytes(fault: Fault | None, sent_bytes: int, busy_s: float) -> int:
    """Return what the fabric has carried: on a slow link, no more than it can in the time that the engine computed."""
    return int(busy_s * SLOW_LINK_GBPS * 1e9 / 8) if fault == "link-slow" and sent_bytes else sent_bytes


def shown(sample: NodeSample, ailing: Holding) -> NodeSample:
    """Return a node's readings as they are while one of its processes plays a fault."""
    busy = (sample.gpu_util_pct or 0.0) >= 50
    changes: dict[str, Any] = {}
    match ailing.plays:
        case "zombie":
            power_w = ZOMBIE_IDLE_W if ailing.sick else ZOMBIE_SPINNING_W
            changes = {"gpu_util_pct": 96.0, "power_w": power_w, "sm_mhz": BUSY_SM_MHZ}
        case "throttle" if ailing.sick and busy:
            changes = {"sm_mhz": STUCK_MHZ, "power_w": STUCK_W, "temp_c": STUCK_C}
        case "link-slow" if busy:
            changes = {"power_w": SLOW_LINK_W}
        case "nvml-hang" if ailing.sick:
            names = ("gpu_procs_bytes", "gpu_util_pct", "power_w", "temp_c", "sm_mhz", "throttle", "nvml_ms")
            changes = dict.fromkeys(names) | {"nvml_hung": HUNG_CALL}
    return msgspec.structs.replace(sample, **changes)


def lose_agent(state_dir: Path, node: str) -> None:
    """Kill the agent that calls this, where that is what is played, and keep the next one silent for a while."""
    if not any(holding.plays == "agent-lost" and holding.sick for holding in published(state_dir, node)):
        return
    killed = state_dir / node / AGENT_KILLED
    if not killed.exists():
        killed.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(max(0.0, killed.stat().st_mtime + SILENT_S - time.time()))
