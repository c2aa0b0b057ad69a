"""Whether nodes are well while they serve: findings, each with its evidence, out of windows of samples. Pure.

What each finding means and what to do about it is in docs/health.md, under its own name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sparktui.nodes.health_engine import FROZEN_S, Engine, Flow, frozen_engine_s, still_s, zombie
from sparktui.nodes.health_finding import Finding, Kind
from sparktui.nodes.health_link import nccl_on_sockets, slow_link
from sparktui.nodes.health_node import HELD_S, cell_findings, node_findings, stuck_clock
from sparktui.nodes.window import Window, before, last

WAITS_FOR_A_PEER: frozenset[Kind] = frozenset({"zombie", "slow-link", "nccl-on-sockets"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is known at one moment of a topology that is up, or coming up."""

    now: float
    """By the clock of the flows, in seconds."""
    topology: str
    engines: tuple[Engine, ...]
    samples: Mapping[str, Window]
    """Of the last half minute or more, oldest first, by node."""
    client: Sequence[Flow] = ()
    """What the load sees of all engines together, oldest first."""

    @property
    def alone(self) -> bool:
        """Whether all of the load goes to one engine."""
        return len(self.engines) == 1


def look(view: View) -> tuple[Finding, ...]:
    """Return everything that is not well at this moment, but for what another finding explains."""
    found = [finding for node, samples in view.samples.items() for finding in node_findings(samples)]
    for engine in view.engines:
        found += [*_stuck_clocks(view, engine), *_of_engine(view, engine)]
    return tuple(_unexplained(found, [engine.nodes for engine in view.engines]))


def unfair_to_cell(
    told: Iterable[Finding], samples: Mapping[str, Window], engines: Sequence[Sequence[str]]
) -> tuple[Finding, ...]:
    """Return what kept a cell from showing what its topology can do, each thing once.

    Args:
        told: The findings that stood at any moment of it.
        samples: Those taken while it was measured, by node: a cell may be over before anything has lasted long enough.
        engines: The nodes of each engine.
    """
    own = [finding for window in samples.values() for finding in cell_findings(window)]
    found = {finding.key: finding for finding in (*own, *told) if finding.unfair}
    return tuple(_unexplained(list(found.values()), engines))


def _stuck_clocks(view: View, engine: Engine) -> Iterator[Finding]:
    """Judge the clocks up to the last token: a GPU that loads, compiles or waits for its peer is not slow but idle."""
    flows = [engine.flow, view.client] if view.alone or not engine.flow else [engine.flow]
    still = min(still_s(flow, view.now) for flow in flows)
    if still <= FROZEN_S:
        found = (stuck_clock(last(before(view.samples.get(node, ()), still), HELD_S)) for node in engine.nodes)
        yield from (finding for finding in found if finding is not None)


def _of_engine(view: View, engine: Engine) -> Iterator[Finding]:
    frozen = frozen_engine_s(engine, view.client, view.now, alone=view.alone)
    rules = (
        zombie(engine, frozen, view.samples, view.topology),
        slow_link(engine, view.samples),
        nccl_on_sockets(engine, view.client, view.samples, alone=view.alone),
    )
    return (finding for finding in rules if finding is not None)


def _unexplained(found: Sequence[Finding], engines: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Leave out the stuck clocks of GPUs that are throttled, or that wait for a peer."""
    explained = {finding.node for finding in found if finding.kind == "throttled"}
    waiting = {finding.node for finding in found if finding.kind in WAITS_FOR_A_PEER}
    explained.update(node for nodes in engines if waiting.intersection(nodes) for node in nodes)
    return (finding for finding in found if not (finding.kind == "stuck-clock" and finding.node in explained))
