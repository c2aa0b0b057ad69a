"""One look at this machine, put together from its separate readings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from sparktui.nodes.apart import Apart
from sparktui.nodes.fabric import INFINIBAND, Fabric
from sparktui.nodes.gpu import GpuReading, Gpus
from sparktui.nodes.memory import PROC, Fields, NodeMemory
from sparktui.nodes.top import top

FRESH_S = 0.02
"""How long a sample waits for the readings on threads; they mostly take a few milliseconds."""
DEADLINE_S = 2.0
PRESSED_PSI_PCT = 1.0
TOP_EVERY_S = 1.0


class Reader(Protocol):
    """What an agent samples."""

    def ask(self) -> None:
        """Begin the readings that are made on threads."""

    def left(self) -> Fields:
        """Return what is left on the node, at once."""

    def complete(self, left: Fields, warn_bytes: int) -> Fields:
        """Return a whole sample's fields around what was left; under `warn_bytes` with who holds most."""

    def trouble(self) -> tuple[str, str] | None:
        """Return (kind, sentence) of what has gone wrong since the last question, or None."""


class LocalReader:
    """This machine."""

    def __init__(self, proc: Path = PROC, infiniband: Path = INFINIBAND, gpus: Gpus | None = None) -> None:
        self._memory = NodeMemory(proc)
        self._gpus = gpus or Gpus()
        fabric = Fabric(infiniband, proc)
        self._fabric = Apart(fabric.read, DEADLINE_S)
        self._by_pid: dict[int, int] = {}
        self._asked_top = float("-inf")
        self._top = Apart(lambda: top(self._by_pid, proc), DEADLINE_S)
        self._unified: bool | None = None
        self._lost = 0
        self._trouble: tuple[str, str] | None = None

    def ask(self) -> None:
        """Begin a round of the GPUs' and the fabric's readings."""
        self._gpus.ask()
        self._fabric.ask()

    def left(self) -> Fields:
        """Return what is left, from one file that is kept open."""
        return self._memory.left()

    def complete(self, left: Fields, warn_bytes: int) -> Fields:
        """Return everything else around it; who holds most is of the sample before, since it takes a while."""
        strain = self._memory.strain()
        gpu = self._gpus.latest(FRESH_S)
        self._learn(gpu, left)
        return {
            **left,
            **strain,
            **gpu_fields(gpu, self._unified),
            **(self._fabric.latest(FRESH_S) or {}),
            "top": self._who(left, strain, warn_bytes),
        }

    def trouble(self) -> tuple[str, str] | None:
        """Return that a GPU was lost, once."""
        trouble, self._trouble = self._trouble, None
        return trouble

    def _learn(self, gpu: GpuReading, left: Fields) -> None:
        total = left.get("mem_total_bytes")
        unified = gpu.unified(total if isinstance(total, int) else None)
        self._unified = self._unified if unified is None else unified
        self._by_pid = gpu.by_pid if self._unified else {}
        if gpu.lost > self._lost:
            self._trouble = ("gpu-lost", f"{gpu.lost} GPU(s) that were there do not answer their driver any more")
        self._lost = gpu.lost

    def _who(self, left: Fields, strain: Fields, warn_bytes: int) -> str | None:
        if not is_pressed(left, strain, warn_bytes):
            return None
        if time.monotonic() - self._asked_top >= TOP_EVERY_S:
            self._asked_top = time.monotonic()
            self._top.ask()
        return self._top.latest() or None


def is_pressed(left: Mapping[str, object], strain: Mapping[str, object], warn_bytes: int) -> bool:
    """Tell whether it matters who holds the memory: under the warn floor, or processes wait for memory."""
    available, waiting = left.get("mem_available_bytes"), strain.get("psi_some_pct")
    low = isinstance(available, int) and available < warn_bytes
    return low or (isinstance(waiting, float) and waiting > PRESSED_PSI_PCT)


def gpu_fields(gpu: GpuReading, unified: bool | None) -> Fields:
    """Return a sample's fields about the GPUs; their own memory only where it is their own."""
    own = unified is False
    return {
        "unified": unified,
        "gpu_procs_bytes": gpu.procs_bytes,
        "gpu_total_bytes": gpu.total_bytes if own else None,
        "gpu_used_bytes": gpu.used_bytes if own else None,
        "gpu_util_pct": gpu.util_pct,
        "power_w": gpu.power_w,
        "temp_c": gpu.temp_c,
        "sm_mhz": gpu.sm_mhz,
        "throttle": gpu.throttle,
        "energy_j": gpu.energy_j,
        "nvml_ms": gpu.nvml_ms,
        "nvml_hung": gpu.hung,
    }
