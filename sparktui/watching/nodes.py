"""The memory of the nodes that a profile names, by an agent of the watch's own: it only looks, and is not armed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sparktui.errors import HostError
from sparktui.nodes.link import AgentLink
from sparktui.nodes.news import Lost
from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import Profile
from sparktui.runner.agent_homes import CACHE, AgentHome, LocalHome, SshHome
from sparktui.runner.hosts import hosts_of
from sparktui.serving.host import Host
from sparktui.serving.ssh import SshHost
from sparktui.watching.picture import NodeNow


class NodeFollower:
    """One node's agent, for as long as the watch lasts."""

    def __init__(self, name: str, link: AgentLink) -> None:
        self._name = name
        self._link = link
        self._latest: NodeSample | None = None
        self._why_not = "not heard yet"

    async def run(self) -> None:
        """Follow it until cancelled, then leave no agent behind."""
        try:
            while True:
                news = await self._link.next()
                if isinstance(news, NodeSample):
                    self._latest, self._why_not = news, ""
                elif isinstance(news, Lost):
                    self._why_not = news.why
        finally:
            with suppress(HostError):  # it ends by itself, once nobody has asked for a while
                await self._link.end()

    def now(self, wall: float) -> NodeNow:
        """Return what is known at a moment, seconds since the epoch."""
        age_s = None if self._latest is None else max(0.0, wall - self._latest.t)
        return NodeNow(self._name, self._latest, age_s, self._why_not)


def follow_nodes(profiles: Iterable[Profile], folder: Path) -> list[NodeFollower]:
    """Return a follower for every node of some profiles, each machine once; none is started yet.

    Args:
        profiles: Whose nodes.
        folder: Where agents on this machine live.
    """
    found: dict[str, NodeFollower] = {}
    for profile in profiles:
        hosts = hosts_of(profile)
        for name, node in profile.nodes.items():
            if node.host not in found:
                found[node.host] = NodeFollower(name, AgentLink(name, _home(name, hosts[name], folder)))
    return list(found.values())


def _home(node: str, host: Host, folder: Path) -> AgentHome:
    mark = f"watch-{os.getpid()}-{secrets.token_hex(4)}-{node}"
    if isinstance(host, SshHost):
        return SshHome(node, mark, f"{CACHE}/{mark}", host)
    return LocalHome(node, mark, str(folder / node), host)
