"""When a cell must not win: a late or busy client, failed requests, another workload than asked for, or a sick node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from sparktui.measure.record import Clock, RequestRecord, WaveRecord
from sparktui.measure.statistics import percentile
from sparktui.measure.untimed import untimed
from sparktui.measure.usage import completion_tokens, error_kinds, good_requests, itl_ms, wave_figures

MAX_LAG_SHARE: dict[Clock, float] = {"user": 0.10, "kernel": 1.00}
"""Of the median time between tokens, that the worker's p99 lag may take. The worker's own stamp is late by its lag. The
kernel's is right however late it is read, as long as no second token has come meanwhile to share the read."""
MAX_ARRIVAL_ERROR = 0.10
"""Of an arrival's time since the send, in any one wave: over five waves it moves a figure by 2 %."""
MAX_WORKER_CPU = 0.60
"""Of one core: above it the worker's own delay begins to show in what it measures."""
MAX_PROMPT_SHARE = 0.01
MAX_PROMPT_TOKENS_OFF = 2
"""How far a prompt may be off: two tokens, or one in a hundred where that is more."""
MAX_CACHED_SHARE = 0.05
"""Of the prompt tokens, that the server may have taken from its prefix cache: a chat template's worth, no more."""
MAX_MESSAGE = 120
"""Characters of what a server said with a failure, which the request keeps more of."""
MIN_OUTPUT_SHARE = 0.90
"""Of the tokens asked for, that streams must have on average where their exact number could not be asked."""


def taint(
    waves: Sequence[WaveRecord],
    *,
    pp: int,
    tg: int,
    depth: int = 0,
    exact_tg: bool = True,
    prefix: tuple[int, int] | None = None,
    health: Sequence[str] = (),
) -> str | None:
    """Say why a cell cannot win, every reason in one line; None where it can.

    Args:
        waves: Its measured waves, warm-up left out. Without token events the time between tokens is taken from rates.
        pp: Prompt tokens asked for.
        tg: Tokens asked for.
        depth: Context tokens in front of the prompt.
        exact_tg: The engine was told to generate exactly `tg` tokens.
        prefix: Prompt tokens that the engine found in its prefix cache, by its own counter, and those it looked up.
        health: What was wrong with the nodes meanwhile, in words.
    """
    requests = [request for wave in waves for request in wave.requests]
    good = good_requests(requests)
    reasons = (
        _failures(requests),
        _late(waves, good),
        _away(waves),
        _busy(waves),
        untimed(waves),
        _prompts(good, pp + depth),
        _cached(good) or _hit(prefix),
        _short(good, tg) if exact_tg else _short_on_average(good, tg),
        _long(good, tg),
        *health,
    )
    return "; ".join(reason for reason in reasons if reason) or None


def _failures(requests: Sequence[RequestRecord]) -> str | None:
    kinds = error_kinds(requests)
    if not kinds:
        return None
    named = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda item: -item[1]))
    failed = f"{sum(kinds.values())} of {len(requests)} requests failed ({named})"
    message = _most_told(requests)
    return f"{failed}: {message}" if message else failed


def _most_told(requests: Iterable[RequestRecord]) -> str:
    """Return what most of the failed requests were told, without its kind; empty where none was told anything."""
    told = Counter(text for r in requests if r.error is not None and (text := r.error.partition(":")[2].strip()))
    text = max(told, key=told.__getitem__, default="")
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _late(waves: Sequence[WaveRecord], good: Sequence[RequestRecord]) -> str | None:
    lag_us = _median(wave.lag_p99_us for wave in waves)
    gap_ms = percentile(itl_ms(good), 50) or _median(wave_figures(wave).tpot.mean for wave in waves)
    share = min((MAX_LAG_SHARE[wave.clock] for wave in waves), default=0.0)
    if lag_us is None or gap_ms is None or lag_us / 1000 <= share * gap_ms:
        return None
    return f"read up to {lag_us / 1000:.2f} ms late, over {share:.0%} of the {gap_ms:.2f} ms between tokens"


def _away(waves: Sequence[WaveRecord]) -> str | None:
    off = [error for wave in waves if (error := wave.arrival_error or 0.0) > MAX_ARRIVAL_ERROR]
    if not off:
        return None
    return (
        f"the client was kept from running in {len(off)} of {len(waves)} waves: arrivals may be off by {max(off):.0%}"
    )


def _busy(waves: Sequence[WaveRecord]) -> str | None:
    cpu = _median(wave.worker_cpu for wave in waves)
    if cpu is None or cpu <= MAX_WORKER_CPU:
        return None
    return f"the client used {cpu:.0%} of a core, over {MAX_WORKER_CPU:.0%}"


def _prompts(good: Sequence[RequestRecord], asked: int) -> str | None:
    allowed = max(MAX_PROMPT_TOKENS_OFF, MAX_PROMPT_SHARE * asked)
    off = _outside(good, lambda r: r.prompt_tokens, lambda tokens: abs(tokens - asked) > allowed)
    return f"{len(off)} prompts of {min(off)} to {max(off)} tokens instead of {asked}" if off else None


def _cached(good: Sequence[RequestRecord]) -> str | None:
    prompts = sum(request.prompt_tokens or 0 for request in good)
    cached = sum(request.cached_tokens or 0 for request in good)
    if not prompts or cached <= MAX_CACHED_SHARE * prompts:
        return None
    return f"{cached / prompts:.0%} of the prompt tokens came from the server's prefix cache"


def _hit(prefix: tuple[int, int] | None) -> str | None:
    hits, queries = prefix or (0, 0)
    if hits <= MAX_CACHED_SHARE * queries or not queries:  # hits of nothing looked up are a counter of something else
        return None
    return f"{hits / queries:.0%} of the prompt tokens were in the engine's prefix cache, by its own counter"


def _short(good: Sequence[RequestRecord], asked: int) -> str | None:
    short = _outside(good, completion_tokens, lambda tokens: tokens < asked)
    return f"{len(short)} streams ended early, after {min(short)} or more of {asked} tokens" if short else None


def _long(good: Sequence[RequestRecord], asked: int) -> str | None:
    long = _outside(good, completion_tokens, lambda tokens: tokens > asked)
    return f"{len(long)} streams went on, to {max(long)} tokens instead of {asked}" if long else None


def _short_on_average(good: Sequence[RequestRecord], asked: int) -> str | None:
    counts = _outside(good, completion_tokens, lambda _: True)
    if not counts or sum(counts) >= MIN_OUTPUT_SHARE * asked * len(counts):
        return None
    return f"streams ended after {sum(counts) / len(counts):.0f} of {asked} tokens on average"


def _outside(
    good: Iterable[RequestRecord], count: Callable[[RequestRecord], int | None], bad: Callable[[int], bool]
) -> list[int]:
    return [tokens for request in good if (tokens := count(request)) is not None and bad(tokens)]


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
