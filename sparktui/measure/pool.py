"""What counts of a pool run: the steady stretch between ramp and drain, and the requests that speak for each user.

The ramp lasts until the last slot has ended its first request: until then first prompts meet an empty engine and each
other. The drain begins when the first slot has no next request: from then on fewer than N run. Between the two N
requests are always in flight, and what arrives in that window, over its length, is the sustained rate.

Figures of single requests are taken from every turn but each slot's first and last. That goes by place alone, never
by how a request fared: choosing those that lie wholly in the window would leave the slow ones out, since the longer a
request takes, the likelier it crosses an edge. The last turn is left out because it ends in the drain, where it has
company of fewer and fewer; the first because it is the ramp.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sparktui.measure.record import TOKEN_MASK, RequestRecord, WaveRecord, event_times_us, event_token_values

MIN_TURNS = 3
"""A slot with fewer has no turn between its first and its last."""


@dataclass(frozen=True, slots=True)
class Window:
    """The steady stretch of a pool run, in microseconds from its start; the end is not part of it."""

    start_us: int
    end_us: int

    def holds(self, at_us: int) -> bool:
        """Tell whether a moment lies in it."""
        return self.start_us <= at_us < self.end_us

    def per_second(self, count: float) -> float:
        """Return a count of what happened in it as a rate."""
        return count * 1e6 / (self.end_us - self.start_us)


def is_pool(wave: WaveRecord) -> bool:
    """Tell a pool run from a wave: a wave's slots have one request each, a pool's two or more."""
    return any(request.seq > 0 for request in wave.requests)


def steady_window(requests: Iterable[RequestRecord]) -> Window | None:
    """Return a pool run's steady stretch; None where the drain begins before the ramp is over.

    Takes all requests, failed ones too: they kept their slots busy as long as they lasted.
    """
    turns: defaultdict[int, list[RequestRecord]] = defaultdict(list)
    for request in requests:
        turns[request.slot].append(request)
    ordered = [sorted(of_slot, key=lambda request: request.seq) for of_slot in turns.values()]
    if not ordered or min(map(len, ordered)) < 2:
        return None
    start_us = max(of_slot[1].sent_us for of_slot in ordered)
    end_us = min(_end_us(of_slot[-1]) for of_slot in ordered)
    return Window(start_us, end_us) if start_us < end_us else None


def middle(requests: Sequence[RequestRecord]) -> list[RequestRecord]:
    """Return the requests that speak for each user, neither their slot's first nor its last, out of all there were."""
    last: defaultdict[int, int] = defaultdict(int)
    for request in requests:
        last[request.slot] = max(last[request.slot], request.seq)
    return [request for request in requests if 0 < request.seq < last[request.slot]]


def decode_tps(good: Sequence[RequestRecord], window: Window) -> float | None:
    """Return the tokens that arrived in the window, first ones included, per second of it; None without events."""
    if not all(request.events for request in good):
        return None
    return window.per_second(sum(_tokens_in(request, window) for request in good))


def prefill_tps(good: Iterable[RequestRecord], window: Window) -> float | None:
    """Return the prompt tokens whose first token arrived in the window, per second of it; None without a count."""
    tokens = 0
    for request in good:
        if request.ttft_us is None or not window.holds(request.sent_us + request.ttft_us):
            continue
        if request.prompt_tokens is None:
            return None
        tokens += request.prompt_tokens
    return window.per_second(tokens)


def ended_rps(good: Iterable[RequestRecord], window: Window) -> float:
    """Return the requests whose last token arrived in the window, per second of it."""
    return window.per_second(sum(window.holds(r.sent_us + r.last_us) for r in good if r.last_us is not None))


def waiting_us(good: Iterable[RequestRecord], window: Window) -> list[tuple[int, int]]:
    """Return when each request had no token yet, as start and end, as far as that lies in the window."""
    waits = ((r.sent_us, r.sent_us + r.ttft_us) for r in good if r.ttft_us is not None)
    inside = ((max(start, window.start_us), min(end, window.end_us)) for start, end in waits)
    return [(start, end) for start, end in inside if start < end]


def untold(wave: WaveRecord) -> str | None:
    """Say why a pool run lacks figures; None where it does not."""
    if not is_pool(wave):
        return None
    turns = 1 + max(request.seq for request in wave.requests)
    if turns < MIN_TURNS:
        return f"a pool run of {turns} turns has no request between a slot's first and last: {MIN_TURNS} or more do"
    if steady_window(wave.requests) is None:
        return "a pool run had no steady stretch: a slot ran out of turns before another had ended its first; take more"
    return None


def _end_us(request: RequestRecord) -> int:
    """Return when a request's slot was free again, or the last that is known of it: a window may end too early."""
    return request.sent_us + (request.ended_us or request.last_us or 0)


def _tokens_in(request: RequestRecord, window: Window) -> float:
    """Count a request's tokens in the window: each event by its own count, scaled to what the server counted in all."""
    times_us = event_times_us(request)
    counts = [(value & TOKEN_MASK) or 1 for value in event_token_values(request)] or [1] * len(times_us)
    inside = sum(n for at_us, n in zip(times_us, counts, strict=True) if window.holds(request.sent_us + at_us))
    return inside if request.completion_tokens is None else inside * request.completion_tokens / sum(counts)
