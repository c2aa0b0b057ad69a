"""What an engine does now, from its counters over the last seconds; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sparktui.measure.live import rate
from sparktui.measure.server_figures import ServerFigures
from sparktui.watching.histogram import Histogram, summed
from sparktui.watching.page import Page

RATE_S = 5.0
"""Rates are over so long: SGLang and llama.cpp count a request's tokens only when it has ended."""
LATENCY_S = 30.0
"""Of whose requests TTFT and ITL are told."""
KEEP_S = 120.0
"""How long looks are kept: what the sparklines show."""
COUNTERS = ("prompt_tokens", "generation_tokens", "preemptions", "prefix_queries", "prefix_hits")


@dataclass(frozen=True, slots=True)
class Look:
    """One reading of one engine."""

    t: float
    """Monotonic seconds."""
    page: Page


@dataclass(frozen=True, slots=True)
class Figures:
    """What is shown of one engine, or of all together; what is not known is None."""

    decode_tps: float | None = None
    prefill_tps: float | None = None
    running: float | None = None
    waiting: float | None = None
    kv_pct: float | None = None
    preemptions: float | None = None
    """Since it has been watched."""
    prefix_queries: float | None = None
    """Prompt tokens looked up over the last seconds."""
    prefix_hits: float | None = None
    """Of them, those found."""
    ttft_s: Histogram | None = None
    """Of the requests of the last seconds."""
    itl_s: Histogram | None = None

    @property
    def prefix_hit_share(self) -> float | None:
        """Of the prompt tokens looked up over the last seconds, 0 to 1; None where none were."""
        return None if not self.prefix_queries or self.prefix_hits is None else self.prefix_hits / self.prefix_queries

    def milliseconds(self, name: str, share: float) -> float | None:
        """Return a quantile of `ttft` or `itl`; None where no request of the last seconds tells."""
        histogram: Histogram | None = getattr(self, f"{name}_s")
        seconds = None if histogram is None else histogram.quantile(share)
        return None if seconds is None else seconds * 1000


NOTHING = Figures()


def began_anew(before: ServerFigures, after: ServerFigures) -> bool:
    """Tell whether an engine was started again between two looks: a counter of it fell."""
    pairs = ((getattr(before, name), getattr(after, name)) for name in COUNTERS)
    return any(then is not None and now is not None and now < then for then, now in pairs)


def figures_of(looks: Sequence[Look], first: Look, now: float) -> Figures:
    """Return what an engine does now.

    Args:
        looks: The readings since it was last started, oldest first; the last is taken to be current.
        first: The first reading since it has been watched, or since it was last started.
        now: Monotonic seconds.
    """
    last = looks[-1].page
    earlier = next((look.page for look in looks if look.t >= now - LATENCY_S), last)
    return Figures(
        decode_tps=_rate(looks, "generation_tokens", now),
        prefill_tps=_rate(looks, "prompt_tokens", now),
        running=last.figures.running,
        waiting=last.figures.waiting,
        kv_pct=last.figures.kv_pct,
        preemptions=_moved(first.page.figures.preemptions, last.figures.preemptions),
        prefix_queries=_moved(earlier.figures.prefix_queries, last.figures.prefix_queries),
        prefix_hits=_moved(earlier.figures.prefix_hits, last.figures.prefix_hits),
        ttft_s=_since(earlier.ttft_s, last.ttft_s),
        itl_s=_since(earlier.itl_s, last.itl_s),
    )


def together(every: Iterable[Figures]) -> Figures:
    """Return what several engines do together; a figure that one of them does not tell is not known of all."""
    known = list(every)
    fills = [figures.kv_pct for figures in known]
    return Figures(
        decode_tps=_sum(figures.decode_tps for figures in known),
        prefill_tps=_sum(figures.prefill_tps for figures in known),
        running=_sum(figures.running for figures in known),
        waiting=_sum(figures.waiting for figures in known),
        kv_pct=None if (total := _sum(fills)) is None else total / len(fills),
        preemptions=_sum(figures.preemptions for figures in known),
        prefix_queries=_sum(figures.prefix_queries for figures in known),
        prefix_hits=_sum(figures.prefix_hits for figures in known),
        ttft_s=summed(figures.ttft_s for figures in known),
        itl_s=summed(figures.itl_s for figures in known),
    )


def _rate(looks: Sequence[Look], name: str, now: float) -> float | None:
    points = [(look.t, int(value)) for look in looks if (value := getattr(look.page.figures, name)) is not None]
    return rate(points, now, RATE_S)


def _moved(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _since(before: Histogram | None, after: Histogram | None) -> Histogram | None:
    return None if before is None or after is None else after.since(before)


def _sum(values: Iterable[float | None]) -> float | None:
    every = list(values)
    known = [value for value in every if value is not None]
    return sum(known) if known and len(known) == len(every) else None
