"""The nodes of one topology, from the verdict before its launch to the memory that has come back after its stop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from sparktui.errors import LaunchError
from sparktui.nodes.messages import Arm
from sparktui.nodes.phase import Phase
from sparktui.nodes.verdict import Verdict, judge, limits
from sparktui.profile.model import External, Profile
from sparktui.runner.earlier_needs import earlier_needs
from sparktui.runner.journal import Journal
from sparktui.runner.watch import NodeWatch
from sparktui.serving.layout import HERE, address_of
from sparktui.serving.plan import Plan

HERE_ADDRESSES = ("localhost", "127.0.0.1", "::1")
UNGUARDED = "without a guard it may freeze; `memory: {unwatched: allow}` in the profile launches anyhow"
"""What there is to do where nothing can be mended: a node that cannot be reached has a remedy of its own."""
WORD_S = 1.0
FAR_WORD_S = 10.0
"""Where a node is silent: its guard acts without us, and says so when it can be heard again."""


@dataclass(slots=True)
class GuardedNodes:
    """Judged, armed, told what goes on, and asked what the topology took of them."""

    profile: Profile
    journal: Journal
    watch: NodeWatch
    sweep: int
    plan: Plan
    mark: str
    _before: dict[str, int] = field(default_factory=dict)

    @property
    def topology(self) -> str:
        """The topology's name."""
        return self.plan.topology

    @property
    def nodes(self) -> tuple[str, ...]:
        """Their names."""
        return self.profile.topologies[self.topology].nodes

    async def prepare(self) -> None:
        """Judge every node, and arm its guard: before the first byte of a model is loaded.

        Raises:
            LaunchError: A node has not enough left, or its guard is not armed and the profile asks for it.
        """
        self.watch.extremes.begin(self.sweep, self.nodes)
        verdicts = await self._judge()
        self.tell("loading")
        await self._arm(verdicts)

    def tell(self, phase: Phase) -> None:
        """Tell the agents what is going on; where nothing is launched, there is only serving."""
        said: Phase = phase if self.plan.steps or phase == "idle" else "serving"
        self.watch.tell(self.nodes, said, "" if phase == "idle" else self.topology)

    def measuring(self, concurrency: int) -> None:
        """Tell the agents which level is being measured."""
        self.watch.note(self.nodes, f"{self.topology} c{concurrency}")

    def word_within_s(self) -> float:
        """Return how long to wait for a guard's word when something has failed: what it stops fails here too."""
        heard = self.watch.fresh()
        return WORD_S if all(node in heard for node in self.nodes) else FAR_WORD_S

    async def memory_back(self) -> list[str]:
        """Wait until the memory has come back, once everything is stopped; return the nodes where it has not."""
        return await self.watch.memory_back(self._before)

    async def rest(self) -> None:
        """Let the nodes be, and keep what the topology took of them."""
        self.watch.disarm(self.nodes)
        self.tell("idle")
        for node, taken in self.watch.extremes.end().items():
            await self.journal.writer.set_sweep_node(
                self.sweep,
                node,
                least_left_bytes=taken.least_left_bytes,
                most_gpu_bytes=taken.most_gpu_bytes,
            )

    async def _judge(self) -> dict[str, Verdict]:
        history = await asyncio.to_thread(earlier_needs, self.journal.writer.path, self.profile, self.topology)
        samples = self.watch.fresh()
        verdicts = judge(self.profile, self.topology, samples, history)
        self._before = {node: left for node, left in self.watch.left().items() if node in self.nodes}
        for node, verdict in verdicts.items():
            left = self._before.get(node)
            await self.journal.writer.set_sweep_node(
                self.sweep, node, verdict=verdict.to_json(), left_before_bytes=left
            )
            await self._say(verdict)
        refused = [verdict for verdict in verdicts.values() if verdict.level == "refuse"]
        if refused:
            raise LaunchError(f"not launched: {'; '.join(verdict.text for verdict in refused)}", refused[0].hint)
        return verdicts

    async def _say(self, verdict: Verdict) -> None:
        if verdict.basis == "running":
            return
        data = msgspec.to_builtins(verdict)
        if verdict.level == "tight":
            await self.journal.warning(verdict.node, "verdict", f"{verdict.text} ({verdict.hint})", data)
        else:
            await self.journal.info(verdict.node, "verdict", verdict.text, data)

    async def _arm(self, verdicts: Mapping[str, Verdict]) -> None:
        orders = {
            node: Arm(
                mark=self.mark,
                stop=stop_commands(self.plan, node),
                limits=limits(self.profile, node, verdict),
                what=self.topology,
            )
            for node, verdict in verdicts.items()
            if serves_on(self.profile, node)
        }
        for node, lost in (await self.watch.arm(orders, required=bool(self.plan.steps))).items():
            if self.plan.steps and self.profile.memory.unwatched == "refuse":
                raise LaunchError(f"not launched: the guard of {node} is not armed: {lost.why}", lost.hint or UNGUARDED)
            text = f"{self.topology}: the guard of {node} is not armed: {lost.why}"
            await self.journal.warning(node, "unguarded", text)


def serves_on(profile: Profile, node: str) -> bool:
    """Tell whether what is measured runs on a node; of a server that is up already, whether its address is the node's.

    Where it is not, the node is only where the load comes from: a guard would end the load, and nothing would be saved.
    """
    if not isinstance(profile.serving, External):
        return True
    described, host = profile.nodes[node], urlsplit(profile.serving.url).hostname or ""
    return host == address_of(described) or (described.host in HERE and host in HERE_ADDRESSES)


def stop_commands(plan: Plan, node: str) -> tuple[tuple[str, ...], ...]:
    """Return what ends a plan's containers on a node at once: no process in them carries a mark."""
    names = dict.fromkeys(step.container for step in plan.steps if step.node == node and step.container)
    return tuple(("docker", "kill", name) for name in names)
