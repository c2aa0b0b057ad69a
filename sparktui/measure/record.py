"""What is kept of every request: raw arrivals and counts, from which any calculator can compute its figures later.

All times inside a record are whole microseconds on one monotonic clock. `sent_us` counts from the wave's start, every
other time from the request's own send. Unknown is None, never zero.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Literal

import msgspec

NO_TEXT = 0x8000
"""Flag in `event_tokens`: the event carried tokens, or an empty delta, but no visible text."""
TOOL_CALL = 0x4000
"""Flag in `event_tokens`: the event carried a tool-call delta."""
REASONING = 0x2000
"""Flag in `event_tokens`: the event's text was reasoning, not answer."""
TOKEN_MASK = 0x0FFF
"""The low bits of `event_tokens`: how many tokens the event carried; 0 where the server did not say."""

Clock = Literal["kernel", "user"]
TokenSource = Literal["token_ids", "continuous_usage", "usage", "chunks"]


class RequestRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One streamed completion."""

    slot: int
    seq: int = 0
    """Its turn in the slot: always 0 in a wave, counting up in a pool."""
    sent_us: int
    """Send time, counted from the wave's start."""
    ttfr_us: int | None = None
    """Send to the first event with a non-empty `choices`, a role-only one included."""
    ttft_us: int | None = None
    """Send to the first event that carries content, reasoning, a tool call or tokens."""
    last_us: int | None = None
    """Send to the last such event."""
    ended_us: int | None = None
    """Send to the end of the response body."""
    first_tokens: int | None = None
    """Tokens in the first content-bearing event and in those of the same read, an event each where the server did not
    say how many; None where it did not say and the first came alone."""
    prompt_tokens: int | None = None
    """The server's own count, from `usage`."""
    cached_tokens: int | None = None
    """Prompt tokens the server says it took from its prefix cache."""
    completion_tokens: int | None = None
    """The server's own count, from `usage`."""
    token_source: TokenSource = "chunks"
    """Where the number of tokens per event comes from."""
    finish: str | None = None
    """The server's finish reason: `stop`, `length`, ..."""
    error: str | None = None
    """Why the request failed, in one line; None for a good one."""
    backend: str | None = None
    """Which replica answered, where the router says so."""
    events: bytes = b""
    """Little-endian int32 microseconds: the first event counts from the send, each other from the one before."""
    event_tokens: bytes = b""
    """Little-endian uint16, one an event: a token count under TOKEN_MASK and the flags above."""


class WaveRecord(msgspec.Struct, frozen=True, kw_only=True):
    """N requests started together and waited for together."""

    started_at: float
    """Wall clock at the start, seconds since the epoch: a label, never part of a figure."""
    duration_us: int
    """From the wave's start to the end of its last request."""
    clock: Clock
    """Whose receive stamps these are: the kernel's, or the worker's own."""
    lag_p50_us: float | None = None
    """How late the worker read what the kernel had stamped, median."""
    lag_p99_us: float | None = None
    worker_cpu: float | None = None
    """The worker's CPU time over the wave, as a fraction of one core."""
    arrival_error: float | None = None
    """The most that an event's arrival may be off, as a share of its time since the send: of those that shared a read
    after the worker had been kept from running. 0 where none did; None where nobody looked."""
    requests: tuple[RequestRecord, ...] = ()


def pack_events(deltas_us: Iterable[int]) -> bytes:
    """Encode event times as stored in `RequestRecord.events`."""
    return _little_endian(array("i", deltas_us))


def pack_event_tokens(values: Iterable[int]) -> bytes:
    """Encode token counts and flags as stored in `RequestRecord.event_tokens`."""
    return _little_endian(array("H", values))


def event_times_us(record: RequestRecord) -> list[int]:
    """Return each event's arrival, counted from the request's send."""
    times, now = [], 0
    for delta in _native("i", record.events):
        now += delta
        times.append(now)
    return times


def event_token_values(record: RequestRecord) -> list[int]:
    """Return each event's token count and flags; empty where none were recorded."""
    return list(_native("H", record.event_tokens))


def _little_endian(values: array[int]) -> bytes:
    if _BIG_ENDIAN:
        values.byteswap()
    return values.tobytes()


def _native(code: Literal["i", "H"], raw: bytes) -> array[int]:
    values: array[int] = array(code)
    values.frombytes(raw)
    if _BIG_ENDIAN:
        values.byteswap()
    return values


_BIG_ENDIAN = array("H", [1]).tobytes() != b"\x01\x00"
