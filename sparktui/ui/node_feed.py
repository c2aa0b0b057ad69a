"""The agents' samples as cards: each node's last reading, how fast its memory falls, what its fabric carries."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

from sparktui.nodes.guard import stop_floor_gib
from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import Profile
from sparktui.store.reader import Reader
from sparktui.ui.snapshot import Node
from sparktui.units import GIB

SLOPE_S = 5.0
"""Over which a slope is taken: long enough for noise, short enough for a node that dies in nine seconds."""
SAMPLES_KEPT = 32


class NodeFeed:
    """Follows the nodes of one campaign."""

    def __init__(self, reader: Reader, campaign: int, profile: Profile | None) -> None:
        self._reader = reader
        self._campaign = campaign
        self._profile = profile
        self._samples: dict[str, deque[NodeSample]] = defaultdict(lambda: deque(maxlen=SAMPLES_KEPT))
        self._last_id = 0

    def nodes(self, now: float) -> tuple[Node, ...]:
        """Read the samples that are new and return every node that has ever reported."""
        after = self._last_id or self._where_to_begin()
        for row in self._reader.node_samples_since(self._campaign, after):
            self._samples[row.sample.node].append(row.sample)
            self._last_id = row.id
        return tuple(self._node(list(samples), now) for _, samples in sorted(self._samples.items()))

    def _where_to_begin(self) -> int:
        """Skip a long history: the nodes' samples alternate, so the newest ids tell where the last ones begin."""
        latest = self._reader.latest_node_samples(self._campaign)
        if not latest:
            return 0
        return max(0, min(row.id for row in latest.values()) - SAMPLES_KEPT * len(latest))

    def _node(self, samples: Sequence[NodeSample], now: float) -> Node:
        last = samples[-1]
        recent = [sample for sample in samples if sample.t >= last.t - SLOPE_S]
        floors = self._profile.floors(last.node) if self._profile and last.node in self._profile.nodes else None
        slope = _per_second(recent, [sample.mem_available_bytes for sample in recent])
        received = _per_second(recent, [sample.rdma_rx_bytes for sample in recent])
        sent = _per_second(recent, [sample.rdma_tx_bytes for sample in recent])
        return Node(
            name=last.node,
            fragile=bool(self._profile and last.node in self._profile.nodes and self._profile.nodes[last.node].fragile),
            phase=last.phase,
            age_s=max(0.0, now - last.t),
            mem_total_bytes=last.mem_total_bytes,
            mem_available_bytes=last.mem_available_bytes,
            gpu_procs_bytes=last.gpu_procs_bytes,
            slope_gib_s=None if slope is None else slope / GIB,
            swap_used_bytes=last.swap_used_bytes,
            psi_some_pct=last.psi_some_pct,
            gpu_util_pct=last.gpu_util_pct,
            power_w=last.power_w,
            temp_c=last.temp_c,
            sm_mhz=last.sm_mhz,
            rdma_rx_gb_s=None if received is None else received / 1e9,
            rdma_tx_gb_s=None if sent is None else sent / 1e9,
            warn_gib=None if floors is None else floors.warn_gib,
            stop_gib=None if floors is None else stop_floor_gib(floors, last),
        )


def _per_second(samples: Sequence[NodeSample], values: Sequence[int | None]) -> float | None:
    """Return the change per second from the first to the last sample; None where either is unknown."""
    if len(samples) < 2 or values[0] is None or values[-1] is None or samples[-1].t <= samples[0].t:
        return None
    return (values[-1] - values[0]) / (samples[-1].t - samples[0].t)
