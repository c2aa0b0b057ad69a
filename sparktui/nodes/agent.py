"""The process that watches one node: a JSON line a sample on stdout, until its parent is gone.

`python -m sparktui.nodes.agent --node gf2` reads this machine; with `--simulated DIR` it reads a simulated node.
The phase of what runs there is told to it on stdin, one word a line.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

import msgspec

from sparktui.nodes.fabric import rdma_bytes
from sparktui.nodes.gpu import GpuReading, read_gpus
from sparktui.nodes.memory import free_blocks, meminfo, pressure
from sparktui.nodes.sample import NodeSample, Phase

INTERVAL_S: dict[Phase, float] = {"loading": 0.2, "warming": 0.2, "serving": 0.5, "stopping": 0.5, "idle": 0.5}
PHASES: tuple[Phase, ...] = get_args(Phase)

Read = Callable[[Phase, int], NodeSample]


class GpuThread:
    """Reads NVML beside the sampling loop: a driver that hangs must not stop the memory readings."""

    FRESH_S = 0.02
    """How long a sample waits for the reading it has asked for; NVML mostly answers within a few milliseconds."""
    DEADLINE_S = 5.0
    """A reading that takes longer leaves the GPU's figures unknown: what was read before it is no news."""

    def __init__(self, read: Callable[[], GpuReading] = read_gpus) -> None:
        self._read = read
        self._latest = GpuReading()
        self._thread: threading.Thread | None = None
        self._begun = 0.0

    def latest(self) -> GpuReading:
        """Return the newest finished reading, of this moment where NVML is quick; one still on its way goes on."""
        if self._thread is None or not self._thread.is_alive():
            self._begun = time.monotonic()
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
            self._thread.join(self.FRESH_S)
        elif time.monotonic() - self._begun > self.DEADLINE_S:
            return GpuReading()
        return self._latest

    def _run(self) -> None:
        self._latest = self._read()


def local_reader(node: str) -> Read:
    """Return the reader of this machine."""
    gpus = GpuThread()
    return lambda phase, heartbeat: read_local(node, phase, heartbeat, gpus.latest())


def read_local(node: str, phase: Phase, heartbeat: int, gpu: GpuReading) -> NodeSample:
    """Return one sample of this machine."""
    memory, (some, full), (rdma_rx, rdma_tx) = meminfo(), pressure(), rdma_bytes()
    unified = gpu.unified(memory.get("MemTotal"))
    swap_total, swap_free = memory.get("SwapTotal"), memory.get("SwapFree")
    return NodeSample(
        t=time.time(),
        node=node,
        phase=phase,
        mem_total_bytes=memory.get("MemTotal"),
        mem_available_bytes=memory.get("MemAvailable"),
        mem_free_bytes=memory.get("MemFree"),
        gpu_procs_bytes=gpu.procs_bytes,
        gpu_total_bytes=None if unified else gpu.total_bytes,
        gpu_used_bytes=None if unified else gpu.used_bytes,
        unified=unified,
        swap_used_bytes=None if swap_total is None or swap_free is None else swap_total - swap_free,
        psi_some_pct=some,
        psi_full_pct=full,
        order9_free=free_blocks(),
        gpu_util_pct=gpu.util_pct,
        power_w=gpu.power_w,
        temp_c=gpu.temp_c,
        sm_mhz=gpu.sm_mhz,
        rdma_rx_bytes=rdma_rx,
        rdma_tx_bytes=rdma_tx,
        nvml_ms=gpu.nvml_ms,
        energy_j=gpu.energy_j,
        heartbeat=heartbeat,
    )


def simulated_reader(node: str, state_dir: Path) -> Read:
    """Return the reader of a simulated node."""
    from sparktui.sim.node import read_sample

    def read(phase: Phase, heartbeat: int) -> NodeSample:
        sample = read_sample(state_dir, node, heartbeat)
        return sample if phase == "idle" else msgspec.structs.replace(sample, phase=phase)

    return read


def run(read: Read, stdin: int, write: Callable[[bytes], object]) -> None:
    """Sample until stdin is closed or nobody reads any more."""
    phase: Phase = "idle"
    heartbeat = 0
    encoder = msgspec.json.Encoder()
    while True:
        started = time.monotonic()
        write(encoder.encode(read(phase, heartbeat)) + b"\n")
        heartbeat += 1
        told = _told(stdin, INTERVAL_S[phase] - (time.monotonic() - started))
        if told is None:
            return
        phase = told or phase


def _told(stdin: int, wait_s: float) -> Phase | Literal[""] | None:
    """Wait for the next sample; return the phase told meanwhile, "" where none was, None at the end of stdin."""
    told: Phase | Literal[""] = ""
    deadline = time.monotonic() + max(0.0, wait_s)
    while select.select([stdin], [], [], max(0.0, deadline - time.monotonic()))[0]:
        line = os.read(stdin, 4096)
        if not line:
            return None
        words = line.decode("ascii", "replace").split()
        told = next((phase for word in reversed(words) for phase in PHASES if phase == word), told)
    return told


def main() -> None:
    """Run as a process."""
    parser = argparse.ArgumentParser(prog="sparktui.nodes.agent")
    parser.add_argument("--node", required=True)
    parser.add_argument("--simulated", type=Path, metavar="DIR")
    options = parser.parse_args()
    read = simulated_reader(options.node, options.simulated) if options.simulated else local_reader(options.node)
    try:
        run(read, sys.stdin.fileno(), lambda line: os.write(sys.stdout.fileno(), line))
    except (BrokenPipeError, KeyboardInterrupt):
        return


if __name__ == "__main__":
    main()
