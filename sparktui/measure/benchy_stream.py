"""One recorded request with the time stamps and token counts that llama-benchy would have kept of it.

Times are seconds from the wave's start, made from whole microseconds the way a clock would have read them, so that sums
and comparisons round as they do there. What a record does not hold cannot be told apart: an event with both a tool call
and text (its text is taken for none), and more than 4,095 tokens in one event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sparktui.measure.record import (
    NO_TEXT,
    REASONING,
    TOKEN_MASK,
    TOOL_CALL,
    RequestRecord,
    event_times_us,
    event_token_values,
)

_GOOD_THERE = ("error event:", "closed early: the stream ended", "wrong model:", "broken off:")
"""Failures that llama-benchy does not notice: an error as an event of an answer with status 200, a body that ends
properly but too early, an answer of another model, and a finish reason that says that the server gave up."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event with answer or reasoning text."""

    at_s: float
    tokens: int
    """By the server; 0 where it did not say."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One request that llama-benchy takes for a good one."""

    start_s: float
    end_s: float | None
    """The end of the body; where that is unknown, the last token."""
    first_response_s: float | None
    first_token_s: float | None
    prompt_tokens: int
    """0 where the server did not count."""
    tokens: int
    token_times_s: tuple[float, ...]
    """Not always one a token: a server may count tokens that no event showed."""

    @property
    def tokens_after_first_time(self) -> int:
        """Tokens that came later than the first; those that share its time are not among them."""
        return sum(at_s > self.token_times_s[0] for at_s in self.token_times_s)


Count = Callable[[RequestRecord, Sequence[Chunk]], tuple[int, tuple[float, ...]]]
"""How many tokens a request had, and when each came."""


def streams(requests: Iterable[RequestRecord], count: Count) -> list[Stream]:
    """Return the requests that llama-benchy takes for good ones, in their order."""
    return [_stream(request, count) for request in requests if _is_good_there(request)]


def count_chunks(_: RequestRecord, chunks: Sequence[Chunk]) -> tuple[int, tuple[float, ...]]:
    """Count one token an event with text (llama-benchy 0.3.5)."""
    return len(chunks), tuple(chunk.at_s for chunk in chunks)


def count_tokens(request: RequestRecord, chunks: Sequence[Chunk]) -> tuple[int, tuple[float, ...]]:
    """Count by `token_ids`, else by `usage` with the times spread evenly, else one token an event (0.4.0).

    Without both, 0.4.0 asks a tokenizer of its own. No text is kept here, so that cannot be repeated.
    """
    source = counted_by(request)
    if chunks and source == "token_ids":
        times = _times_by_ids(chunks)
        return len(times), times
    if source != "chunks" and request.completion_tokens is not None:
        return request.completion_tokens, _spread([chunk.at_s for chunk in chunks], request.completion_tokens)
    return count_chunks(request, chunks)


def counted_by(request: RequestRecord) -> str:
    """Say what 0.4.0 counts a request's tokens by."""
    if request.token_source == "token_ids":
        return "token_ids"
    return "chunks" if request.completion_tokens is None else "usage"


def _is_good_there(request: RequestRecord) -> bool:
    return request.error is None or request.error.startswith(_GOOD_THERE)


def _stream(request: RequestRecord, count: Count) -> Stream:
    def at_s(since_send_us: int) -> float:
        return (request.sent_us + since_send_us) / 1e6

    chunks = [Chunk(at_s(at_us), tokens) for at_us, tokens in _with_text(request)]
    tokens, times = count(request, chunks)
    end_us = request.last_us if request.ended_us is None else request.ended_us
    return Stream(
        start_s=at_s(0),
        end_s=None if end_us is None else at_s(end_us),
        first_response_s=None if request.ttfr_us is None else at_s(request.ttfr_us),
        first_token_s=chunks[0].at_s if chunks else None,
        prompt_tokens=request.prompt_tokens or 0,
        tokens=tokens,
        token_times_s=times,
    )


def _with_text(request: RequestRecord) -> list[tuple[int, int]]:
    times = event_times_us(request)
    marks = event_token_values(request) or [0] * len(times)
    return [(at_us, mark & TOKEN_MASK) for at_us, mark in zip(times, marks, strict=True) if _has_text(mark)]


def _has_text(mark: int) -> bool:
    return not mark & NO_TEXT and (bool(mark & REASONING) or not mark & TOOL_CALL)


def _times_by_ids(chunks: Sequence[Chunk]) -> tuple[float, ...]:
    """Give each token a time: those of one event are spread back to the token before; the first event's share one."""
    times: list[float] = []
    for chunk in chunks:
        before_s = times[-1] if times else chunks[0].at_s
        span_s = chunk.at_s - before_s
        if chunk.tokens == 1:
            times.append(chunk.at_s)
        else:
            times.extend(before_s + span_s * (i + 1) / chunk.tokens for i in range(chunk.tokens))
    return tuple(times)


def _spread(chunk_times_s: Sequence[float], tokens: int) -> tuple[float, ...]:
    """Spread tokens evenly from the first event to the last; all share one time where there is but one."""
    if not chunk_times_s:
        return ()
    first_s, last_s = chunk_times_s[0], chunk_times_s[-1]
    if tokens < 2 or last_s <= first_s:
        return (first_s,) * tokens
    step_s = (last_s - first_s) / (tokens - 1)
    return tuple(first_s + step_s * i for i in range(tokens))
