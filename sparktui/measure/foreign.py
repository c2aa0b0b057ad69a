"""Figures that only other tools give: each keeps a name and a definition of its own, and is never taken for ours."""

from __future__ import annotations

from sparktui.measure.figures import FigureKind, Per


def _tps(name: str, title: str) -> FigureKind:
    return FigureKind(name, "tok/s", "higher", "wave", title)


def _ms(name: str, title: str, per: Per = "request") -> FigureKind:
    return FigureKind(name, "ms", "lower", per, title)


_KINDS = (
    _tps("output_tps", "output tokens by the whole run's time, ramp and drain included"),
    _tps("all_tokens_tps", "prompt and output tokens by the whole run's time, ramp and drain included"),
    FigureKind("peak_bucket_eps", "events/s", "higher", "wave", "most stream events in one whole second of the run"),
    _ms("tpot_counted_ms", "(last token - first token) / (output tokens - 1), an event taken for a token"),
    _ms("tpot_ttfr_ms", "(last event - first response) / (output tokens - 1), role-only ones included"),
    _ms("tpot_whole_ms", "(last token - send) / output tokens, the wait for the first included"),
    _ms("event_gap_ms", "between stream events, role-only ones included"),
    _ms("token_gap_ms", "between stream events with content"),
    _ms("body_e2e_ms", "send to the end of the response"),
    _ms("event_e2e_ms", "send to the last stream event, with content or not"),
)
FOREIGN = {kind.name: kind for kind in _KINDS}
"""By name, in the order they are shown in."""
