"""What a running engine process publishes about itself: memory, phase, how busy it is."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sparktui.faults import Fault
from sparktui.sim.faults import AGENT_LOST_AFTER_S, Collapsing
from sparktui.sim.holding import Holding, MemoryCurve, publish, published
from sparktui.sim.node import is_alive

LOADING_INTERVAL_S, SERVING_INTERVAL_S = 0.1, 0.5
HEAT_S = 25.0
"""The time constant of a GB10 warming up."""


@dataclass(slots=True)
class Report:
    """One process's file; `write` it again and again."""

    state_dir: Path
    node: str
    topology: str
    role: Literal["engine", "rank"]
    curve: MemoryCurve | Collapsing
    url: str | None = None
    fault: Fault | None = None
    """What is to go wrong with it."""
    sick: bool = False
    """Its own node is the one that has it."""
    _began: float = field(default_factory=time.monotonic)
    _since: float = field(default_factory=time.time)
    _loaded: bool = False
    _seen_at: float = field(default_factory=time.monotonic)
    _seen_busy_s: float = 0.0
    _heat: float = 0.0
    _rdma_bytes: int = 0
    _written_at: float | None = None

    @property
    def interval_s(self) -> float:
        """How long to wait before the next write."""
        return SERVING_INTERVAL_S if self._loaded else LOADING_INTERVAL_S

    def write(self, busy_s: float, rdma_bytes: int, *, frozen: bool = False) -> None:
        """Publish this moment; `busy_s` counts all computing since the start, and `frozen` says that it is over."""
        now = time.monotonic()
        elapsed = max(1e-3, now - self._seen_at)
        busy = min(1.0, max(0.0, busy_s - self._seen_busy_s) / elapsed)
        self._seen_at, self._seen_busy_s = now, busy_s
        self._heat += (busy - self._heat) * min(1.0, elapsed / HEAT_S)
        self._publish(busy, self._heat, rdma_bytes, frozen=frozen)

    def mirror_head(self) -> None:
        """Publish this moment for a rank, which computes whenever the head of its cluster does."""
        heads = [other for other in published(self.state_dir) if self._is_head(other) and is_alive(other.pid)]
        if heads:
            head = max(heads, key=lambda other: other.updated)
            self._publish(head.busy, head.heat, head.rdma_bytes, frozen=head.plays == "zombie")
        else:
            self._publish(0.0, 0.0, 0, frozen=False)

    def _is_head(self, other: Holding) -> bool:
        return other.role == "engine" and other.topology == self.topology

    def _publish(self, busy: float, heat: float, rdma_bytes: int, *, frozen: bool) -> None:
        now = time.monotonic()
        elapsed = now - self._began
        if not self._loaded and elapsed >= self.curve.load_s:
            self._loaded, self._since = True, time.time()
        holding = Holding(
            pid=os.getpid(),
            node=self.node,
            topology=self.topology,
            role=self.role,
            phase="serving" if self._loaded else "loading",
            since=self._since,
            updated=time.time(),
            held_bytes=self.curve.held_bytes(elapsed),
            gpu_bytes=self.curve.gpu_bytes(elapsed),
            busy=busy,
            heat=heat,
            rdma_bytes=max(rdma_bytes, self._rdma_bytes),
            rdma_before_bytes=self._rdma_bytes,
            interval_s=0.0 if self._written_at is None else now - self._written_at,
            url=self.url,
            plays=self.fault if self._plays(frozen) else None,
            sick=self.sick,
        )
        with suppress(OSError):  # a disk that is full: the file of the moment before stays
            publish(self.state_dir, holding)
            self._rdma_bytes, self._written_at = holding.rdma_bytes, now

    def _plays(self, frozen: bool) -> bool:
        if self.fault in ("zombie", "gf1-collapse"):
            return frozen
        return self._loaded and (self.fault != "agent-lost" or time.time() - self._since >= AGENT_LOST_AFTER_S)
