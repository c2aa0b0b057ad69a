"""The calculator `usage`: figures from the server's own token counts, never from the number of events where it counts.

Its decode and prefill windows are those of llama-benchy's totals, so that the figures mean the same: decode from the
wave's first token to its last, the first event of each stream left out; prefill from the first send to the last first
token. Requests that failed are left out of every figure and counted. What of a pool run counts: `measure.pool`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sparktui.measure import pool
from sparktui.measure.record import (
    TOKEN_MASK,
    RequestRecord,
    WaveRecord,
    event_times_us,
    event_token_values,
)
from sparktui.measure.statistics import Spread, mean, spread


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request must keep to count as good enough; None does not limit."""

    ttft_ms: float | None = None
    tpot_ms: float | None = None
    """Of its time per output token after the first, which is the mean time between its tokens."""
    e2e_ms: float | None = None

    def hold(self, request: RequestRecord) -> bool:
        """Tell whether a good request is within them; one of a single token has no time per token to exceed."""
        taken = ((_ms(request.ttft_us), self.ttft_ms), (tpot_ms(request), self.tpot_ms), (e2e_ms(request), self.e2e_ms))
        return all(ms is None or limit_ms is None or ms <= limit_ms for ms, limit_ms in taken)


@dataclass(frozen=True, slots=True)
class WaveFigures:
    """The figures of one wave; None where one cannot be computed."""

    decode_tps: float | None
    decode_tps_stream: tuple[float, ...]
    """One value a request, in no promised order."""
    prefill_tps: float | None
    ttft: Spread
    ttfr_ms: float | None
    e2e: Spread
    tpot: Spread
    itl: Spread
    """Over the gaps of all streams; needs the token events. All four in milliseconds."""
    request_rps: float | None
    goodput_rps: float | None
    """None without limits."""
    error_pct: float | None
    prefill_time_pct: float | None
    requests: int
    errors: int
    error_kinds: dict[str, int]
    prompt_tokens: int | None
    completion_tokens: int | None
    """Sums over good requests; None where the server did not count."""
    token_source: str

    def value(self, name: str) -> float | None:
        """Return a figure of the wave by its name in `FIGURES`: `ttft_ms` is `ttft.mean`, `ttft_p95_ms` `ttft.p95`."""
        spread_name, _, statistic = name.removesuffix("_ms").partition("_")
        found = getattr(self, spread_name if spread_name in _SPREADS else name)
        value = getattr(found, statistic or "mean") if isinstance(found, Spread) else found
        assert value is None or isinstance(value, float | int), name
        return value


_SPREADS = frozenset({"ttft", "e2e", "tpot", "itl"})


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures that all requests of a wave, or of a pool run's steady stretch, have only together."""

    decode_tps: float | None = None
    prefill_tps: float | None = None
    request_rps: float | None = None
    goodput_rps: float | None = None
    prefill_time_pct: float | None = None


def wave_figures(wave: WaveRecord, limits: Limits | None = None) -> WaveFigures:
    """Compute a wave's, or a pool run's, figures from its good requests; its goodput where there are limits.

    What counts of a pool run is in `measure.pool`.
    """
    good = good_requests(wave.requests)
    within = None if limits is None else [request for request in good if limits.hold(request)]
    pooled = pool.is_pool(wave)
    totals = _pool_totals(wave, good, within) if pooled else _wave_totals(wave, good, within)
    each = good_requests(pool.middle(wave.requests)) if pooled else good
    return WaveFigures(
        decode_tps=totals.decode_tps,
        decode_tps_stream=_known(decode_tps([request]) for request in each),
        prefill_tps=totals.prefill_tps,
        ttft=spread(_known(_ms(request.ttft_us) for request in each)),
        ttfr_ms=mean(_known(_ms(request.ttfr_us) for request in each)),
        e2e=spread(_known(e2e_ms(request) for request in each)),
        tpot=spread(_known(tpot_ms(request) for request in each)),
        itl=spread(itl_ms(each)),
        request_rps=totals.request_rps,
        goodput_rps=totals.goodput_rps,
        error_pct=100 * (1 - len(good) / len(wave.requests)) if wave.requests else None,
        prefill_time_pct=totals.prefill_time_pct,
        requests=len(wave.requests),
        errors=len(wave.requests) - len(good),
        error_kinds=error_kinds(wave.requests),
        prompt_tokens=_total(good, lambda request: request.prompt_tokens),
        completion_tokens=_total(good, completion_tokens),
        token_source=token_source(good),
    )


def _wave_totals(wave: WaveRecord, good: Sequence[RequestRecord], within: Sequence[RequestRecord] | None) -> Totals:
    return Totals(
        decode_tps=decode_tps(good),
        prefill_tps=prefill_tps(good),
        request_rps=_per_second(len(good), wave),
        goodput_rps=None if within is None else _per_second(len(within), wave),
        prefill_time_pct=prefill_time_pct(good, wave.duration_us),
    )


def _pool_totals(wave: WaveRecord, good: Sequence[RequestRecord], within: Sequence[RequestRecord] | None) -> Totals:
    window = pool.steady_window(wave.requests)
    if window is None or not good:
        return Totals()
    return Totals(
        decode_tps=pool.decode_tps(good, window),
        prefill_tps=pool.prefill_tps(good, window),
        request_rps=pool.ended_rps(good, window),
        goodput_rps=None if within is None else pool.ended_rps(within, window),
        prefill_time_pct=_covered_pct(pool.waiting_us(good, window), window.end_us - window.start_us),
    )


def good_requests(requests: Iterable[RequestRecord]) -> list[RequestRecord]:
    """Return the requests that streamed at least one token and did not fail."""
    return [request for request in requests if _failure(request) is None]


def error_kinds(requests: Iterable[RequestRecord]) -> dict[str, int]:
    """Count the failures by kind: what stands before the colon in their error."""
    return dict(Counter(kind for request in requests if (kind := _failure(request)) is not None))


def decode_tps(good: Sequence[RequestRecord]) -> float | None:
    """Return tokens that came later than each stream's first, per second from the first of all to the last of all.

    The window is llama-benchy's for `tg total`; the tokens are the server's own count instead of one an event.
    """
    tokens = _total(good, tokens_after_first)
    first = min((r.sent_us + r.ttft_us for r in good if r.ttft_us is not None), default=0)
    last = max((r.sent_us + r.last_us for r in good if r.last_us is not None), default=0)
    return tokens * 1e6 / (last - first) if tokens and tokens > 0 and last > first else None


def prefill_tps(good: Sequence[RequestRecord]) -> float | None:
    """Return prompt tokens per second from the first send to the last first token (llama-benchy's `pp total`)."""
    tokens = _total(good, lambda request: request.prompt_tokens)
    start = min((r.sent_us for r in good), default=0)
    end = max((r.sent_us + r.ttft_us for r in good if r.ttft_us is not None), default=0)
    return tokens * 1e6 / (end - start) if tokens and end > start else None


def prefill_time_pct(good: Iterable[RequestRecord], duration_us: int) -> float | None:
    """Return the share of the wave's time in which at least one good request had no token yet, in per cent."""
    waits = [(r.sent_us, r.sent_us + r.ttft_us) for r in good if r.ttft_us is not None]
    return _covered_pct(waits, duration_us) if waits and duration_us > 0 else None


def _covered_pct(waits: Iterable[tuple[int, int]], duration_us: int) -> float:
    covered_us, until_us = 0, 0
    for start_us, end_us in sorted(waits):
        covered_us += max(0, end_us - max(start_us, until_us))
        until_us = max(until_us, end_us)
    return 100 * covered_us / duration_us


def itl_ms(good: Iterable[RequestRecord]) -> list[float]:
    """Return the gaps between token events, over all streams; empty where no events were kept."""
    gaps: list[float] = []
    for request in good:
        gaps.extend((later - earlier) / 1000 for earlier, later in pairwise(event_times_us(request)))
    return gaps


def tpot_ms(request: RequestRecord) -> float | None:
    """Return a good request's time per token after its first event; None where none came after it."""
    rate = decode_tps([request])
    return None if rate is None else 1000 / rate


def e2e_ms(request: RequestRecord) -> float | None:
    """Return the time from a request's send to its last token."""
    return _ms(request.last_us)


def completion_tokens(request: RequestRecord) -> int | None:
    """Return the server's count; without one, what the events say, one token where an event says nothing."""
    if request.completion_tokens is not None:
        return request.completion_tokens
    tokens = [value & TOKEN_MASK for value in event_token_values(request)] or [1] * (len(request.events) // 4)
    return sum(count or 1 for count in tokens) or None


def counted(waves: Iterable[WaveRecord]) -> tuple[int | None, int | None]:
    """Return the prompt and completion tokens of all requests; None where one failed or was not counted."""
    requests = [request for wave in waves for request in wave.requests]
    if not requests or len(good_requests(requests)) < len(requests):
        return None, None
    return _total(requests, lambda r: r.prompt_tokens), _total(requests, lambda r: r.completion_tokens)


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


def tokens_after_first(request: RequestRecord) -> int | None:
    """Return the tokens that decode counts: those that came later than the first event, and not at once with it."""
    tokens = completion_tokens(request)
    first = 1 if request.first_tokens is None else request.first_tokens
    return None if tokens is None else max(0, tokens - first)  # events that are no tokens may be more than the tokens


def _per_second(requests: int, wave: WaveRecord) -> float | None:
    return requests * 1e6 / wave.duration_us if wave.duration_us > 0 else None


def _ms(us: int | None) -> float | None:
    return None if us is None else us / 1000


def _known(values: Iterable[float | None]) -> tuple[float, ...]:
    return tuple(value for value in values if value is not None)


def _total(good: Iterable[RequestRecord], count: Callable[[RequestRecord], int | None]) -> int | None:
    """Sum a count over requests; None when one of them lacks it, or there are none: a part is not the whole."""
    counts = [count(request) for request in good]
    known = [value for value in counts if value is not None]
    return sum(known) if counts and len(known) == len(counts) else None
