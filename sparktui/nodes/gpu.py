"""What NVML says, one call at a time: on GB10 some calls answer "not supported" while the others work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

UNIFIED_BAND = (0.9, 1.1)
"""A GPU whose total is within this band of the node's memory shares that memory."""


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One round of NVML calls over all GPUs; None where a call was refused."""

    procs_bytes: int | None = None
    total_bytes: int | None = None
    used_bytes: int | None = None
    util_pct: float | None = None
    power_w: float | None = None
    temp_c: float | None = None
    sm_mhz: float | None = None
    energy_j: float | None = None
    """The GPUs' own counters, summed; None unless every GPU has one."""
    nvml_ms: float | None = None

    def unified(self, mem_total_bytes: int | None) -> bool | None:
        """Tell whether the GPU shares the node's memory: no total of its own, or one like the node's."""
        if self.nvml_ms is None:
            return None
        if not self.total_bytes:
            return True
        if not mem_total_bytes:
            return None
        low, high = UNIFIED_BAND
        return low <= self.total_bytes / mem_total_bytes <= high


def read_gpus() -> GpuReading:
    """Return NVML's readings, summed over GPUs (the hottest for temperature); empty without NVML.

    Blocks, sometimes for minutes on a sick driver: call it on a thread with a deadline.
    """
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001 - no driver, no library, no GPU: all the same answer
        return GpuReading()
    started = time.monotonic()
    handles = _handles(pynvml)
    if not handles:
        return GpuReading()
    memory = [_ask(pynvml, pynvml.nvmlDeviceGetMemoryInfo, handle) for handle in handles]
    rates = [_ask(pynvml, pynvml.nvmlDeviceGetUtilizationRates, handle) for handle in handles]
    return GpuReading(
        procs_bytes=_process_bytes(pynvml, handles),
        total_bytes=_sum([answer.total if answer else None for answer in memory]),
        used_bytes=_sum([answer.used if answer else None for answer in memory]),
        util_pct=_highest([answer.gpu if answer else None for answer in rates]),
        power_w=_watts(_sum([_ask(pynvml, pynvml.nvmlDeviceGetPowerUsage, handle) for handle in handles])),
        temp_c=_highest([_ask(pynvml, pynvml.nvmlDeviceGetTemperature, handle, 0) for handle in handles]),
        sm_mhz=_highest([_ask(pynvml, pynvml.nvmlDeviceGetClockInfo, handle, 1) for handle in handles]),
        energy_j=_joules([_ask(pynvml, pynvml.nvmlDeviceGetTotalEnergyConsumption, handle) for handle in handles]),
        nvml_ms=(time.monotonic() - started) * 1000,
    )


def _handles(nvml: Any) -> list[Any]:
    count = _ask(nvml, nvml.nvmlDeviceGetCount) or 0
    found = [_ask(nvml, nvml.nvmlDeviceGetHandleByIndex, i) for i in range(count)]
    return [handle for handle in found if handle is not None]


def _process_bytes(nvml: Any, handles: list[Any]) -> int | None:
    """Sum what processes hold. A process listed twice (compute and graphics) counts once, with the larger figure."""
    held: dict[tuple[int, int], int] = {}
    answered = False
    for index, handle in enumerate(handles):
        for query in (nvml.nvmlDeviceGetComputeRunningProcesses, nvml.nvmlDeviceGetGraphicsRunningProcesses):
            processes = _ask(nvml, query, handle)
            answered = answered or processes is not None
            for process in processes or []:
                key = (index, process.pid)
                held[key] = max(held.get(key, 0), process.usedGpuMemory or 0)
    return sum(held.values()) if answered else None


def _ask(nvml: Any, call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except nvml.NVMLError:
        return None


def _sum(values: list[Any]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _highest(values: list[Any]) -> float | None:
    return max((float(value) for value in values if value is not None), default=None)


def _joules(millijoules: list[int | None]) -> float | None:
    known = [value for value in millijoules if value is not None]
    return sum(known) / 1000 if len(known) == len(millijoules) else None


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000
