"""How a router spread requests over its backends, and whether chance alone would leave one of them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BY_CHANCE = 0.001
"""Random routing leaves some backend out of so many requests less often than this: then it is no chance."""


def idle_backends(served: Mapping[str, int], backends: Sequence[str]) -> tuple[str, ...]:
    """Return the backends that served nothing, where random routing would hardly have left them out.

    The probability that one of k backends gets none of n requests is at most k (1 - 1/k)**n (union bound).

    Args:
        served: Requests by backend, as the router named it.
        backends: All there are.
    """
    total, k = sum(served.values()), len(backends)
    if k < 2 or not total or k * (1 - 1 / k) ** total > BY_CHANCE:
        return ()
    return tuple(name for name in backends if not served.get(name))


def shares_text(served: Mapping[str, int], backends: Sequence[str]) -> str:
    """Return `gf1 45, gf2 42`: every backend, those that served nothing too, then names the router made up."""
    names = [*backends, *(name for name in served if name not in backends)]
    return ", ".join(f"{name} {served.get(name, 0)}" for name in names)
