"""The findings about what connects the nodes of a cluster: a slow link, and NCCL on plain sockets."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from sparktui.nodes.health_engine import Engine, Flow, Samples
from sparktui.nodes.health_finding import Evidence, Finding
from sparktui.nodes.window import Window, last, middle, moved, recent, span_s

MIN_LINK_GBPS = 100.0
PLATEAU_S, PLATEAU_WINDOW_S = 10.0, 30.0
PLATEAU_GBPS = (8.0, 16.0)
"""Where the known fault has its ceiling, which is about 13. A sound link of this kind carries over 100."""
PLATEAU_BAND = 0.10
PLATEAU_SHARE = 0.6
IDLE_GBPS = 1.0
WAITING_W, WAITING_UTIL_PCT = 50.0, 80.0
"""A GPU that computes draws more than this; one that spins until its peer's data has come does not."""
MIN_STEP_S = 0.9
"""Rates over less are mostly the jitter of when a counter was read."""

SOCKET_WINDOW_S = 10.0
MIN_SOCKET_BYTES_PER_TOKEN = 32 * 1024
"""What tensor parallelism moves is hundreds of KiB a token; what clients are sent is about one."""
MIN_SOCKET_TOKENS = 200
RDMA_SHARE = 0.05


def slow_link(engine: Engine, samples: Samples) -> Finding | None:
    """Find a link that has negotiated a high rate, carries a low and constant one, and has its GPUs wait for it.

    A constant rate alone proves nothing: a prompt that is worked off at the GPU's own pace makes one too. So the GPU
    must be at full utilisation and low power as well, which is how it waits.
    """
    if len(engine.nodes) < 2:
        return None
    for node in engine.nodes:
        window = recent(samples.get(node, ()), PLATEAU_WINDOW_S)
        link_gbps = middle(s.rdma_link_gbps for s in window)
        flat = None if link_gbps is None or link_gbps < MIN_LINK_GBPS else plateau(step_rates(window))
        if flat is not None and _waits(window):
            return _slow_link(engine, node, window, flat, link_gbps or 0.0)
    return None


def _slow_link(engine: Engine, node: str, window: Window, flat: tuple[float, float], link_gbps: float) -> Finding:
    (gbps, seconds), power_w = flat, middle(s.power_w for s in window)
    return Finding(
        "slow-link",
        engine.nodes[0],
        f"the link between {' and '.join(engine.nodes)} looks slow: negotiated at {link_gbps:.0f} Gbit/s, it carries a "
        f"flat {gbps:.1f} Gbit/s for {seconds:.0f} s while {node} waits at {power_w or 0.0:.0f} W",
        f"slow link, {gbps:.1f} of {link_gbps:.0f} Gbit/s",
        {"gbps": gbps, "link_gbps": link_gbps, "seconds": seconds, "power_w": power_w, "seen_on": node},
    )


def step_rates(window: Window) -> list[tuple[float, float]]:
    """Return the fabric's load in steps of about a second: length in s, and Gbit/s in the fuller direction."""
    steps, start = [], None
    for sample in window:
        if sample.rdma_rx_bytes is None or sample.rdma_tx_bytes is None:
            start = None
        elif start is None:
            start = sample
        elif (seconds := sample.t - start.t) >= MIN_STEP_S:
            received = sample.rdma_rx_bytes - (start.rdma_rx_bytes or 0)
            sent = sample.rdma_tx_bytes - (start.rdma_tx_bytes or 0)
            steps.append((seconds, max(received, sent) * 8 / 1e9 / seconds))
            start = sample
    return steps


def plateau(steps: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return the rate that a link does not get over, in Gbit/s, and for how many seconds it was there; None of no such.

    The ceiling is the median of the steps in the upper half of the load. Most of the time in which anything is carried
    must lie within a tenth of it, for PLATEAU_S at least, and nothing far above.
    """
    carried = [(seconds, gbps) for seconds, gbps in steps if gbps > IDLE_GBPS]
    if not carried:
        return None
    top = max(gbps for _, gbps in carried)
    ceiling = median(gbps for _, gbps in carried if gbps >= top / 2)
    low, high = PLATEAU_GBPS
    near_s = sum(seconds for seconds, gbps in carried if abs(gbps - ceiling) <= PLATEAU_BAND * ceiling)
    flat = top <= (1 + 2 * PLATEAU_BAND) * ceiling and near_s >= PLATEAU_SHARE * sum(seconds for seconds, _ in carried)
    return (ceiling, near_s) if flat and low <= ceiling <= high and near_s >= PLATEAU_S else None


def _waits(window: Window) -> bool:
    working = [sample for sample in window if (sample.gpu_util_pct or 0.0) >= WAITING_UTIL_PCT]
    power_w = middle(sample.power_w for sample in working)
    return 2 * len(working) >= len(window) and power_w is not None and power_w < WAITING_W


def nccl_on_sockets(engine: Engine, client: Sequence[Flow], samples: Samples, *, alone: bool) -> Finding | None:
    """Find a cluster whose ranks talk over plain sockets though there are RDMA ports between them."""
    if len(engine.nodes) < 2:
        return None
    tokens = _made(engine.flow) or (_made(client) if alone else 0.0)
    for node in engine.nodes:
        window = last(samples.get(node, ()), SOCKET_WINDOW_S)
        plain = moved(window, lambda s: _sum(s.net_rx_bytes, s.net_tx_bytes))
        rdma = moved(window, lambda s: _sum(s.rdma_rx_bytes, s.rdma_tx_bytes))
        if plain is None or rdma is None or not window[-1].rdma_link_gbps or tokens < MIN_SOCKET_TOKENS:
            continue
        if plain >= MIN_SOCKET_BYTES_PER_TOKEN * tokens and rdma <= RDMA_SHARE * plain:
            return _on_sockets(engine, node, window, plain, rdma, tokens)
    return None


def _on_sockets(engine: Engine, node: str, window: Window, plain: int, rdma: int, tokens: float) -> Finding:
    text = (
        f"{' and '.join(engine.nodes)} talk over plain sockets: {node} moved {plain / 1e6:.0f} MB on its ordinary "
        f"interfaces and {rdma / 1e6:.0f} MB over RDMA within {span_s(window):.0f} s, for {tokens:.0f} tokens"
    )
    evidence: Evidence = {"plain_bytes": plain, "rdma_bytes": rdma, "tokens": tokens, "seen_on": node}
    return Finding("nccl-on-sockets", engine.nodes[0], text, "NCCL on plain sockets", evidence)


def _made(flow: Sequence[Flow]) -> float:
    """Return how many tokens a flow's last seconds brought."""
    counts = [p.tokens for p in flow if p.tokens is not None and p.t >= flow[-1].t - SOCKET_WINDOW_S]
    return max(0.0, counts[-1] - counts[0]) if counts else 0.0


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
