"""What a simulated engine process holds on its node, published as a small JSON file of its own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from sparktui.faults import Fault

GIB = 1024**3
MIB = 1024**2

WEIGHTS_SHARE, KV_SHARE = 0.75, 0.15
"""How the loading time is spent: reading weights, taking the KV cache, and what is left on warming up."""
KV_AT_MOST_S = 1.0
ACTIVATIONS_BYTES = int(1.5 * GIB)
HOST_BYTES = int(3.5 * GIB)
"""What the process takes beside its GPU memory: Python, pinned buffers, CUDA's own."""
LEAK_BYTES_PER_S = 8 * MIB / 60


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One process's share of its node."""

    pid: int
    node: str
    topology: str
    role: Literal["engine", "rank"]
    phase: Literal["loading", "serving"]
    since: float
    """When the phase began, seconds since the epoch."""
    updated: float
    held_bytes: int
    """Everything it holds of the node's memory."""
    gpu_bytes: int
    """The part that NVML would report."""
    busy: float = 0.0
    """How much of the last moments was spent computing, 0 to 1."""
    heat: float = 0.0
    """The same, smoothed over half a minute: what the temperature follows."""
    rdma_bytes: int = 0
    """Sent, and received, over the fabric since the process began."""
    rdma_before_bytes: int = 0
    """The same when the file was written before, `interval_s` ago."""
    interval_s: float = 0.0
    url: str | None = None
    plays: Fault | None = None
    """What is going wrong with it now."""
    sick: bool = False
    """Its own node is the one that has it."""
    simulated: bool = True


@dataclass(frozen=True, slots=True)
class MemoryCurve:
    """How one engine's memory grows from its start on."""

    weights_bytes: int
    kv_bytes: int
    load_s: float

    def gpu_bytes(self, elapsed_s: float) -> int:
        """Return what the process holds on the GPU that long after it began to load."""
        weights_s = self.load_s * WEIGHTS_SHARE
        kv_s = min(KV_AT_MOST_S, self.load_s * KV_SHARE)
        weights = _part(elapsed_s, weights_s) * self.weights_bytes
        kv = _part(elapsed_s - weights_s, kv_s) * self.kv_bytes
        rest = _part(elapsed_s - weights_s - kv_s, self.load_s - weights_s - kv_s) * ACTIVATIONS_BYTES
        return int(weights + kv + rest)

    def held_bytes(self, elapsed_s: float) -> int:
        """Return all that the process holds of the node, leak included."""
        host = _part(elapsed_s, self.load_s * 0.1) * HOST_BYTES
        leak = max(0.0, elapsed_s - self.load_s) * LEAK_BYTES_PER_S
        return self.gpu_bytes(elapsed_s) + int(host + leak)


def _part(elapsed: float, whole: float) -> float:
    return min(1.0, max(0.0, elapsed / whole)) if whole > 0 else float(elapsed >= 0)


def publish(state_dir: Path, holding: Holding) -> None:
    """Write a process's file, whole or not at all."""
    folder = state_dir / holding.node
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{holding.pid}.json"
    draft = path.with_suffix(".tmp")
    draft.write_bytes(msgspec.json.encode(holding))
    os.replace(draft, path)


def published(state_dir: Path, node: str = "*") -> list[Holding]:
    """Read every file of a node, or of all nodes; files being removed are skipped."""
    found = []
    for path in sorted(state_dir.glob(f"{node}/*.json")):
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Holding))
        except FileNotFoundError:
            continue
    return found
