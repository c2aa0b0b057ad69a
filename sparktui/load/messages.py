"""What the runner and the load worker say to each other: length-prefixed msgpack over the worker's stdin and stdout.

The worker is told everything it needs (addresses, ready-made request bytes, keys inside their headers), so nothing
secret is ever in its argv, and it imports neither httpx nor anything of the screen.
"""

from __future__ import annotations

import msgspec

from sparktui.measure.record import Clock, WaveRecord


class Target(msgspec.Struct, frozen=True, tag_field="kind", tag="target"):
    """Where requests go. `path` and headers are already inside the request bytes."""

    host: str
    port: int
    tls: bool = False
    server_name: str | None = None
    """For TLS: the name the certificate must carry, where it is not `host`."""


class Expected(msgspec.Struct, frozen=True):
    """What every answer is to be like; one that is not has failed."""

    model: str | None = None
    """What it is to be called. None: whatever it likes."""
    tokens: int | None = None
    """How many were asked for: an answer of several times as many events never ends. None: not said."""


ANYTHING = Expected()


class StartWave(msgspec.Struct, frozen=True, tag="start-wave"):
    """Start all `requests` together, each on a kept-alive connection of its own."""

    target: Target
    requests: tuple[bytes, ...]
    """Complete HTTP/1.1 requests, headers and body; the index is the slot."""
    timeout_s: float
    """A request not ended by then fails with `timeout`."""
    expected: Expected = ANYTHING

    @property
    def empty(self) -> bool:
        """Whether there is nothing to send."""
        return not self.requests

    @property
    def limit_s(self) -> float:
        """How long it may take once it has started."""
        return self.timeout_s

    def __repr__(self) -> str:
        # The requests hold the API key.
        return f"StartWave({len(self.requests)} requests to {self.target.host}:{self.target.port})"


class StartPool(msgspec.Struct, frozen=True, tag="start-pool"):
    """Run every slot through its requests on one kept-alive connection, the next as soon as the last has ended."""

    target: Target
    slots: tuple[tuple[bytes, ...], ...]
    """Complete HTTP/1.1 requests, headers and body, by slot and turn."""
    timeout_s: float
    """A request not ended by then, counted from its own turn, fails with `timeout`; its slot goes on."""
    expected: Expected = ANYTHING

    @property
    def empty(self) -> bool:
        """Whether there is a slot with nothing to send, or no slot."""
        return not all(self.slots) or not self.slots

    @property
    def limit_s(self) -> float:
        """How long it may take once it has started."""
        return self.timeout_s * max(map(len, self.slots), default=0)

    def __repr__(self) -> str:
        requests = sum(map(len, self.slots))
        return f"StartPool({requests} requests in {len(self.slots)} slots to {self.target.host}:{self.target.port})"


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Give up the wave in flight: its record is not sent."""


class Quit(msgspec.Struct, frozen=True, tag="quit"):
    """End the process."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The worker is up."""

    pid: int
    clock: Clock


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag="progress"):
    """A picture of the wave or pool run in flight, four times a second."""

    tokens: int
    """Completion tokens received since the worker started (counted per event until `usage` arrives)."""
    prefilled: int
    """Requests that have passed their first token since the worker started."""
    waiting: int
    """Sent, no response bytes yet."""
    prefill: int
    """Response headers seen, no token yet."""
    active: int
    """Decoding."""
    done: int
    """Of the wave's requests, or of all turns of a pool run so far."""
    failed: int
    slots: bytes
    """One byte a slot: SLOT_* below, of its present request."""
    ttft_p50_ms: float | None = None
    """Over the requests of this wave that have a first token; in a pool over those of late."""
    ttft_p95_ms: float | None = None
    ttft_max_ms: float | None = None
    itl_p50_ms: float | None = None
    """Over the gaps between events since the last picture."""
    itl_p95_ms: float | None = None
    itl_max_ms: float | None = None
    stream_p5_tps: float | None = None
    """Over the streams that have been decoding for the last two seconds: of each, its tokens in them."""
    stream_p50_tps: float | None = None
    stream_p95_tps: float | None = None
    lag_p50_us: float | None = None
    lag_p99_us: float | None = None
    worker_cpu: float | None = None
    """CPU since the last picture, as a fraction of one core."""


SLOT_WAITING, SLOT_PREFILL, SLOT_DECODING, SLOT_DONE, SLOT_FAILED = range(5)


class WaveDone(msgspec.Struct, frozen=True, tag="wave-done"):
    """The wave has ended, well or badly; the record is complete."""

    record: WaveRecord


class WaveCancelled(msgspec.Struct, frozen=True, tag="wave-cancelled"):
    """The answer to `Cancel`."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """An order the worker could not even start, and why."""

    reason: str


Start = StartWave | StartPool
ToWorker = Start | Cancel | Quit
FromWorker = Ready | Progress | WaveDone | WaveCancelled | Refused
