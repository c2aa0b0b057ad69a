"""How the nodes were while a cell was measured: a few figures a node, kept beside the cell's own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median

import msgspec

from sparktui.nodes.sample import NodeSample
from sparktui.nodes.window import Counter, Window, highest, middle, moved


class Spread(msgspec.Struct, frozen=True):
    """The lowest, middle and highest of a reading."""

    min: float
    median: float
    max: float


class NodeStamp(msgspec.Struct, frozen=True, kw_only=True):
    """One node over one cell; None where nobody knows."""

    samples: int
    sm_mhz: Spread | None = None
    power_w: Spread | None = None
    gpu_util_median_pct: float | None = None
    temp_max_c: float | None = None
    throttle: tuple[str, ...] = ()
    """Every reason that was given at any moment."""
    mem_least_left_bytes: int | None = None
    """MemAvailable at its lowest."""
    swap_max_bytes: int | None = None
    swapped_bytes: int | None = None
    """Read from and written to swap meanwhile."""
    rdma_link_gbps: float | None = None
    """The lowest rate that the ports were negotiated at, summed over them."""
    rdma_bytes: int | None = None
    """Received and sent meanwhile."""
    rdma_errors: int | None = None
    """How many came meanwhile."""


def stamp(window: Window) -> NodeStamp:
    """Return what one node's samples of a cell, oldest first, say of it."""
    return NodeStamp(
        samples=len(window),
        sm_mhz=_spread(s.sm_mhz for s in window),
        power_w=_spread(s.power_w for s in window),
        gpu_util_median_pct=middle(s.gpu_util_pct for s in window),
        temp_max_c=highest(s.temp_c for s in window),
        throttle=_reasons(window),
        mem_least_left_bytes=min(_known(s.mem_available_bytes for s in window), default=None),
        swap_max_bytes=max(_known(s.swap_used_bytes for s in window), default=None),
        swapped_bytes=_both(window, lambda s: s.swap_in_bytes, lambda s: s.swap_out_bytes),
        rdma_link_gbps=min((s.rdma_link_gbps for s in window if s.rdma_link_gbps is not None), default=None),
        rdma_bytes=_both(window, lambda s: s.rdma_rx_bytes, lambda s: s.rdma_tx_bytes),
        rdma_errors=moved(window, lambda s: s.rdma_errors),
    )


def stamps_json(samples: Mapping[str, Window]) -> str:
    """Return the stamps of several nodes as JSON, by node."""
    return msgspec.json.encode({node: stamp(window) for node, window in samples.items()}).decode()


def by_node(samples: Iterable[NodeSample], nodes: Iterable[str]) -> dict[str, list[NodeSample]]:
    """Sort samples by node, and by time within each: those that were fetched late come out of order."""
    found: dict[str, list[NodeSample]] = {node: [] for node in nodes}
    for sample in sorted(samples, key=lambda s: s.t):
        if sample.node in found:
            found[sample.node].append(sample)
    return found


def _spread(values: Iterable[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    return Spread(min(known), median(known), max(known)) if known else None


def _reasons(window: Window) -> tuple[str, ...]:
    given = (reason.strip() for sample in window for reason in (sample.throttle or "").split(","))
    return tuple(sorted({reason for reason in given if reason}))


def _known(values: Iterable[int | None]) -> list[int]:
    return [value for value in values if value is not None]


def _both(window: Window, one: Counter, other: Counter) -> int | None:
    moves = [moved(window, counter) for counter in (one, other)]
    return None if None in moves else sum(move for move in moves if move is not None)
