"""What the load worker and the engines say of the wave in flight, as frozen values; unknowns are None."""

from __future__ import annotations

from dataclasses import dataclass

STALE_INTERVALS = 3
"""After how many missed samples a panel is shown as stale."""
LIVE_INTERVAL_S = 0.25

Series = tuple[float | None, ...]
"""Oldest first, evenly spaced; a gap is None."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One figure's last minutes, second by second."""

    values: Series = ()
    top: float = 0.0
    """The highest value in sight; while one cell is measured it only rises, so that the axis does not jump."""


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
    running_s: float
    """Since its first picture."""
    decode_tps: float | None
    """All streams together, over the last two seconds."""
    prefill_tps: float | None
    in_flight: int
    """Requests sent and not ended."""
    waiting: int
    """Of these, without a byte of an answer."""
    slots: bytes
    """One byte a request: its state."""
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    itl_p50_ms: float | None
    itl_p95_ms: float | None
    lag_p99_us: float | None
    worker_cpu: float | None
    """Fraction of one core."""
    stream_p5_tps: float | None = None
    """Of the streams that decode, by what each did in the last two seconds; so are the next two."""
    stream_p50_tps: float | None = None
    stream_p95_tps: float | None = None
    stream_held: bool = False
    """Whether these three are the last that were known in this cell: no stream decodes for long enough just now."""
    ttft_max_ms: float | None = None
    """Of this wave; so is the next."""
    itl_max_ms: float | None = None
    shape: str = "waves"
    cell_waves: int = 0
    """Of this cell, measured to their end; so are the waves of the next two."""
    cell_decode_tps: float | None = None
    """As the tables will have it: from every token's time stamp, where those above are of the last two seconds."""
    cell_stream_tps: float | None = None

    @property
    def stale(self) -> bool:
        """Whether the load worker has fallen silent."""
        return self.age_s > STALE_INTERVALS * LIVE_INTERVAL_S


@dataclass(frozen=True, slots=True)
class Trends:
    """The last minute or two, for the sparklines."""

    decode_tps: Curve = Curve()
    stream_tps: Curve = Curve()
    prefilled_rps: Curve = Curve()
    """Requests that got their first token, per second."""
    ttft_p50_ms: Curve = Curve()
    itl_p50_ms: Curve = Curve()
    in_flight: Curve = Curve()


NO_TRENDS = Trends()


@dataclass(frozen=True, slots=True)
class Engine:
    """One replica's own account of itself."""

    backend: str
    age_s: float
    running: float | None
    waiting: float | None
    kv_pct: float | None
    preemptions: float | None
    """Since the cell being measured began; so is the next."""
    prefix_hit_share: float | None
    """Prefix-cache hits per query, 0 to 1."""
    share: float | None = None
    """Of the requests of the cell so far that the router gave to some replica, 0 to 1; None without a router."""
