"""The names of the figures: unit, direction, and whether one value stands for a wave or for a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower"]
Per = Literal["wave", "request"]

PERCENTILES = {50: "median", 90: "90th percentile", 95: "95th percentile", 99: "99th percentile"}


@dataclass(frozen=True, slots=True)
class FigureKind:
    """What a figure's values are."""

    name: str
    unit: str
    better: Better
    per: Per
    title: str


def _tps(name: str, per: Per, title: str) -> FigureKind:
    return FigureKind(name, "tok/s", "higher", per, title)


def _ms(name: str, title: str) -> FigureKind:
    return FigureKind(f"{name}_ms", "ms", "lower", "wave", title)


def _percentiles_ms(name: str, title: str) -> tuple[FigureKind, ...]:
    return tuple(_ms(f"{name}_p{percent}", f"{title}, {words} of a wave") for percent, words in PERCENTILES.items())


USAGE_FIGURES = (
    _tps("decode_tps", "wave", "decode, all streams"),
    _tps("decode_tps_stream", "request", "decode, each stream"),
    _tps("prefill_tps", "wave", "prefill, all streams"),
    _ms("ttft", "time to first token, mean of a wave"),
    *_percentiles_ms("ttft", "time to first token"),
    _ms("ttfr", "time to first response, mean of a wave"),
    _ms("e2e", "send to last token, mean of a wave"),
    *_percentiles_ms("e2e", "send to last token"),
    _ms("tpot", "time per output token after the first, mean of a wave"),
    *_percentiles_ms("tpot", "time per output token after the first"),
    *_percentiles_ms("itl", "between token events"),
    FigureKind("request_rps", "req/s", "higher", "wave", "good requests, by the whole wave's time"),
    FigureKind("goodput_rps", "req/s", "higher", "wave", "good requests within the limits, by the whole wave's time"),
    FigureKind("error_pct", "%", "lower", "wave", "requests that failed"),
    FigureKind("prefill_time_pct", "%", "lower", "wave", "of the wave's time, with a request before its first token"),
)
"""What the calculator `usage` gives, in the order it is shown in."""
_BENCHY_ONLY = (
    _tps("prefill_tps_stream", "request", "prefill, each stream, latency taken off"),
    _tps("peak_tps", "wave", "decode, all streams, best second"),
    _tps("peak_tps_stream", "request", "decode, each stream, best second"),
    _ms("est_ppt", "time to first response less latency"),
)
TOKENS_PER_JOULE = FigureKind("tokens_per_joule", "tok/J", "higher", "wave", "tokens generated per joule of the GPUs")
JOULES_PER_REQUEST = FigureKind("joules_per_request", "J", "lower", "wave", "joules of the GPUs per good request")
"""From the nodes' samples, whatever the calculator: `compare.energy`."""
FIGURES = {kind.name: kind for kind in (*USAGE_FIGURES, *_BENCHY_ONLY, TOKENS_PER_JOULE, JOULES_PER_REQUEST)}
"""Every figure, by name. A calculator may take one value a request where this says one a wave; its figure says so."""
