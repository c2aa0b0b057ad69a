"""One look at a node: what an agent reports, what the store keeps, what the guard judges."""

from __future__ import annotations

from typing import Literal

import msgspec

Phase = Literal["idle", "loading", "warming", "serving", "stopping"]


class NodeSample(msgspec.Struct, frozen=True, kw_only=True):
    """Every reading may be missing alone; a missing one is None."""

    t: float
    """Wall clock, seconds since the epoch."""
    node: str
    phase: Phase = "idle"
    mem_total_bytes: int | None = None
    mem_available_bytes: int | None = None
    """What the node has left, by the kernel's estimate (MemAvailable): the figure that kills it."""
    mem_free_bytes: int | None = None
    gpu_procs_bytes: int | None = None
    """What processes hold on the GPU (NVML, summed over processes)."""
    gpu_total_bytes: int | None = None
    """The GPU's own memory, on a discrete GPU; None on unified memory."""
    gpu_used_bytes: int | None = None
    unified: bool | None = None
    """The GPU shares the node's memory (GB10)."""
    swap_used_bytes: int | None = None
    psi_some_pct: float | None = None
    """/proc/pressure/memory `some avg10`: already a percentage."""
    psi_full_pct: float | None = None
    order9_free: int | None = None
    """Free blocks of order 9 and above, from /proc/buddyinfo."""
    gpu_util_pct: float | None = None
    power_w: float | None = None
    temp_c: float | None = None
    sm_mhz: float | None = None
    throttle: str | None = None
    rdma_rx_bytes: int | None = None
    rdma_tx_bytes: int | None = None
    nvml_ms: float | None = None
    """How long the last round of NVML calls took."""
    energy_j: float | None = None
    """The GPU's own energy counter (NVML), counting up since the driver was loaded."""
    heartbeat: int = 0
    """Counts up by one a sample."""
