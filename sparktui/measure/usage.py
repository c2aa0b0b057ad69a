"""The calculator `usage`: figures from the server's own token counts, never from the number of events where it counts.

Its decode and prefill windows are those of llama-benchy's totals, so that the figures mean the same: decode from the
wave's first token to its last, the first event of each stream left out; prefill from the first send to the last first
token. Requests that failed are left out of every figure and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sparktui.measure.record import (
    TOKEN_MASK,
    RequestRecord,
    WaveRecord,
    event_times_us,
    event_token_values,
)
from sparktui.measure.statistics import mean, percentile

NAME = "usage"


@dataclass(frozen=True, slots=True)
class WaveFigures:
    """The figures of one wave, each under its name in `FIGURES`; None where it cannot be computed."""

    decode_tps: float | None
    decode_tps_stream: tuple[float, ...]
    """One value a request, in no promised order."""
    prefill_tps: float | None
    ttft_ms: float | None
    ttft_p50_ms: float | None
    ttft_p95_ms: float | None
    ttfr_ms: float | None
    e2e_ms: float | None
    tpot_ms: float | None
    itl_p50_ms: float | None
    itl_p95_ms: float | None
    """Both need the token events."""
    requests: int
    errors: int
    error_kinds: dict[str, int]
    prompt_tokens: int | None
    completion_tokens: int | None
    """Sums over good requests; None where the server did not count."""
    token_source: str


def wave_figures(wave: WaveRecord) -> WaveFigures:
    """Compute a wave's figures from its good requests."""
    good = good_requests(wave.requests)
    ttft_ms = [request.ttft_us / 1000 for request in good if request.ttft_us is not None]
    gaps_ms = itl_ms(good)
    errors = error_kinds(wave.requests)
    return WaveFigures(
        decode_tps=decode_tps(good),
        decode_tps_stream=_known(decode_tps([request]) for request in good),
        prefill_tps=prefill_tps(good),
        ttft_ms=mean(ttft_ms),
        ttft_p50_ms=percentile(ttft_ms, 50),
        ttft_p95_ms=percentile(ttft_ms, 95),
        ttfr_ms=mean(_known(_ms(request.ttfr_us) for request in good)),
        e2e_ms=mean(_known(_ms(request.last_us) for request in good)),
        tpot_ms=mean(_known(_tpot_ms(request) for request in good)),
        itl_p50_ms=percentile(gaps_ms, 50),
        itl_p95_ms=percentile(gaps_ms, 95),
        requests=len(wave.requests),
        errors=len(wave.requests) - len(good),
        error_kinds=errors,
        prompt_tokens=_total(good, lambda request: request.prompt_tokens),
        completion_tokens=_total(good, completion_tokens),
        token_source=token_source(good),
    )


def good_requests(requests: Iterable[RequestRecord]) -> list[RequestRecord]:
    """Return the requests that streamed at least one token and did not fail."""
    return [request for request in requests if _failure(request) is None]


def error_kinds(requests: Iterable[RequestRecord]) -> dict[str, int]:
    """Count the failures by kind: what stands before the colon in their error."""
    return dict(Counter(kind for request in requests if (kind := _failure(request)) is not None))


def decode_tps(good: Sequence[RequestRecord]) -> float | None:
    """Return tokens after each stream's first event, per second from the first token of all to the last of all.

    The window is llama-benchy's for `tg total`; the tokens are the server's own count instead of one an event.
    """
    tokens = _total(good, _tokens_after_first)
    first = min((r.sent_us + r.ttft_us for r in good if r.ttft_us is not None), default=0)
    last = max((r.sent_us + r.last_us for r in good if r.last_us is not None), default=0)
    return tokens * 1e6 / (last - first) if tokens and tokens > 0 and last > first else None


def prefill_tps(good: Sequence[RequestRecord]) -> float | None:
    """Return prompt tokens per second from the first send to the last first token (llama-benchy's `pp total`)."""
    tokens = _total(good, lambda request: request.prompt_tokens)
    start = min((r.sent_us for r in good), default=0)
    end = max((r.sent_us + r.ttft_us for r in good if r.ttft_us is not None), default=0)
    return tokens * 1e6 / (end - start) if tokens and end > start else None


def itl_ms(good: Iterable[RequestRecord]) -> list[float]:
    """Return the gaps between token events, over all streams; empty where no events were kept."""
    gaps: list[float] = []
    for request in good:
        gaps.extend((later - earlier) / 1000 for earlier, later in pairwise(event_times_us(request)))
    return gaps


def completion_tokens(request: RequestRecord) -> int | None:
    """Return the server's count; without one, what the events say, one token where an event says nothing."""
    if request.completion_tokens is not None:
        return request.completion_tokens
    tokens = [value & TOKEN_MASK for value in event_token_values(request)] or [1] * (len(request.events) // 4)
    return sum(count or 1 for count in tokens) or None


def token_source(good: Iterable[RequestRecord]) -> str:
    """Say where the counts come from, and whether each stream's first event had to be taken for one token."""
    requests = list(good)
    sources = sorted({request.token_source for request in requests})
    if not sources:
        return "none"
    assumed = any(request.first_tokens is None and request.token_source != "chunks" for request in requests)
    return " + ".join(sources) + (", first event taken as 1 token" if assumed else "")


def _failure(request: RequestRecord) -> str | None:
    if request.error is not None:
        return request.error.partition(":")[0].strip() or "failed"
    return "no tokens" if request.ttft_us is None or request.last_us is None else None


def _tokens_after_first(request: RequestRecord) -> int | None:
    tokens = completion_tokens(request)
    return None if tokens is None else tokens - (1 if request.first_tokens is None else request.first_tokens)


def _tpot_ms(request: RequestRecord) -> float | None:
    rate = decode_tps([request])
    return None if rate is None else 1000 / rate


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000


def _known(values: Iterable[float | None]) -> tuple[float, ...]:
    return tuple(value for value in values if value is not None)


def _total(good: Iterable[RequestRecord], count: Callable[[RequestRecord], int | None]) -> int | None:
    """Sum a count over requests; None when one of them lacks it, or there are none: a part is not the whole."""
    counts = [count(request) for request in good]
    known = [value for value in counts if value is not None]
    return sum(known) if counts and len(known) == len(counts) else None
