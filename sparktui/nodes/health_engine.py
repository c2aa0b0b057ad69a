"""An engine and the nodes it runs on: whether it makes tokens, or is a zombie that only says that it is healthy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from sparktui.nodes.health_finding import Finding
from sparktui.nodes.window import Window, last, middle
from sparktui.units import UNKNOWN

FROZEN_S = 15.0
"""Without a token, while requests run. A long prompt may take that, but not at a zombie's power."""
ZOMBIE_W = 30.0
FRESH_S = 3.0
"""A count that is older says nothing of now."""

Samples = Mapping[str, Window]


@dataclass(frozen=True, slots=True)
class Flow:
    """Requests in an engine and tokens through it, at one moment."""

    t: float
    """Seconds; of one clock within a series, and that clock tells "now" too."""
    running: float | None
    tokens: float | None
    """Prompt and generated tokens, counting up."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One serving engine and the nodes it runs on."""

    nodes: tuple[str, ...]
    """By rank."""
    flow: Sequence[Flow] = ()
    """By its own counters, oldest first; empty for an engine without any."""
    healthy: bool | None = None
    """What its health check answers; None where it was not asked."""


def frozen_s(flow: Sequence[Flow], now: float) -> float:
    """Return for how long requests have been running without a token; 0 where they are not, or nobody knows."""
    if not flow or now - flow[-1].t > FRESH_S:
        return 0.0
    end = flow[-1]
    since = end.t
    for point in reversed(flow):
        if not point.running or point.tokens is None or point.tokens != end.tokens:
            break
        since = point.t
    return end.t - since


def still_s(flow: Sequence[Flow], now: float) -> float:
    """Return how long ago the last token was seen to be made, by this flow; infinity where none was."""
    moved_at = (later.t for before, later in reversed(list(pairwise(flow))) if before.tokens != later.tokens)
    return now - next(moved_at, -inf)


def frozen_engine_s(engine: Engine, client: Sequence[Flow], now: float, *, alone: bool) -> float:
    """Return for how long an engine has been frozen, by its own counters and by what arrives here.

    Args:
        engine: Whose.
        client: What the load sees of all engines together.
        now: The moment.
        alone: It is the only engine, so that what arrives here is its doing. Then both must stand still: some engines
            count a request's tokens only when it has ended.
    """
    if not alone:
        return frozen_s(engine.flow, now)
    counts = [frozen_s(flow, now) for flow in (engine.flow, client) if flow]
    return min(counts, default=0.0)


@dataclass(frozen=True, slots=True)
class Rank:
    """One node of an engine over the last seconds."""

    number: int
    node: str
    power_w: float | None
    util_pct: float | None
    clock_mhz: float | None

    def __str__(self) -> str:
        watts, util = (UNKNOWN if value is None else f"{value:.0f}" for value in (self.power_w, self.util_pct))
        return f"{self.node} {watts} W at {util} % utilisation"


def zombie(engine: Engine, frozen: float, samples: Samples, topology: str) -> Finding | None:
    """Find an engine that answers its health check and makes no tokens, and the rank that does nothing.

    A GPU that is really computing, as on a long prompt, draws more than an idle one: so the power decides.
    """
    if frozen < FROZEN_S or engine.healthy is not True:
        return None
    ranks = [_rank(number, node, samples.get(node, ()), frozen) for number, node in enumerate(engine.nodes)]
    known = [rank for rank in ranks if rank.power_w is not None]
    if not known:
        return None
    idle = min(known, key=lambda r: (r.power_w or 0.0, r.util_pct or 0.0, r.clock_mhz or 0.0))
    if idle.power_w is None or idle.power_w >= ZOMBIE_W:
        return None
    running = engine.flow[-1].running if engine.flow else None
    requests = "requests run" if running is None else f"{running:.0f} requests run"
    others = "".join(f", {rank}" for rank in ranks if rank is not idle)
    rank = f"rank {idle.number}, " if len(ranks) > 1 else ""
    return Finding(
        "zombie",
        idle.node,
        f"{topology} is a zombie: {requests}, no token for {frozen:.0f} s, and its health check answers; "
        f"idle is {rank}{idle}{others}",
        f"zombie, {idle.power_w:.0f} W, no token for {frozen:.0f} s",
        {
            "frozen_s": frozen,
            "running": running,
            "rank": idle.number,
            "power_w": idle.power_w,
            "gpu_util_pct": idle.util_pct,
            "sm_mhz": idle.clock_mhz,
        },
    )


def _rank(number: int, node: str, samples: Window, seconds: float) -> Rank:
    window = last(samples, min(seconds, FROZEN_S))
    power_w, util_pct = middle(s.power_w for s in window), middle(s.gpu_util_pct for s in window)
    return Rank(number, node, power_w, util_pct, middle(s.sm_mhz for s in window))
