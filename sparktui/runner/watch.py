"""Watches the nodes of a campaign: one agent each, every sample into the store, the guard judging each one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sparktui.nodes.guard import Guard
from sparktui.nodes.link import AgentLink
from sparktui.nodes.sample import NodeSample, Phase
from sparktui.profile.model import GIB, Profile
from sparktui.runner.journal import Journal
from sparktui.serving.layout import HERE

RESTART_S = 2.0
"""How long to wait before an agent that ended is started again."""

STALE_S = 5.0
"""A node that has said nothing for so long is not waited for."""

OnStop = Callable[[str, str], None]
"""Called with a node's name and the guard's reason."""


@dataclass(slots=True)
class NodeWatch:
    """The agents of one campaign and what they last said."""

    profile: Profile
    journal: Journal
    state_dir: Path
    on_stop: OnStop
    latest: dict[str, NodeSample] = field(default_factory=dict)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)
    _phases: dict[str, Phase] = field(default_factory=dict)
    _links: dict[str, AgentLink] = field(default_factory=dict)
    _warned: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Watch every node that can be watched, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, node in self.profile.nodes.items():
                if node.host in HERE:
                    group.create_task(self._watch(name))
                else:
                    await self.journal.warning(name, "unwatched", f"{name}: its memory is not watched over ssh yet")

    async def heard_from_all(self, timeout_s: float) -> None:
        """Wait until every watched node has said something, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._heard.wait()

    def tell(self, nodes: Iterable[str], phase: Phase) -> None:
        """Tell the agents of some nodes what is going on there."""
        for name in nodes:
            self._phases[name] = phase
            if name in self._links:
                self._links[name].tell(phase)

    def refusal(self, nodes: Iterable[str]) -> str | None:
        """Return why a launch on these nodes must not be tried now, or None."""
        for name in nodes:
            sample, floor = self.latest.get(name), self.profile.floors(name).refuse_gib
            if (
                sample is not None
                and sample.mem_available_bytes is not None
                and sample.mem_available_bytes < floor * GIB
            ):
                left = sample.mem_available_bytes / GIB
                return f"{name} has {left:.1f} GiB left, under the {floor:.0f} GiB it takes to launch there"
        return None

    async def memory_back(self, nodes: Iterable[str], before: dict[str, int], timeout_s: float = 90.0) -> list[str]:
        """Wait until the nodes have again what they had before a launch; return those that have not."""
        wanted = {name: before[name] - 2 * GIB for name in nodes if name in before}
        deadline = asyncio.get_running_loop().time() + timeout_s
        while short := [name for name, least in wanted.items() if self._heard_lately(name) and self.left(name) < least]:
            if asyncio.get_running_loop().time() > deadline:
                return short
            await asyncio.sleep(0.25)
        return []

    def _heard_lately(self, name: str) -> bool:
        sample = self.latest.get(name)
        return sample is not None and time.time() - sample.t < STALE_S

    def left(self, node: str, unknown: int = 0) -> int:
        """Return MemAvailable of a node in bytes, or `unknown`."""
        sample = self.latest.get(node)
        return unknown if sample is None or sample.mem_available_bytes is None else sample.mem_available_bytes

    def snapshot(self) -> dict[str, int]:
        """Return MemAvailable of every node that has said it."""
        return {name: s.mem_available_bytes for name, s in self.latest.items() if s.mem_available_bytes is not None}

    async def _watch(self, name: str) -> None:
        guard = Guard(self.profile.floors(name))
        simulated = self.state_dir if self.profile.nodes[name].host == "simulated" else None
        while True:
            link = self._links[name] = await AgentLink.start(name, simulated=simulated)
            link.tell(self._phases.get(name, "idle"))
            try:
                while (sample := await link.next()) is not None:
                    guard = await self._judge(guard, sample)
            finally:
                await link.close()
            await self.journal.warning(name, "agent-lost", f"{name}: its agent ended; started again")
            await asyncio.sleep(RESTART_S)

    async def _judge(self, guard: Guard, sample: NodeSample) -> Guard:
        self.latest[sample.node] = sample
        if all(name in self.latest for name, node in self.profile.nodes.items() if node.host in HERE):
            self._heard.set()
        guard, decision = guard.observe(sample)
        if decision.level == "stop" and sample.phase not in ("idle", "stopping"):
            self.on_stop(sample.node, decision.reason)
        if decision.level == "ok":
            self._warned.discard(sample.node)
        elif sample.node not in self._warned and sample.phase != "idle":
            self._warned.add(sample.node)
            await self.journal.warning(sample.node, "guard-warn", decision.reason)
        await self.journal.writer.add_node_samples(self.journal.campaign, [sample])
        return guard
