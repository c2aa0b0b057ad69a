"""Whether what was launched again is what a topology's first waves were measured on; pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sparktui.compare.fingerprint import PROTOCOL, Fingerprint

READINGS = frozenset({"kv_cache_gib", "kv_cache_tokens", "weights_gib", "router_added_ttft_ms"})
"""Facts that are measured at each launch, and differ a little from one to the next."""


def changes(first: Fingerprint, now: Fingerprint) -> tuple[str, ...]:
    """Say what differs between two launches of one topology; a fact that one of them does not tell is no difference."""
    return tuple(f"{name}: {_shown(a)} at first, {_shown(b)} now" for name, a, b in _pairs(first, now) if a != b)


def _pairs(first: Fingerprint, now: Fingerprint) -> Iterator[tuple[str, object, object]]:
    for name in PROTOCOL:
        a, b = getattr(first, name), getattr(now, name)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from ((f"{name}.{key}", a.get(key), b.get(key)) for key in sorted(a.keys() | b.keys()))
        elif a is not None and b is not None:
            yield name, a, b
    for name in sorted((first.engine.keys() & now.engine.keys()) - READINGS):
        yield name, first.engine[name], now.engine[name]


def _shown(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
