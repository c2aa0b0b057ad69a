"""The agents' samples as cards: each node's last reading, how fast its memory falls, what its fabric carries.

When memory will be at the floor is worked out by the guard's own rules; how fast it falls, as everywhere it is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from sparktui.nodes.guard import Decision, Guard, Limits, stop_floor
from sparktui.nodes.history import slope_bytes_s
from sparktui.nodes.order import by_number
from sparktui.nodes.phase import Phase
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.verdict import Verdict, limits
from sparktui.profile.model import Profile
from sparktui.store.reader import Reader
from sparktui.store.rows import SweepNodeRow, SweepRow
from sparktui.ui.news_feed import NewsFeed
from sparktui.ui.node_values import Node
from sparktui.units import GIB
from sparktui.unreadable import UNREADABLE

RATE_S = 5.0
"""Over which what a fabric carries is taken."""
SAMPLES_KEPT = 64
NOT_HEARD = Decision("ok")


@dataclass(slots=True)
class _Followed:
    """One node: its last samples, and what the guard makes of them."""

    samples: deque[NodeSample] = field(default_factory=lambda: deque(maxlen=SAMPLES_KEPT))
    guard: Guard | None = None
    decision: Decision = NOT_HEARD

    def take(self, sample: NodeSample) -> None:
        """Take a sample; one fetched late, from before the last, is for those who look at all of them."""
        if self.samples and sample.t <= self.samples[-1].t:
            return
        self.samples.append(sample)
        if self.guard is not None:
            self.guard, self.decision = self.guard.observe(sample.t, sample.mem_available_bytes, sample.phase)


class NodeFeed:
    """Follows the nodes of one campaign."""

    def __init__(self, reader: Reader, campaign: int, profile: Profile | None, news: NewsFeed) -> None:
        self._reader = reader
        self._campaign = campaign
        self._profile = profile
        self._news = news
        self._followed: dict[str, _Followed] = {}
        self._last_id = 0
        self._sweep: SweepRow | None = None

    def read(self, sweep: SweepRow | None) -> None:
        """Read the samples that are new; `sweep` is the topology that is up, or coming up."""
        if sweep != self._sweep:
            self._sweep = sweep
            self._set_limits()
        after = self._last_id or self._where_to_begin()
        for row in self._reader.node_samples_since(self._campaign, after):
            self._node(row.sample.node).take(row.sample)
            self._last_id = row.id

    def nodes(self, now: float) -> tuple[Node, ...]:
        """Return every node that has ever reported."""
        names = sorted(self._followed, key=by_number)
        return tuple(self._seen(self._followed[name], now) for name in names)

    def _node(self, name: str) -> _Followed:
        if name not in self._followed:
            known = self._limits(name)
            self._followed[name] = _Followed(guard=None if known is None else Guard.of(name, known))
        return self._followed[name]

    def _set_limits(self) -> None:
        """Go by what was predicted for the topology, which is known a moment after it is begun."""
        for name, followed in self._followed.items():
            known = self._limits(name)
            if followed.guard is not None and known is not None:
                followed.guard = replace(followed.guard, limits=known)

    def _where_to_begin(self) -> int:
        """Skip a long history: the nodes' samples alternate, so the newest ids tell where the last ones begin."""
        latest = self._reader.latest_node_samples(self._campaign)
        if not latest:
            return 0
        return max(0, min(row.id for row in latest.values()) - SAMPLES_KEPT * len(latest))

    def _limits(self, name: str) -> Limits | None:
        if self._profile is None or name not in self._profile.nodes:
            return None
        rows = self._reader.sweep_nodes(self._campaign) if self._sweep else []
        mine = [row for row in rows if self._sweep and (row.sweep, row.node) == (self._sweep.id, name)]
        return limits(self._profile, name, _verdict(mine))

    def _seen(self, followed: _Followed, now: float) -> Node:
        last, decision = followed.samples[-1], followed.decision
        floor, slope = decision.floor_bytes, slope_bytes_s(followed.samples)
        return Node(
            name=last.node,
            fragile=self._fragile(last.node),
            rank=self._rank(last.node),
            phase=last.phase,
            age_s=max(0.0, now - last.t),
            mem_total_bytes=last.mem_total_bytes,
            mem_available_bytes=last.mem_available_bytes,
            mem_free_bytes=last.mem_free_bytes,
            gpu_procs_bytes=last.gpu_procs_bytes,
            slope_gib_s=None if slope is None else slope / GIB,
            swap_used_bytes=last.swap_used_bytes,
            psi_some_pct=last.psi_some_pct,
            gpu_util_pct=last.gpu_util_pct,
            power_w=last.power_w,
            temp_c=last.temp_c,
            sm_mhz=last.sm_mhz,
            rdma_rx_gb_s=_giga_per_second(followed.samples, [sample.rdma_rx_bytes for sample in followed.samples]),
            rdma_tx_gb_s=_giga_per_second(followed.samples, [sample.rdma_tx_bytes for sample in followed.samples]),
            link_gbps=last.rdma_link_gbps,
            throttle=last.throttle or None,
            nvml_hung=last.nvml_hung,
            top=last.top,
            warn_gib=None if followed.guard is None else followed.guard.limits.warn_bytes / GIB,
            stop_gib=None if floor is None else floor / GIB,
            seconds_to_floor=_seconds_to_floor(decision, last.phase),
            expected_gib=_expected_gib(followed.guard, last.phase),
            told=self._news.told(last.node),
            findings=self._news.findings(last.node),
        )

    def _fragile(self, name: str) -> bool:
        return bool(self._profile and name in self._profile.nodes and self._profile.nodes[name].fragile)

    def _rank(self, name: str) -> int | None:
        if self._profile is None or self._sweep is None:
            return None
        topology = self._profile.topologies.get(self._sweep.topology)
        clustered = topology is not None and topology.kind == "cluster" and name in topology.nodes
        return topology.nodes.index(name) if topology and clustered else None


def _seconds_to_floor(decision: Decision, phase: Phase) -> float | None:
    """Return when a node will be at its floor; of a load, which is a fall, only where the guard would warn of that."""
    return None if phase != "serving" and decision.rule != "slope" else decision.seconds_to_floor


def _expected_gib(guard: Guard | None, phase: Phase) -> float | None:
    """Return what loading was predicted to leave, where the floor of the phase comes from that."""
    if guard is None or stop_floor(guard.limits, phase)[1] != "predicted":
        return None
    predicted = guard.limits.predicted_left_bytes
    return None if predicted is None else predicted / GIB


def _verdict(rows: Iterable[SweepNodeRow]) -> Verdict | None:
    """Return what was said of the node before the launch; None where nothing was, or by another version."""
    text = next((row.verdict for row in rows if row.verdict), None)
    try:
        return None if text is None else msgspec.json.decode(text, type=Verdict)
    except UNREADABLE:
        return None


def _giga_per_second(samples: Sequence[NodeSample], values: Sequence[int | None]) -> float | None:
    """Return the change of a counter per second, in billions, over the last seconds; None where it is not known."""
    first = next(index for index, sample in enumerate(samples) if sample.t >= samples[-1].t - RATE_S)
    start, end = values[first], values[-1]
    took = samples[-1].t - samples[first].t
    return None if start is None or end is None or took <= 0 or end < start else (end - start) / took / 1e9
