"""What a node's GPUs say: one round of NVML calls over all of them, each reading None where it was refused."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sparktui.nodes.apart import Apart
from sparktui.nodes.nvml import GONE, NOT_SUPPORTED, Nvml
from sparktui.nodes.pace import Pace

UNIFIED_BAND = (0.9, 1.1)
"""A GPU whose total is within this band of the node's memory shares that memory."""
ROUND_DEADLINE_S = 5.0
ENERGY_SHARE, ENERGY_LONGEST_S = 0.004, 1.5
"""The energy counter took 4.3 ms of a core on an H100, five times what all other calls take together."""
TEMPERATURE_GPU, CLOCK_SM = 0, 1
MEMORY_V2 = 2 << 24 | 40
"""nvmlMemory_v2, as pynvml wants it said: the version of a struct of so many bytes."""
THROTTLE = {
    0x2: "applications clocks setting",
    0x4: "sw power cap",
    0x8: "hw slowdown",
    0x10: "sync boost",
    0x20: "sw thermal slowdown",
    0x40: "hw thermal slowdown",
    0x80: "hw power brake slowdown",
    0x100: "display clock setting",
}
"""NVML's clock event reasons. Being idle (0x1) is not being held back."""

N = TypeVar("N", int, float)


@dataclass(frozen=True, slots=True)
class GpuReading:
    """One round over all GPUs; None where a call was refused, and where only some GPUs answered what is summed."""

    procs_bytes: int | None = None
    by_pid: dict[int, int] = field(default_factory=dict)
    """Of the processes whose memory the driver tells."""
    total_bytes: int | None = None
    """0 where the GPUs have no memory of their own to tell of."""
    used_bytes: int | None = None
    util_pct: float | None = None
    power_w: float | None = None
    temp_c: float | None = None
    sm_mhz: float | None = None
    throttle: str | None = None
    energy_j: float | None = None
    """The GPUs' own counters, summed; None in between, where asking takes long."""
    nvml_ms: float | None = None
    hung: str | None = None
    """The call that has not come back; everything else is unknown then."""
    lost: int = 0
    """How many GPUs that were there do not answer any more."""

    def unified(self, mem_total_bytes: int | None) -> bool | None:
        """Tell whether the GPUs share the node's memory: no total of their own, or one like the node's."""
        if self.total_bytes is None:
            return None
        if self.total_bytes == 0:
            return True
        if not mem_total_bytes:
            return None
        low, high = UNIFIED_BAND
        return low <= self.total_bytes / mem_total_bytes <= high


@dataclass(frozen=True, slots=True)
class OneGpu:
    """One GPU's answers."""

    total_bytes: int | None
    used_bytes: int | None
    by_pid: dict[int, int | None] | None
    """None for a process whose memory the driver does not tell, as it does for those of another container."""
    util_pct: int | None
    power_mw: int | None
    temp_c: int | None
    sm_mhz: int | None
    reasons: int | None


class Gpus:
    """The GPUs of a node, asked on a thread of their own."""

    def __init__(self, nvml: Nvml | None = None) -> None:
        self._nvml = nvml or Nvml()
        energy = Pace(ENERGY_SHARE, ENERGY_LONGEST_S)
        self._apart = Apart(lambda: read_gpus(self._nvml, energy), ROUND_DEADLINE_S)

    def ask(self) -> None:
        """Begin a round, unless one is on its way."""
        self._apart.ask()

    def latest(self, wait_s: float) -> GpuReading:
        """Return the newest round, waiting so long for the one on its way; empty, with its name, where a call hangs."""
        reading = self._apart.latest(wait_s)
        hung = self._nvml.hung()
        return GpuReading(hung=hung) if hung else reading or GpuReading()


def read_gpus(nvml: Nvml, energy: Pace | None = None) -> GpuReading:
    """Return NVML's readings, summed over GPUs (the hottest and fastest for temperature and clock); empty without NVML.

    Blocks, sometimes for minutes: call it on a thread of its own.
    """
    if not nvml.open():
        return GpuReading(lost=nvml.most)
    started = time.monotonic()
    gpus = [_one(nvml, handle) for handle in nvml.handles]
    counters = _energies(nvml, energy) if energy is None or energy.is_due() else []
    here = [gpu for gpu in gpus if gpu is not None]
    if len(here) < nvml.most:
        nvml.renew()
    return _together(here, counters, nvml.most, (time.monotonic() - started) * 1000)


def _together(gpus: list[OneGpu], energies_mj: list[int | None], count: int, nvml_ms: float) -> GpuReading:
    def total(values: Iterable[N | None]) -> N | None:
        known = [value for value in values if value is not None]
        return sum(known) if len(known) == count else None

    held = [gpu.by_pid for gpu in gpus if gpu.by_pid is not None]
    return GpuReading(
        procs_bytes=_sum_of(size for one in held for size in one.values()) if len(held) == count else None,
        by_pid=_by_pid(held),
        total_bytes=total(gpu.total_bytes for gpu in gpus),
        used_bytes=total(gpu.used_bytes for gpu in gpus),
        util_pct=_highest(gpu.util_pct for gpu in gpus),
        power_w=_thousandth(total(gpu.power_mw for gpu in gpus)),
        temp_c=_highest(gpu.temp_c for gpu in gpus),
        sm_mhz=_highest(gpu.sm_mhz for gpu in gpus),
        throttle=_words([gpu.reasons for gpu in gpus]),
        energy_j=_thousandth(total(energies_mj)),
        nvml_ms=nvml_ms,
        lost=count - len(gpus),
    )


def _one(nvml: Nvml, handle: Any) -> OneGpu | None:
    """Return a GPU's answers, or None where it is lost: then the other questions are not even asked."""
    memory = _memory(nvml, handle)
    shared = nvml.refusal == NOT_SUPPORTED
    power_mw = nvml.ask("nvmlDeviceGetPowerUsage", handle)
    if nvml.refusal in GONE:
        return None
    rates = nvml.ask("nvmlDeviceGetUtilizationRates", handle)
    return OneGpu(
        total_bytes=memory.total if memory else 0 if shared else None,
        used_bytes=memory.used if memory else None,
        by_pid=_processes(nvml, handle),
        util_pct=rates.gpu if rates else None,
        power_mw=power_mw,
        temp_c=nvml.ask("nvmlDeviceGetTemperature", handle, TEMPERATURE_GPU),
        sm_mhz=nvml.ask("nvmlDeviceGetClockInfo", handle, CLOCK_SM),
        reasons=_reasons(nvml, handle),
    )


def _memory(nvml: Nvml, handle: Any) -> Any:
    """Return a GPU's memory as nvidia-smi tells it: what the driver keeps for itself is not in use by anybody.

    The first version of the call counts that as used; it is asked only where there is no second.
    """
    memory = nvml.ask("nvmlDeviceGetMemoryInfo", handle, MEMORY_V2)
    return memory if nvml.refusal is None else nvml.ask("nvmlDeviceGetMemoryInfo", handle)


def _energies(nvml: Nvml, energy: Pace | None) -> list[int | None]:
    """Return each GPU's energy counter, in millijoules."""
    begun = time.thread_time()
    counters = [nvml.ask("nvmlDeviceGetTotalEnergyConsumption", handle) for handle in nvml.handles]
    if energy is not None:
        energy.spent(time.thread_time() - begun)
    return counters


def _processes(nvml: Nvml, handle: Any) -> dict[int, int | None] | None:
    """Return what each process holds. One listed twice (compute and graphics) counts once, with the larger figure."""
    calls = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses")
    answers = [answer for call in calls if (answer := nvml.ask(call, handle)) is not None]
    held: dict[int, int | None] = {}
    for process in (process for answer in answers for process in answer):
        known = [size for size in (held.get(process.pid), process.usedGpuMemory) if size is not None]
        held[process.pid] = max(known, default=None)
    return held if answers else None


def _reasons(nvml: Nvml, handle: Any) -> int | None:
    """Return the clock event reasons, under the name that drivers before 535 have for them where it must be."""
    reasons = nvml.ask("nvmlDeviceGetCurrentClocksEventReasons", handle)
    if nvml.refusal is not None:
        reasons = nvml.ask("nvmlDeviceGetCurrentClocksThrottleReasons", handle)
    return None if reasons is None else int(reasons)


def _sum_of(sizes: Iterable[int | None]) -> int | None:
    """Return a sum; None where a part of it is unknown, for it would be too small."""
    known = list(sizes)
    return None if None in known else sum(size for size in known if size is not None)


def _by_pid(held: Iterable[dict[int, int | None]]) -> dict[int, int]:
    together: dict[int, int] = {}
    for pid, size in (item for one in held for item in one.items()):
        if size is not None:
            together[pid] = together.get(pid, 0) + size
    return together


def _words(reasons: list[int | None]) -> str | None:
    known = [bits for bits in reasons if bits is not None]
    return ", ".join(word for bit, word in THROTTLE.items() if any(bits & bit for bits in known)) if known else None


def _highest(values: Iterable[int | None]) -> float | None:
    return max((float(value) for value in values if value is not None), default=None)


def _thousandth(value: int | None) -> float | None:
    return None if value is None else value / 1000
