"""One look at a node: what an agent reports, what the store keeps, what the guard judges."""

from __future__ import annotations

import msgspec

from sparktui.nodes.phase import Phase as Phase


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
    swap_in_bytes: int | None = None
    swap_out_bytes: int | None = None
    """Read from and written to swap, counting up since boot."""
    psi_some_pct: float | None = None
    """/proc/pressure/memory `some avg10`: already a percentage."""
    psi_full_pct: float | None = None
    order9_free: int | None = None
    """Free blocks of order 9 and above, from /proc/buddyinfo."""
    alloc_stalls: int | None = None
    """How often an allocation had to wait for memory to be freed (`allocstall_*` of /proc/vmstat), since boot."""
    gpu_util_pct: float | None = None
    power_w: float | None = None
    temp_c: float | None = None
    sm_mhz: float | None = None
    throttle: str | None = None
    """Why the GPU is held back, in NVML's words, joined by commas; empty where it is not."""
    rdma_rx_bytes: int | None = None
    rdma_tx_bytes: int | None = None
    rdma_errors: int | None = None
    """Errors, discards and retries of all RDMA ports, since boot."""
    rdma_link_gbps: float | None = None
    """What the active RDMA ports have negotiated, summed, in Gbit/s."""
    net_rx_bytes: int | None = None
    net_tx_bytes: int | None = None
    """Over plain interfaces, loopback left out: RDMA is not in these."""
    load1: float | None = None
    """The load average over a minute."""
    top: str | None = None
    """Who holds most, while memory is short: `vllm 41.2 GiB, Xorg 0.3 GiB`."""
    nvml_ms: float | None = None
    """How long the last round of NVML calls took."""
    nvml_hung: str | None = None
    """The NVML call that has not come back for longer than its deadline; None where none hangs."""
    energy_j: float | None = None
    """The GPU's own energy counter (NVML), counting up since the driver was loaded."""
    heartbeat: int = 0
    """Counts up by one a sample."""
