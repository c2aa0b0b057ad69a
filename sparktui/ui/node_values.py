"""What the agents say of the nodes, as frozen values; unknowns are None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparktui.live.values import STALE_INTERVALS

NODE_INTERVAL_S = 1.0
STALE_S = STALE_INTERVALS * NODE_INTERVAL_S
"""A silence this long is more than a sample or two that are late."""

Alarm = Literal["", "warn", "stop"]


@dataclass(frozen=True, slots=True)
class Node:
    """One machine at its last sample."""

    name: str
    fragile: bool
    phase: str
    age_s: float
    mem_total_bytes: int | None
    mem_available_bytes: int | None
    gpu_procs_bytes: int | None
    slope_gib_s: float | None
    """Change of the memory left over the last seconds, as Nodes says it; falling is negative."""
    swap_used_bytes: int | None
    psi_some_pct: float | None
    gpu_util_pct: float | None
    power_w: float | None
    temp_c: float | None
    sm_mhz: float | None
    rdma_rx_gb_s: float | None
    rdma_tx_gb_s: float | None
    warn_gib: float | None
    stop_gib: float | None
    """Under which the guard stops what runs there, in this phase."""
    mem_free_bytes: int | None = None
    seconds_to_floor: float | None = None
    """Until the stop floor, at the slope of the last seconds; None while memory does not fall, and in a load that falls
    to what was predicted for it."""
    expected_gib: float | None = None
    """What loading was predicted to leave, where the stop floor is that less a margin."""
    rank: int | None = None
    """In the topology that is up; None where it is not part of a cluster."""
    link_gbps: float | None = None
    throttle: str | None = None
    nvml_hung: str | None = None
    top: str | None = None
    """Who holds most, while memory is short."""
    told: Alarm = ""
    """What the guard has told of it: a warning that stands, or that it has stopped what ran there."""
    findings: tuple[str, ...] = ()
    """What is not well with it, in a few words each."""

    @property
    def stale(self) -> bool:
        """Whether the agent has missed several samples."""
        return self.age_s > STALE_S

    @property
    def warns_gib(self) -> float | None:
        """Under which the guard warns before it stops; None where it stops sooner, or does neither."""
        if self.stop_gib is None or self.warn_gib is None:
            return None
        return self.warn_gib if self.warn_gib > self.stop_gib else None

    @property
    def alarm(self) -> Alarm:
        """The worse of what the guard has told and which floor the memory left is under."""
        return max(self.told, self._under, key=("", "warn", "stop").index)

    @property
    def _under(self) -> Alarm:
        if self.mem_available_bytes is None:
            return ""
        left_gib = self.mem_available_bytes / 1024**3
        if self.stop_gib is not None and left_gib < self.stop_gib:
            return "stop"
        return "warn" if self.warn_gib is not None and left_gib < self.warn_gib else ""


@dataclass(frozen=True, slots=True)
class GuardStop:
    """The guard has ended what ran on a node."""

    t: float
    """When the floor was crossed; with the node, what a viewer remembers it by."""
    node: str
    text: str
    """What was crossed and what was done about it, with the numbers."""
