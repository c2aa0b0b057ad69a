"""How the nodes were while a cell was measured: a few figures a node, kept beside the cell's own. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def stamp(*windows: Window) -> NodeStamp:
    """Return what one node's samples of a cell, oldest first, say of it.

    A cell that was broken off has several windows; what counters did between them is not of the cell.
    """
    every = [sample for window in windows for sample in window]
    return NodeStamp(
        samples=len(every),
        sm_mhz=_spread(s.sm_mhz for s in every),
        power_w=_spread(s.power_w for s in every),
        gpu_util_median_pct=middle(s.gpu_util_pct for s in every),
        temp_max_c=highest(s.temp_c for s in every),
        throttle=_reasons(every),
        mem_least_left_bytes=min(_known(s.mem_available_bytes for s in every), default=None),
        swap_max_bytes=max(_known(s.swap_used_bytes for s in every), default=None),
        swapped_bytes=_moved(windows, lambda s: s.swap_in_bytes, lambda s: s.swap_out_bytes),
        rdma_link_gbps=min((s.rdma_link_gbps for s in every if s.rdma_link_gbps is not None), default=None),
        rdma_bytes=_moved(windows, lambda s: s.rdma_rx_bytes, lambda s: s.rdma_tx_bytes),
        rdma_errors=_moved(windows, lambda s: s.rdma_errors),
    )


def stamps_json(*parts: Mapping[str, Window]) -> str:
    """Return the stamps of several nodes as JSON, by node; a cell that was broken off has several parts."""
    nodes = dict.fromkeys(node for part in parts for node in part)
    stamps = {node: stamp(*(part[node] for part in parts if node in part)) for node in nodes}
    return msgspec.json.encode(stamps).decode()


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


def _moved(windows: Sequence[Window], *counters: Counter) -> int | None:
    """Return how far counters went together; one that no window tells is unknown, and so is the sum."""
    told = [window for window in windows if len(window) > 1]
    moves = [moved(window, counter) for window in told for counter in counters]
    return sum(move for move in moves if move is not None) if moves and None not in moves else None
