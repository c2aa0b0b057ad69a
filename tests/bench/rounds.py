"""What every benchmark here does alike: CPU time to the nanosecond, and figures with their spread."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median


def cpu_ns(pid: int) -> int:
    """Return the CPU time that all threads of a process have used, by the scheduler's count."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat"))


def stolen_s() -> float:
    """Return the CPU seconds that the hypervisor has kept from this machine since it was started."""
    return int(Path("/proc/stat").read_text().split(maxsplit=9)[8]) / os.sysconf("SC_CLK_TCK")


def spread(values: Sequence[float], unit: str = "", digits: int = 1) -> str:
    """Return a median with how many values it is of, and how far they go."""
    shown = f"{median(values):.{digits}f}{unit}"
    return f"{shown} (n={len(values)}, {min(values):.{digits}f} to {max(values):.{digits}f})"


def machine() -> str:
    """Return what these figures are from."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}, Python {platform.python_version()}"
    )
