"""The names of the figures: unit, direction, and whether one value stands for a wave or for a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower"]
Per = Literal["wave", "request"]


@dataclass(frozen=True, slots=True)
class FigureKind:
    """What a figure's values are."""

    name: str
    unit: str
    better: Better
    per: Per
    title: str


_KINDS = (
    FigureKind("decode_tps", "tok/s", "higher", "wave", "decode, all streams"),
    FigureKind("decode_tps_stream", "tok/s", "higher", "request", "decode, each stream"),
    FigureKind("prefill_tps", "tok/s", "higher", "wave", "prefill, all streams"),
    FigureKind("ttft_ms", "ms", "lower", "wave", "time to first token, mean of a wave"),
    FigureKind("ttft_p50_ms", "ms", "lower", "wave", "time to first token, median of a wave"),
    FigureKind("ttft_p95_ms", "ms", "lower", "wave", "time to first token, 95th percentile of a wave"),
    FigureKind("ttfr_ms", "ms", "lower", "wave", "time to first response, mean of a wave"),
    FigureKind("e2e_ms", "ms", "lower", "wave", "send to last token, mean of a wave"),
    FigureKind("tpot_ms", "ms", "lower", "wave", "time per output token after the first, mean of a wave"),
    FigureKind("itl_p50_ms", "ms", "lower", "wave", "between token events, median of a wave"),
    FigureKind("itl_p95_ms", "ms", "lower", "wave", "between token events, 95th percentile of a wave"),
)
FIGURES = {kind.name: kind for kind in _KINDS}
"""Every figure, by name, in the order they are shown in."""
