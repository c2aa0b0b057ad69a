"""What a simulated DGX Spark is like when nothing runs on it, and when it is busy."""

from __future__ import annotations

from sparktui.sim.holding import GIB

MEM_TOTAL_BYTES = 127_600_748 * 1024
"""MemTotal of a DGX Spark."""
IDLE_AVAILABLE_BYTES = int(118.4 * GIB)
PAGE_CACHE_BYTES = 4 * GIB
"""Reclaimable cache: in MemAvailable, not in MemFree."""
IDLE_POWER_W, BUSY_POWER_W = 11.0, 60.0
IDLE_TEMP_C, BUSY_TEMP_C = 38.0, 71.0
IDLE_SM_MHZ, BUSY_SM_MHZ = 2_061.0, 2_411.0
LINK_GBPS = 200.0
"""One cable: two devices of 100 Gbit/s each."""
NET_BYTES_PER_S = 4_000
"""What an idle node says on its ordinary network."""
