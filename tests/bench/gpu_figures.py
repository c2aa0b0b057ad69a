"""What an agent reads of this machine's GPUs, beside what nvidia-smi says of the same, in turns.

`python tests/bench/gpu_figures.py [ROUNDS]` needs an NVIDIA GPU, nvidia-smi and pynvml. It ends with 1 where memory,
the one figure that does not change by itself, differs by more than a MiB a GPU.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from sparktui.nodes.gpu import GpuReading, read_gpus
from sparktui.nodes.nvml import Nvml

MIB = 1024**2
QUERY = (
    "memory.total",
    "memory.used",
    "memory.reserved",
    "utilization.gpu",
    "power.draw",
    "temperature.gpu",
    "clocks.sm",
)


def smi(*query: str) -> list[list[float | None]]:
    """Return what nvidia-smi says: a row a GPU or process; None where it does not tell."""
    argv = ["nvidia-smi", *query, "--format=csv,noheader,nounits"]
    said = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    return [[_number(field) for field in line.split(",")] for line in said.splitlines() if line.strip()]


def _number(field: str) -> float | None:
    try:
        return float(field)
    except ValueError:
        return None


def summed(column: list[float | None]) -> float | None:
    """Return a sum, or None where a part of it is unknown."""
    known = [value for value in column if value is not None]
    return sum(known) if len(known) == len(column) else None


def theirs() -> dict[str, float | None]:
    """Return nvidia-smi's figures as an agent sums them."""
    columns = dict(zip(QUERY, map(list, zip(*smi(f"--query-gpu={','.join(QUERY)}"), strict=True)), strict=True))
    highest = {name: max((v for v in columns[name] if v is not None), default=None) for name in QUERY[3:]}
    processes = [size for (size,) in smi("--query-compute-apps=used_gpu_memory")]
    return {
        "memory, MiB": summed(columns["memory.total"]),
        "used, MiB": summed(columns["memory.used"]),
        "reserved by the driver, MiB": summed(columns["memory.reserved"]),
        "held by processes, MiB": summed(processes),
        "busy, %": highest["utilization.gpu"],
        "power, W": summed(columns["power.draw"]),
        "temperature, C": highest["temperature.gpu"],
        "SM clock, MHz": highest["clocks.sm"],
    }


def ours(reading: GpuReading) -> dict[str, float | None]:
    """Return an agent's figures under the same names."""
    return {
        "memory, MiB": _mib(reading.total_bytes),
        "used, MiB": _mib(reading.used_bytes),
        "reserved by the driver, MiB": None,
        "held by processes, MiB": _mib(reading.procs_bytes),
        "busy, %": reading.util_pct,
        "power, W": reading.power_w,
        "temperature, C": reading.temp_c,
        "SM clock, MHz": reading.sm_mhz,
    }


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB


def main() -> int:
    """Print the figures side by side; return 1 where the memory differs."""
    nvml, apart = Nvml(), False
    for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        reading = read_gpus(nvml)
        agent, driver = ours(reading), theirs()
        print(f"round {number + 1}: {nvml.most} GPUs, NVML took {reading.nvml_ms} ms; throttled: {reading.throttle!r}")
        for name, value in agent.items():
            print(f"  {name:<28} agent {_shown(value)}   nvidia-smi {_shown(driver[name])}")
        pairs = [(agent[name], driver[name]) for name in ("memory, MiB", "used, MiB")]
        apart |= any(a is None or b is None or abs(a - b) > nvml.most for a, b in pairs)
    print("the memory differs" if apart else "the memory agrees")
    return int(apart)


def _shown(value: float | None) -> str:
    return f"{'-' if value is None else format(value, '.1f'):>12}"


if __name__ == "__main__":
    sys.exit(main())
