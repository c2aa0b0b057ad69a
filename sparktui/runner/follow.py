"""Follows one node: what its agent says goes into the store, and what an owner should know into the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sparktui.nodes.link import AgentLink
from sparktui.nodes.messages import Acted, GuardNews, Trouble
from sparktui.nodes.news import Found, Lost, Merged, News
from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import Node
from sparktui.runner.journal import Journal
from sparktui.runner.last_seen import fall_bytes_s, in_words, last_seen, what_answers
from sparktui.serving.host import Host

SILENT_S = 5.0
"""A node that has said nothing for so long is told to be silent."""
LOOK_S = 0.5
OVERSLEPT_S = 1.0
"""Who looks so much later than intended was not running itself, and heard nobody meanwhile."""
UNGUARDED_S = 25.0
"""A node that answers, and whose agent has been silent for so long, has no guard. Enough to replace one that hangs."""
KEPT = 128
"""Samples, for a slope."""

OnSample = Callable[[NodeSample], None]
OnActed = Callable[[str, Acted, str], None]
"""Called with a node's name, what its guard did, and that in a sentence."""
OnUnguarded = Callable[[str, str], None]
"""Called with a node's name, and a sentence that says why nothing guards it any more."""


@dataclass(slots=True)
class Follower:
    """One node of a campaign."""

    node: Node
    host: Host
    link: AgentLink
    journal: Journal
    on_sample: OnSample
    """Called with every sample once, also with those that arrive late."""
    on_acted: OnActed
    on_unguarded: OnUnguarded
    new: bool
    """Nothing is known of it yet: what it sampled before it was first heard was not missed."""
    what: str = ""
    """What runs there."""
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether it has said something, or cannot be asked."""
    why_not: str = ""
    """Why its agent does not answer; empty while it does."""
    recent: deque[NodeSample] = field(default_factory=lambda: deque(maxlen=KEPT))
    _heard_at: float = 0.0
    _silent: bool = False
    _absent: bool = False
    """It is silent, and its node answers: nothing there can have stopped what runs."""
    _merged: int = 0
    _stopping: GuardNews | None = None

    @property
    def name(self) -> str:
        """The node's name."""
        return self.link.node

    @property
    def latest(self) -> NodeSample | None:
        """What it said last."""
        return self.recent[-1] if self.recent else None

    def silent_for(self) -> float:
        """Return for how many seconds it has said nothing."""
        return asyncio.get_running_loop().time() - self._heard_at

    async def run(self) -> None:
        """Follow it until cancelled."""
        self._heard_at = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_silence())
            while True:
                await self._take(await self.link.next())

    async def _take(self, news: News) -> None:
        match news:
            case NodeSample():
                await self._sampled(news)
            case Merged():
                await self._merge(news)
            case Found():
                await self._found(news)
            case Lost():
                await self._lost(news)
            case GuardNews():
                await self._guarded(news)
            case Acted():
                await self._acted(news)
            case Trouble():
                await self.journal.warning(self.name, "agent-trouble", f"{self.name}: {news.text}", {"kind": news.kind})

    async def _sampled(self, sample: NodeSample) -> None:
        await self._heard()
        self.recent.append(sample)
        self.tried.set()
        self.on_sample(sample)
        await self.journal.writer.add_node_samples(self.journal.campaign, [sample])

    async def _merge(self, merged: Merged) -> None:
        for sample in merged.samples:
            self.on_sample(sample)
            if self.latest is None or sample.t > self.latest.t:
                self.recent.append(sample)
                self.tried.set()
        if merged.samples:
            await self.journal.writer.add_node_samples(self.journal.campaign, merged.samples)
        self._merged += len(merged.samples)
        if merged.caught_up and self._merged and not self.new:
            text = f"{self.name}: {self._merged} samples of the time it could not be heard have been fetched"
            await self.journal.info(self.name, "samples-merged", text, {"samples": self._merged})
        if merged.caught_up:
            self._merged, self.new = 0, False

    async def _heard(self) -> None:
        was_silent, seconds = self._silent, self.silent_for()
        self._silent, self._absent, self.why_not = False, False, ""
        self._heard_at = asyncio.get_running_loop().time()
        if was_silent:
            text = f"{self.name}: its agent is heard again after {seconds:.1f} s"
            await self.journal.info(self.name, "agent-back", text, {"silent_s": seconds})

    async def _found(self, found: Found) -> None:
        await self._heard()
        if found.how == "rebooted":
            text = f"{self.name} has rebooted: {self._last_seen()}"
            await self.journal.error(self.name, "node-rebooted", text, self._numbers())
        elif found.how in ("restarted", "replaced"):
            fate = "had ended" if found.how == "restarted" else "hung, was killed"
            text = f"{self.name}: its agent {fate}, and was started again: {self._last_seen()}"
            await self.journal.warning(self.name, "agent-restarted", text, self._numbers())

    async def _lost(self, lost: Lost) -> None:
        first = not self.tried.is_set()
        self.why_not = lost.why
        self.tried.set()
        if first:
            hint = f" ({lost.hint})" if lost.hint else ""
            await self.journal.warning(self.name, "unwatched", f"{self.name} is not watched: {lost.why}{hint}")

    async def _guarded(self, news: GuardNews) -> None:
        data = {**msgspec.to_builtins(news), "node": self.name, "what": self.what}
        if news.level == "clear":
            await self.journal.info(self.name, "guard-clear", news.text, data)
        elif news.level == "warn":
            await self.journal.warning(self.name, "guard-warn", news.text, data)
        else:
            self._stopping = news

    async def _acted(self, acted: Acted) -> None:
        stopping, self._stopping = self._stopping, None
        text = acted_text(acted, stopping)
        data = {**({} if stopping is None else msgspec.to_builtins(stopping)), **msgspec.to_builtins(acted)}
        data |= {"node": self.name, "text": text, "what": self.what}
        await self.journal.error(self.name, "guard-stop", text, data)
        self.on_acted(self.name, acted, text)

    async def _watch_silence(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(LOOK_S)
            overslept = clock() - before - LOOK_S
            if overslept > OVERSLEPT_S:
                self._heard_at = min(self._heard_at + overslept, clock())
            elif not self._silent and self.recent and self.silent_for() > SILENT_S:
                self._silent = True
                await self.link.drop()
                await self._tell_silence()
            elif self._absent and self.silent_for() > UNGUARDED_S:
                self._absent = False
                self.on_unguarded(self.name, self._unguarded_text())

    async def _tell_silence(self) -> None:
        seconds = self.silent_for()
        text = f"{self._last_seen()}; silent for {seconds:.0f} s"
        await self.journal.error(self.name, "agent-lost", text, {**self._numbers(), "silent_s": seconds})
        answers = await what_answers(self.node, self.host)
        self._absent = self._silent and answers.get("ssh", True) is not False
        if self._silent and (meaning := in_words(answers)):
            await self.journal.error(self.name, "node-answers", f"{self.name}: {meaning}", dict(answers))

    def _unguarded_text(self) -> str:
        why = f": {self.why_not}" if self.why_not else ""
        return f"{self.name} is not guarded any more: its agent has been silent for {self.silent_for():.0f} s{why}"

    def _last_seen(self) -> str:
        return last_seen(self.recent, self.what) if self.recent else f"{self.name} was never heard"

    def _numbers(self) -> dict[str, Any]:
        if not self.recent:
            return {}
        last = self.recent[-1]
        fall = fall_bytes_s(self.recent)
        return {
            "t": last.t,
            "left_bytes": last.mem_available_bytes,
            "slope_bytes_s": None if fall is None else -fall,
            "phase": last.phase,
            "what": self.what,
        }


def acted_text(acted: Acted, stopping: GuardNews | None) -> str:
    """Say why a guard acted, and what it did."""
    why = stopping.text if stopping is not None and stopping.text else acted.text
    did = [f"{len(acted.killed)} processes killed"] if acted.killed else []
    did += [f"`{' '.join(argv)}` run" for argv, _ in acted.ran]
    done = " and ".join(did) or "nothing of the launch was there to end"
    after = "" if acted.ms is None else f" {acted.ms:.0f} ms after the reading"
    return f"{why}: {done}{after}"
