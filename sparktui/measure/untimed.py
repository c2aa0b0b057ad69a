"""Tokens that came right behind their stream's first event: decode counts them, and not the time that they took.

Whatever holds a stream back and passes it on in pieces, a proxy that buffers or a server that only seems to stream, has
such. A window that begins with the first event has none of the time in which the rest of its piece was made. What came
in the very same read decode does not count; but a piece may take several, and a stream may be all one piece.
"""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.measure.record import TOKEN_MASK, RequestRecord, WaveRecord, event_times_us, event_token_values
from sparktui.measure.statistics import mean
from sparktui.measure.usage import completion_tokens, good_requests

FASTEST_US = 50
"""A token of one stream, which nothing makes faster: what comes faster was made before, and held back."""
MAX_UNTIMED_SHARE = 0.10
MAX_UNTIMED_SHARE_WAVE = 0.50
"""Of one wave: the mean of many may hide it, and its figure be a hundred times too high."""


def untimed(waves: Sequence[WaveRecord]) -> str | None:
    """Say how many of the tokens came right behind the first event; None where it is few, or not known."""
    shares = [share for wave in waves if (share := _share(good_requests(wave.requests))) is not None]
    average = mean(shares)
    if average is None or (average <= MAX_UNTIMED_SHARE and max(shares) <= MAX_UNTIMED_SHARE_WAVE):
        return None
    return f"streams came in pieces: {average:.0%} of their tokens right behind the first, in no time of their own"


def _share(good: Sequence[RequestRecord]) -> float | None:
    """Return the share over all streams of a wave that have token events, weighted by their tokens."""
    streams = [(tokens, _behind_first(r)) for r in good if r.events and (tokens := completion_tokens(r) or 0) > 1]
    total = sum(tokens for tokens, _ in streams)
    return sum(tokens * share for tokens, share in streams) / total if total else None


def _behind_first(request: RequestRecord) -> float:
    """Return the share of the tokens that came later than the first event, and too soon; 1 where none came later."""
    first, *times = event_times_us(request)
    _, *tokens = _tokens_each(request, 1 + len(times))
    so_far = later = too_soon = 0.0
    for time, count in zip(times, tokens, strict=True):
        so_far += count
        later += count if time > first else 0
        if first < time < first + so_far * FASTEST_US:
            too_soon = later
    return too_soon / later if later else 1.0


def _tokens_each(request: RequestRecord, events: int) -> list[float]:
    """Return each event's tokens, all alike where the server did not say."""
    said = [float(value & TOKEN_MASK) for value in event_token_values(request)]
    return said if any(said) and len(said) == events else [(completion_tokens(request) or 0) / events] * events
