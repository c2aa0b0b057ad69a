"""Watches the nodes of a campaign: one agent each, every sample into the store, the guards armed for what is up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sparktui.errors import HostError
from sparktui.nodes.link import AgentLink
from sparktui.nodes.messages import Arm
from sparktui.nodes.news import Lost
from sparktui.nodes.sample import NodeSample, Phase
from sparktui.profile.model import GIB, Profile
from sparktui.runner.agent_homes import AgentHome
from sparktui.runner.extremes import Extremes
from sparktui.runner.follow import SILENT_S, Follower
from sparktui.runner.guard_words import GuardWords
from sparktui.runner.journal import Journal
from sparktui.runner.noted_agent import NotedAgent
from sparktui.serving.host import Host
from sparktui.store.reader import Reader

ARM_TIMEOUT_S = 15.0
BACK_WITHIN_BYTES = 2 * GIB
"""How much less than before counts as back: page tables and caches do not return to the byte."""
POLL_S = 0.25

OnStop = Callable[[str, str], None]
"""Called with a node's name, and what its guard did or why it has none any more."""


@dataclass(slots=True)
class NodeWatch:
    """The nodes of one campaign and what they last said."""

    journal: Journal
    on_stop: OnStop
    """Called when the guard has stopped what is up now."""
    on_unguarded: OnStop | None
    """Called when a node that was guarded has no guard any more; None where that is allowed."""
    acted: list[str] = field(default_factory=list)
    """What guards did in this campaign, each in a sentence."""
    extremes: Extremes = field(default_factory=Extremes)
    _followers: dict[str, Follower] = field(default_factory=dict)
    _agents: dict[str, NotedAgent] = field(default_factory=dict)
    _required: bool = False
    _mark: str = ""
    """Of what is up now."""

    @classmethod
    async def of(
        cls,
        profile: Profile,
        journal: Journal,
        homes: Mapping[str, AgentHome],
        hosts: Mapping[str, Host],
        on_stop: OnStop,
        on_unguarded: OnStop,
    ) -> NodeWatch:
        """Return the watch over a profile's nodes, of whom the store may know something already."""
        known = await asyncio.to_thread(_known, journal)
        watch = cls(journal, on_stop, on_unguarded if profile.memory.unwatched == "refuse" else None)
        for name, node in profile.nodes.items():
            guard = await GuardWords.of(name, journal, watch._acted)
            told = watch.extremes.take, watch._unguarded
            agent = watch._agents[name] = await NotedAgent.of(homes[name], journal)
            link, new = AgentLink(name, agent), name not in known
            watch._followers[name] = Follower(node, hosts[name], link, journal, guard, *told, new)
        return watch

    async def run(self) -> None:
        """Watch every node until cancelled, then leave no agent behind."""
        async with asyncio.TaskGroup() as group:
            for follower in self._followers.values():
                group.create_task(self._follow(follower))

    async def _follow(self, follower: Follower) -> None:
        try:
            await follower.run()
        finally:
            await self._end(follower)

    async def _end(self, follower: Follower) -> None:
        if not (follower.met or self._agents[follower.name].rows):
            return  # none was ever started there
        try:
            await follower.link.end()
        except HostError as error:
            again = f"`sparktui stop {self.journal.campaign}` fetches what it has written, and ends it"
            text = f"{follower.name}: its agent may be left there: {error.message}; {again}"
            await self.journal.warning(follower.name, "left-behind", text)

    async def heard_from_all(self, timeout_s: float) -> None:
        """Wait until every node has said something or cannot be asked, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(follower.tried.wait() for follower in self._followers.values()))

    def fresh(self) -> dict[str, NodeSample]:
        """Return the last sample of every node that has said something and is not silent."""
        heard = [follower for follower in self._followers.values() if follower.silent_for() < SILENT_S]
        return {follower.name: sample for follower in heard if (sample := follower.latest) is not None}

    def left(self) -> dict[str, int]:
        """Return MemAvailable, in bytes, of every node that is not silent."""
        return {name: s.mem_available_bytes for name, s in self.fresh().items() if s.mem_available_bytes is not None}

    def tell(self, nodes: Iterable[str], phase: Phase, what: str = "") -> None:
        """Tell the agents of some nodes what is going on there."""
        for name in nodes:
            self._followers[name].link.tell(phase)
            self.note([name], what)

    def note(self, nodes: Iterable[str], what: str) -> None:
        """Tell the agents of some nodes what is being measured."""
        for name in nodes:
            self._followers[name].what = what
            self._followers[name].link.note(what)

    async def arm(self, orders: Mapping[str, Arm], *, required: bool) -> dict[str, Lost]:
        """Arm the guards of some nodes, all with one mark; return those that are not armed, each with the reason.

        `required`: what is up is to be ended where a guard is lost later.
        """
        self._required = required
        self._mark = next((order.mark for order in orders.values()), "")
        reasons = await asyncio.gather(*(self._arm(self._followers[name], order) for name, order in orders.items()))
        return {name: lost for name, lost in zip(orders, reasons, strict=True) if lost is not None}

    async def _arm(self, follower: Follower, order: Arm) -> Lost | None:
        if follower.lost is not None and follower.latest is None:
            return follower.lost
        try:
            await follower.link.arm(order, ARM_TIMEOUT_S)
        except HostError as error:
            return follower.lost or Lost(error.message, error.hint)
        return None

    def disarm(self, nodes: Iterable[str]) -> None:
        """Let the guards of some nodes stop nothing any more."""
        self._mark = ""
        for name in nodes:
            self._followers[name].link.disarm()

    async def memory_back(self, before: Mapping[str, int], timeout_s: float = 90.0) -> list[str]:
        """Wait until nodes have again what they had before a launch; return those that have not.

        A node that is silent is not waited for: that has been told already.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while short := [name for name, left in self.left().items() if left < before.get(name, 0) - BACK_WITHIN_BYTES]:
            if asyncio.get_running_loop().time() > deadline:
                return short
            await asyncio.sleep(POLL_S)
        return []

    def _acted(self, node: str, text: str, mark: str) -> None:
        self.acted.append(text)
        if mark == self._mark:  # a stop of an earlier topology may be heard late
            self.on_stop(node, text)

    def _unguarded(self, node: str, text: str) -> None:
        wanted = self._mark and self._required and self._followers[node].link.arming() == self._mark
        if self.on_unguarded is not None and wanted:
            self.on_unguarded(node, text)


def _known(journal: Journal) -> set[str]:
    """Return the nodes that the store has samples of: where the campaign was run before."""
    with Reader(journal.writer.path) as reader:
        return set(reader.latest_node_samples(journal.campaign))
