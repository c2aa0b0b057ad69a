"""Follows one node: what its agent says goes into the store, and what an owner should know into the log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sparktui.nodes.history import slope_bytes_s
from sparktui.nodes.link import AgentLink
from sparktui.nodes.messages import Acted, GuardNews, Trouble
from sparktui.nodes.news import Found, Lost, Merged, News
from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import Node
from sparktui.runner.guard_words import GuardWords
from sparktui.runner.journal import Journal
from sparktui.runner.last_seen import in_words, last_seen, what_answers
from sparktui.serving.host import Host

SILENT_S = 5.0
"""A node that has said nothing for so long is told to be silent."""
LOOK_S = 0.5
OVERSLEPT_S = 1.0
"""Who looks so much later than intended was not running itself, and heard nobody meanwhile."""
STOP_WORD_S = 2.0
"""What a guard's stop has ended is told within a quarter of a second, by a node that still can."""
ASK_AGAIN_S = 10.0
"""A silent node that did not answer is asked again."""
UNGUARDED_S = 45.0
"""A node that answers, and whose agent has been silent for so long, has no guard. Enough to replace one that hangs."""
DOC = "docs/health.md#agent-lost"
KEPT = 128
"""Samples, for a slope."""

OnSample = Callable[[NodeSample], None]
OnUnguarded = Callable[[str, str], None]
"""Called with a node's name, and a sentence that says why nothing guards it any more."""


@dataclass(slots=True)
class Follower:
    """One node of a campaign."""

    node: Node
    host: Host
    link: AgentLink
    journal: Journal
    guard: GuardWords
    on_sample: OnSample
    """Called with every sample once, also with those that arrive late."""
    on_unguarded: OnUnguarded
    new: bool
    """Nothing is known of it yet: what it sampled before it was first heard was not missed."""
    what: str = ""
    """What runs there."""
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether it has said something, or cannot be asked."""
    lost: Lost | None = None
    """Why its agent does not answer; None while it does."""
    met: bool = False
    """An agent has said hello."""
    recent: deque[NodeSample] = field(default_factory=lambda: deque(maxlen=KEPT))
    _heard_at: float = 0.0
    _busy: bool = False
    """What it said is on its way into the store: whoever waits for that hears nothing, and the node is not silent."""
    _asked_at: float = 0.0
    _silent: bool = False
    _absent: bool = False
    """It is silent, and its node answers: nothing there can have stopped what runs."""
    _merged: int = 0
    _stop_heard_at: float | None = None

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
                await self._hear(await self.link.next())

    async def _hear(self, news: News) -> None:
        """Take news in; a node is not silent while what it has said is on its way into the store."""
        self._busy = True
        try:
            await self._take(news)
        finally:
            self._busy = False
            if not (self._silent or isinstance(news, Lost)):
                self._heard_at = asyncio.get_running_loop().time()

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
                await self.guard.news(news, self.what)
                self._stop_heard_at = asyncio.get_running_loop().time() if self.guard.waits else None
            case Acted():
                await self.guard.acted(news, self.what)
            case Trouble():
                await self.journal.warning(self.name, "agent-trouble", f"{self.name}: {news.text}", {"kind": news.kind})

    async def _sampled(self, sample: NodeSample) -> None:
        await self._heard()
        self.recent.append(sample)
        self.tried.set()
        self.on_sample(sample)
        await self.journal.writer.add_node_samples(self.journal.campaign, [sample])

    async def _merge(self, merged: Merged) -> None:
        fetched = await self.journal.writer.add_node_samples(self.journal.campaign, merged.samples)
        for sample in fetched:
            self.on_sample(sample)
            if self.latest is None or sample.t > self.latest.t:
                self.recent.append(sample)
                self.tried.set()
        self._merged += len(fetched)
        if merged.caught_up and self._merged and not self.new:
            text = f"{self.name}: {self._merged} samples of the time it could not be heard have been fetched"
            await self.journal.info(self.name, "samples-merged", text, {"samples": self._merged})
        if merged.caught_up:
            self._merged, self.new = 0, False

    async def _heard(self) -> None:
        was_silent, seconds = self._silent, self.silent_for()
        self._silent, self._absent, self.lost = False, False, None
        self._heard_at = asyncio.get_running_loop().time()
        if was_silent:
            text = f"{self.name}: its agent is heard again after {seconds:.1f} s"
            await self.journal.info(self.name, "agent-back", text, {"silent_s": seconds})

    async def _found(self, found: Found) -> None:
        await self._heard()
        self.met = True
        if found.how == "rebooted":
            text = f"{self.name} has rebooted: {self._last_seen()}"
            await self.journal.error(self.name, "node-rebooted", text, self._numbers())
        elif found.how in ("restarted", "replaced"):
            fate = "had ended" if found.how == "restarted" else "hung, was killed"
            text = f"{self.name}: its agent {fate}, and was started again: {self._last_seen()}"
            await self.journal.warning(self.name, "agent-restarted", text, self._numbers())

    async def _lost(self, lost: Lost) -> None:
        first = not self.tried.is_set()
        self.lost = lost
        self.tried.set()
        if first:
            hint = f" ({lost.hint})" if lost.hint else ""
            await self.journal.warning(self.name, "unwatched", f"{self.name} is not watched: {lost.why}{hint}")

    async def _watch_silence(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            before = clock()
            await asyncio.sleep(LOOK_S)
            overslept = clock() - before - LOOK_S
            if overslept > OVERSLEPT_S:
                self._heard_at = min(self._heard_at + overslept, clock())
            elif self._stop_heard_at is not None and clock() - self._stop_heard_at > STOP_WORD_S:
                self._stop_heard_at = None
                await self.guard.unheard(self.what)
            elif not (self._silent or self._busy) and self.met and self.silent_for() > SILENT_S:
                self._silent = True
                await self.link.drop()
                await self._tell_silence()
            elif (self._absent and self.silent_for() > UNGUARDED_S) or self.link.unarmed_s() > UNGUARDED_S:
                self._absent = False
                self.on_unguarded(self.name, self._unguarded_text())
            elif self._silent and not self._absent and clock() - self._asked_at > ASK_AGAIN_S:
                await self._ask()

    async def _tell_silence(self) -> None:
        seconds = self.silent_for()
        text = f"{self._last_seen()}; silent for {seconds:.0f} s"
        await self.journal.error(self.name, "agent-lost", text, {**self._numbers(), "silent_s": seconds})
        answers = await self._ask()
        if self._silent and (meaning := in_words(answers)):
            await self.journal.error(self.name, "node-answers", f"{self.name}: {meaning}", dict(answers))

    async def _ask(self) -> Mapping[str, bool | None]:
        """Ask what of a silent node answers."""
        answers = await what_answers(self.node, self.host)
        self._asked_at = asyncio.get_running_loop().time()
        self._absent = self._silent and answers.get("ssh", True) is not False
        return answers

    def _unguarded_text(self) -> str:
        seconds, why = max(self.silent_for(), self.link.unarmed_s()), f": {self.lost.why}" if self.lost else ""
        return f"{self.name} is not guarded any more: its agent has not answered for {seconds:.0f} s{why}"

    def _last_seen(self) -> str:
        return last_seen(self.recent, self.what) if self.recent else f"{self.name} was never heard"

    def _numbers(self) -> dict[str, Any]:
        if not self.recent:
            return {}
        last = self.recent[-1]
        return {
            "t": last.t,
            "left_bytes": last.mem_available_bytes,
            "slope_bytes_s": slope_bytes_s(self.recent),
            "phase": last.phase,
            "what": self.what,
            "doc": DOC,
        }
