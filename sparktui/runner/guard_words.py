"""What a node's guard has said, in its campaign's log: each warning and each stop once, however often it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from sparktui.nodes.messages import Acted, GuardNews
from sparktui.runner.journal import Journal
from sparktui.store.reader import Reader
from sparktui.store.rows import EventRow

OnStop = Callable[[str, str, str], None]
"""Called with a node's name, what its guard did in a sentence, and the mark of the launch that it stopped."""
DOC = "docs/memory.md#when-the-guard-warns-and-when-it-stops"
LEVELS = {"guard-warn": "warn", "guard-clear": "clear", "guard-stop": "stop", "guard-done": "done"}
"""Kinds of log lines, and what of the guard each tells."""


@dataclass(slots=True)
class GuardWords:
    """One node's guard; what it says is told apart by its level and its moment, which it says again with both."""

    node: str
    journal: Journal
    told: set[tuple[str, float]]
    on_stop: OnStop
    _stops: dict[float, GuardNews] = field(default_factory=dict)
    """Announced, and what came of them was not heard yet."""

    @classmethod
    async def of(cls, node: str, journal: Journal, on_stop: OnStop) -> GuardWords:
        """Return a node's guard, of which the store may have told something already."""
        events = await asyncio.to_thread(_events, journal)
        mine = [event for event in events if event.source == node and event.kind in LEVELS]
        told = {(LEVELS[event.kind], t) for event in mine if isinstance(t := event.data.get("t"), int | float)}
        return cls(node, journal, told, on_stop)

    async def news(self, news: GuardNews, what: str) -> None:
        """Tell that a warning begins or is over; keep in mind that a stop has begun."""
        if news.level not in ("warn", "clear"):
            if ("stop", news.t) not in self.told:
                self._stops[news.t] = news
        elif self._is_new(news.level, news.t):
            say = self.journal.warning if news.level == "warn" else self.journal.info
            data = {**msgspec.to_builtins(news), "node": self.node, "what": what, "doc": DOC}
            await say(self.node, f"guard-{news.level}", news.text, data)

    async def acted(self, acted: Acted, what: str) -> None:
        """Tell what a stop has done, and once more how it has come out."""
        announced = self._stops.pop(acted.t, None)
        if self._is_new("stop", acted.t):
            await self._stopped(acted, announced, what, acted_text(acted, announced))
        elif acted.done and self._is_new("done", acted.t):
            await self.journal.info(self.node, "guard-done", done_text(self.node, acted), msgspec.to_builtins(acted))

    async def unheard(self, what: str) -> None:
        """Tell the stops of which nothing more was heard: the node may have died of what they were to prevent."""
        stops, self._stops = self._stops, {}
        for news in stops.values():
            self._is_new("stop", news.t)
            await self._stopped(None, news, what, f"{news.text}: stopped; what that has ended was not heard")

    @property
    def waits(self) -> bool:
        """Whether a stop was announced, and what came of it was not heard yet."""
        return bool(self._stops)

    def _is_new(self, level: str, t: float) -> bool:
        new = (level, t) not in self.told
        self.told.add((level, t))
        return new

    async def _stopped(self, acted: Acted | None, announced: GuardNews | None, what: str, text: str) -> None:
        marks = [said.mark for said in (announced, acted) if said is not None]
        self.on_stop(self.node, text, marks[0])  # before the store, which may be locked for as long as a race waits
        known = [msgspec.to_builtins(said) for said in (announced, acted) if said is not None]
        data = {name: value for said in known for name, value in said.items()}
        data |= {"node": self.node, "text": text, "what": what, "doc": DOC}
        await self.journal.error(self.node, "guard-stop", text, data)


def acted_text(acted: Acted, stopping: GuardNews | None) -> str:
    """Say why a guard acted, and what it did."""
    why = stopping.text if stopping is not None and stopping.text else acted.text
    did = [f"{len(acted.killed)} processes killed"] if acted.killed else []
    did += [f"`{' '.join(argv)}` run" for argv, _ in acted.ran]
    done = " and ".join(did) or "nothing of the launch was there to end"
    after = "" if acted.ms is None else f" {acted.ms:.0f} ms after the reading"
    return f"{why}: {done}{after}"


def done_text(node: str, acted: Acted) -> str:
    """Say how a stop has come out."""
    ran = [f"`{' '.join(argv)}` {_outcome(returncode)}" for argv, returncode in acted.ran]
    return f"{node}: the stop is over: {', '.join([f'{len(acted.killed)} processes killed', *ran])}"


def _outcome(returncode: int | None) -> str:
    return "has not ended" if returncode is None else f"ended with {returncode}"


def _events(journal: Journal) -> list[EventRow]:
    with Reader(journal.writer.path) as reader:
        return reader.events_since(journal.campaign)
