"""One engine's own account of itself, whichever engine it is."""

from __future__ import annotations

import msgspec


class ServerFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One server's own counts, summed over its engines; the token, preemption and prefix figures count up for ever."""

    running: float | None = None
    waiting: float | None = None
    kv_pct: float | None = None
    """How full the KV cache is, 0 to 100; the mean over engines."""
    prompt_tokens: float | None = None
    generation_tokens: float | None = None
    preemptions: float | None = None
    prefix_queries: float | None = None
    """Prompt tokens looked up in the prefix cache."""
    prefix_hits: float | None = None
    """Prompt tokens found there."""
