"""An agent that a test plays: it listens on a real socket, keeps what it sampled, and does what it is told to."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparktui.errors import HostError
from sparktui.nodes.channel import Channel, NoAgentError, open_socket
from sparktui.nodes.link import AgentLink
from sparktui.nodes.news import News
from sparktui.nodes.sample import NodeSample

DEADLINE_S = 20.0
PIECE = 3


@dataclass
class FakeAgent:
    """One agent after another in one folder, as a `Place` of a link; nothing happens that the test does not ask for."""

    folder: Path
    boot: str = "boot-1"
    arms: bool = True
    reachable: bool = True
    can_start: bool = True
    far: bool = False
    """The way to it takes too long to tell whether it is there."""
    hangs: bool = False
    """It has every connection, and says nothing on it; another agent in its place would be well."""
    starts: int = 0
    killed: int = 0
    cleared: int = 0
    ended: bool = False
    written: list[dict[str, Any]] = field(default_factory=list)
    """Its file: lines of every agent that was started here."""
    orders: list[dict[str, Any]] = field(default_factory=list)
    """What it was told, by all connections."""
    _heartbeat: int = 0
    _server: asyncio.Server | None = None
    _peer: asyncio.StreamWriter | None = None
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        if not self.can_start:
            raise HostError("gf1 has no python3 for its agent", "install one")
        self.starts += 1
        self._server = await asyncio.start_unix_server(self._serve, self.folder / "sock")

    async def open(self) -> Channel:
        if not self.reachable:
            raise HostError("ssh gf1: no route to host")
        if self._server is None:
            raise NoAgentError("no agent listens")
        channel = await open_socket(self.folder)
        channel.reached = not self.far
        return channel

    async def kill(self) -> None:
        if not self.reachable:
            raise HostError("ssh gf1: no route to host")
        self.killed += 1
        self.hangs = False
        await self.die()

    async def clear(self) -> None:
        self.cleared += 1
        await self.die()

    def sample(self, t: float, *, live: bool = True) -> NodeSample:
        """Take a sample: always into the file, and to the runner unless that does not read."""
        made: dict[str, Any] = {"t": t, "node": "gf1", "heartbeat": self._heartbeat}
        self._heartbeat += 1
        self.written.append({"sample": made})
        if live:
            self.say({"sample": made})
        return NodeSample(t=t, node="gf1", heartbeat=made["heartbeat"])

    def say(self, said: dict[str, Any]) -> None:
        """Say something to whoever is connected."""
        if self._peer is not None and not self._peer.is_closing():
            self._peer.write(json.dumps(said).encode() + b"\n")

    async def told(self, do: str, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`th order of a kind, and return it."""
        async with asyncio.timeout(DEADLINE_S):
            while len(found := [order for order in self.orders if order["do"] == do]) < count:
                self._told.clear()
                await self._told.wait()
        return found[count - 1]

    def hang_up(self) -> None:
        """Break the connection."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None

    async def die(self) -> None:
        """End without a word."""
        self.hang_up()
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hang_up()
        self._peer = writer
        if self.hangs:
            await reader.read()
            writer.close()
            return
        started = 100.0 * self.starts
        now = {"started": started, "heartbeat": self._heartbeat}
        self.say({"hello": {"pid": self.starts, "boot_id": self.boot, **now}})
        while line := await reader.readline():
            order = json.loads(line)
            self.orders.append(order)
            self._obey(order)
            self._told.set()

    def _obey(self, order: dict[str, Any]) -> None:
        if order["do"] == "arm" and self.arms:
            self.say({"armed": {"mark": order["mark"], "what": order["what"]}})
        elif order["do"] == "replay":
            self._replay(order["after"])
        elif order["do"] == "end":
            self.ended = True
            self.hang_up()

    def lose_file(self) -> None:
        """Come to have written nothing."""
        self.written.clear()
        self._heartbeat = 0

    def _replay(self, after: int) -> None:
        found = [each for each in self.written if "sample" not in each or each["sample"]["heartbeat"] > after]
        parts = [found[i : i + PIECE] for i in range(0, len(found), PIECE)] or [[]]
        for number, part in enumerate(parts, 1):
            kinds = {"sample": "samples", "guard": "guard", "acted": "acted"}
            body: dict[str, Any] = {name: [e[kind] for e in part if kind in e] for kind, name in kinds.items()}
            self.say({"replayed": {**body, "more": number < len(parts)}})


async def news_until(link: AgentLink, wanted: type[Any], count: int = 1) -> list[News]:
    """Return a link's news up to the `count`th of a kind."""
    heard: list[News] = []
    async with asyncio.timeout(DEADLINE_S):
        while sum(isinstance(news, wanted) for news in heard) < count:
            heard.append(await link.next())
    return heard
