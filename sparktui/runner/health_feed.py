"""What the store holds of a topology that is up, as the health rules want it: only what is new is read each time."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass

from sparktui.load.messages import Progress
from sparktui.measure.server_figures import ServerFigures
from sparktui.nodes.health import View
from sparktui.nodes.health_engine import Engine, Flow
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.stamp import by_node
from sparktui.nodes.stretch import Stretch
from sparktui.serving.plan import Backend, Plan
from sparktui.store.reader import Reader

KEPT_S = 60.0
"""Longer than any rule looks back."""
FLOWS_KEPT = 64
"""Once a second: a minute's worth."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: what of the nodes' samples was in the store by then."""

    at: float
    sample_id: int
    newest: Mapping[str, float]
    """By node, when its newest sample was taken, by its own clock."""


class HealthFeed:
    """Reads one sweep, from now on; each call of a method reads the store, so not on an event loop."""

    def __init__(self, reader: Reader, campaign: int, sweep: int, plan: Plan, nodes: tuple[str, ...]) -> None:
        self.nodes = nodes
        self.engines = {backend.node: engine_nodes(plan, backend, nodes) for backend in plan.backends}
        """By backend, the nodes that it runs on."""
        self._reader, self._campaign, self._sweep, self._topology = reader, campaign, sweep, plan.topology
        self._began = time.time()
        self._last_sample = self.mark().sample_id
        self._last_server = max((row.id for row in reader.latest_server_samples(sweep).values()), default=0)
        self._samples: dict[str, list[NodeSample]] = {node: [] for node in nodes}
        self._flows: dict[str, deque[Flow]] = defaultdict(lambda: deque(maxlen=FLOWS_KEPT))
        self._client: deque[Flow] = deque(maxlen=FLOWS_KEPT)

    def view(self) -> View:
        """Read what is new and return what is known now; whether engines answer their health checks is not in it."""
        self._read_samples()
        self._read_engines()
        self._read_client()
        return View(
            now=time.time(),
            topology=self._topology,
            engines=tuple(Engine(nodes, tuple(self._flows[name])) for name, nodes in self.engines.items()),
            samples={node: tuple(samples) for node, samples in self._samples.items()},
            client=tuple(self._client),
        )

    def mark(self) -> Mark:
        """Return what is in the store now, so that later only what came after it is read."""
        latest = self._reader.latest_node_samples(self._campaign)
        newest = {node: row.sample.t for node, row in latest.items()}
        return Mark(time.time(), max((row.id for row in latest.values()), default=0), newest)

    def stretch(self, mark: Mark) -> Stretch:
        """Return what part of a cell has been since a mark, without what was found in it."""
        return Stretch(
            began=mark.at,
            after=mark.sample_id,
            until=self._reader.node_history(self._campaign).newest(),
            newest=dict(mark.newest),
            nodes=self.nodes,
            engines=tuple(self.engines.values()),
        )

    def _read_samples(self) -> None:
        rows = self._reader.node_samples_since(self._campaign, self._last_sample)
        self._last_sample = max((row.id for row in rows), default=self._last_sample)
        for node, new in by_node((row.sample for row in rows), self.nodes).items():
            if new:
                every = sorted([*self._samples[node], *new], key=lambda sample: sample.t)
                self._samples[node] = [sample for sample in every if sample.t >= every[-1].t - KEPT_S]

    def _read_engines(self) -> None:
        for row in self._reader.server_samples_since(self._sweep, self._last_server):
            self._last_server = row.id
            self._flows[row.backend].append(_engine_flow(row.t, row.figures))

    def _read_client(self) -> None:
        row = self._reader.latest_live(self._campaign)
        if row is not None and row.t >= self._began and (not self._client or row.t > self._client[-1].t):
            self._client.append(_client_flow(row.t, row.progress))


def samples_of(reader: Reader, campaign: int, stretch: Stretch) -> dict[str, list[NodeSample]]:
    """Return the samples taken in a stretch, by node, in order; what was only fetched meanwhile is left out."""
    rows = reader.node_samples_since(campaign, stretch.after, until=stretch.until)
    taken = (row.sample for row in rows if row.sample.t > stretch.newest.get(row.sample.node, 0.0))
    return by_node(taken, stretch.nodes)


def engine_nodes(plan: Plan, backend: Backend, nodes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nodes that a backend runs on: all of the topology where it is the only one, else its own."""
    return nodes if len(plan.backends) == 1 else (backend.node,)


def _engine_flow(t: float, figures: ServerFigures) -> Flow:
    known = [count for count in (figures.prompt_tokens, figures.generation_tokens) if count is not None]
    return Flow(t, figures.running, sum(known) if known else None)


def _client_flow(t: float, progress: Progress) -> Flow:
    in_flight = progress.waiting + progress.prefill + progress.active
    return Flow(t, in_flight, progress.tokens + progress.prefilled)
