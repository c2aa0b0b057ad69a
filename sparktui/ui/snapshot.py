"""What the screens show, as one frozen value: everything the viewer knows at one moment, with unknowns as None."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparktui.compare.summary import Comparison
from sparktui.measure.agreement import Agreement
from sparktui.runner.progress import NOT_KNOWN_YET, Remaining

STALE_INTERVALS = 3
"""After how many missed samples a panel is shown as stale."""
NODE_INTERVAL_S = 1.0
LIVE_INTERVAL_S = 0.25

Series = tuple[float | None, ...]
"""Oldest first, evenly spaced; a gap is None."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """The race on screen."""

    id: int
    name: str
    source: str
    """measured | simulated | published | imported."""
    state: str
    created: float
    finished: float | None
    detail: str | None

    @property
    def simulated(self) -> bool:
        """Whether its figures must never pass for measurements."""
        return self.source == "simulated"

    @property
    def running(self) -> bool:
        """Whether a runner is, or should be, at work on it."""
        return self.state in ("queued", "running")


@dataclass(frozen=True, slots=True)
class Topology:
    """One way to serve the model, and how far its sweep is."""

    name: str
    index: int
    """Its place in the race: decides its colour."""
    state: str
    launched: float | None
    ready: float | None
    stopped: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Cell:
    """One topology at one concurrency: what is planned and what is done."""

    topology: str
    concurrency: int
    pp: int
    tg: int
    depth: int
    runs: int
    """Waves planned."""
    waves: int
    """Waves done, warm-up not counted."""
    state: str
    taint: str | None = None
    shape: str = "waves"


@dataclass(frozen=True, slots=True)
class Wave:
    """The wave in flight and what it is doing now."""

    topology: str
    concurrency: int
    number: int
    """Counts from 1."""
    runs: int
    warmup: bool
    age_s: float
    """Since the load worker last reported."""
    decode_tps: float | None
    """All streams together, over the last two seconds."""
    stream_tps: float | None
    """One decoding stream, over the same seconds."""
    prefill_tps: float | None
    slots: bytes
    """One byte a request: its state."""
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    itl_p50_ms: float | None
    itl_p95_ms: float | None
    lag_p99_us: float | None
    worker_cpu: float | None
    """Fraction of one core."""
    shape: str = "waves"

    @property
    def stale(self) -> bool:
        """Whether the load worker has fallen silent."""
        return self.age_s > STALE_INTERVALS * LIVE_INTERVAL_S


@dataclass(frozen=True, slots=True)
class Trends:
    """The last minute or two, for the sparklines."""

    decode_tps: Series = ()
    stream_tps: Series = ()
    prefilled_rps: Series = ()
    """Requests that got their first token, per second."""
    ttft_p50_ms: Series = ()
    itl_p50_ms: Series = ()


@dataclass(frozen=True, slots=True)
class Node:
    """One machine at its last sample."""

    name: str
    fragile: bool
    phase: str
    age_s: float
    mem_total_bytes: int | None
    mem_available_bytes: int | None
    gpu_procs_bytes: int | None
    slope_gib_s: float | None
    """Change of the memory left; falling is negative."""
    swap_used_bytes: int | None
    psi_some_pct: float | None
    gpu_util_pct: float | None
    power_w: float | None
    temp_c: float | None
    sm_mhz: float | None
    rdma_rx_gb_s: float | None
    rdma_tx_gb_s: float | None
    warn_gib: float | None
    stop_gib: float | None

    @property
    def stale(self) -> bool:
        """Whether the agent has missed several samples."""
        return self.age_s > STALE_INTERVALS * NODE_INTERVAL_S

    @property
    def alarm(self) -> Literal["", "warn", "stop"]:
        """Which floor the memory left is under."""
        if self.mem_available_bytes is None:
            return ""
        left_gib = self.mem_available_bytes / 1024**3
        if self.stop_gib is not None and left_gib < self.stop_gib:
            return "stop"
        return "warn" if self.warn_gib is not None and left_gib < self.warn_gib else ""


@dataclass(frozen=True, slots=True)
class Engine:
    """One replica's own account of itself."""

    backend: str
    age_s: float
    running: float | None
    waiting: float | None
    kv_pct: float | None
    preemptions: float | None
    prefix_hit_share: float | None
    """Prefix-cache hits per query over the cell being measured, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log."""

    id: int
    t: float
    level: str
    """info | warning | error."""
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything on screen at one moment."""

    taken: float
    """By the viewer's clock, seconds since the epoch."""
    campaign: Campaign | None = None
    topologies: tuple[Topology, ...] = ()
    cells: tuple[Cell, ...] = ()
    wave: Wave | None = None
    trends: Trends = Trends()
    nodes: tuple[Node, ...] = ()
    engines: tuple[Engine, ...] = ()
    agreement: Agreement | None = None
    """Of the engines' token counters with what has arrived, over the last seconds."""
    events: tuple[Event, ...] = ()
    clock: str | None = None
    """Whose receive stamps the figures come from, kernel or user; None before the first wave has ended."""
    remaining: Remaining = NOT_KNOWN_YET
    comparison: Comparison | None = None
    """Read again when a cell completes, never on a tick."""

    @property
    def current(self) -> Topology | None:
        """The topology being brought up, loaded or taken down."""
        busy = ("launching", "warming", "measuring", "stopping")
        return next((topology for topology in self.topologies if topology.state in busy), None)

    def topology(self, name: str) -> Topology | None:
        """Return a topology by name."""
        return next((topology for topology in self.topologies if topology.name == name), None)


EMPTY = Snapshot(taken=0.0)
"""Before the first read."""
