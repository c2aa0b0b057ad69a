"""Tells, beside the load, what is not well with the nodes of a topology, and what each cell was measured under."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import msgspec

from sparktui.errors import LaunchError
from sparktui.nodes.health import View, look
from sparktui.nodes.health_engine import FROZEN_S, Engine, frozen_engine_s
from sparktui.nodes.health_episodes import Episode, Episodes, News
from sparktui.nodes.health_finding import Finding
from sparktui.nodes.stretch import Stretch
from sparktui.runner.health_feed import HealthFeed, Mark
from sparktui.runner.journal import Journal
from sparktui.serving.api import Access
from sparktui.serving.plan import Plan
from sparktui.store.reader import Reader

LOOK_S = 1.0
HEALTH_CHECK_S = 3.0
"""A check that takes longer is not green."""


class HealthWatch:
    """One topology's."""

    def __init__(self, journal: Journal, feed: HealthFeed, plan: Plan, access: Access) -> None:
        self._journal, self._feed, self._topology = journal, feed, plan.topology
        self._apis = {backend.node: access.api(backend.url) for backend in plan.backends}
        self._episodes = Episodes()
        self._over: list[Episode] = []

    async def run(self) -> None:
        """Look once a second, until cancelled. What goes wrong here ends no race: then nothing is found any more."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_S)
        except Exception as error:  # noqa: BLE001 - whatever it is
            text = f"{self._topology}: the nodes' health is not judged any more: {type(error).__name__}: {error}"
            await self._journal.warning("runner", "health-unjudged", text)

    async def begin(self) -> Mark:
        """Return the moment at which a cell begins."""
        return await asyncio.to_thread(self._feed.mark)

    async def stretch(self, begun: Mark) -> Stretch:
        """Return what a cell, or what is left of it, was measured under since it began."""
        since = await asyncio.to_thread(self._feed.stretch, begun)
        episodes = [*self._episodes.standing.values(), *(e for e in self._over if e.seen >= begun.at)]
        told = tuple(episode.finding for episode in episodes if episode.finding.unfair)
        return msgspec.structs.replace(since, told=told)

    def raise_if_zombie(self) -> None:
        """Give up on an engine that makes no more tokens, so that every further request need not be waited for in vain.

        Raises:
            LaunchError: That is what has been found.
        """
        for episode in self._episodes.standing.values():
            if episode.finding.kind == "zombie":
                raise LaunchError(episode.finding.text, f"what to do: {episode.finding.doc}")

    async def close(self) -> None:
        """Clear what still stands: the topology is no longer looked at."""
        for episode in self._episodes.standing.values():
            await self._tell_over(episode, f"is over with {self._topology}")

    async def _look(self) -> None:
        view = await asyncio.to_thread(self._feed.view)
        engines = [await self._checked(view, engine, name) for name, engine in self._named(view)]
        self._episodes, news = self._episodes.observe(view.now, look(replace(view, engines=tuple(engines))))
        self._over += news.over
        await self._tell(news)

    def _named(self, view: View) -> Sequence[tuple[str, Engine]]:
        return list(zip(self._feed.engines, view.engines, strict=True))

    async def _checked(self, view: View, engine: Engine, name: str) -> Engine:
        """Ask an engine for its health where that makes a difference: once it may be a zombie."""
        if frozen_engine_s(engine, view.client, view.now, alone=view.alone) < FROZEN_S:
            return engine
        healthy = False
        with suppress(TimeoutError):
            async with asyncio.timeout(HEALTH_CHECK_S):
                healthy = await self._apis[name].healthy()
        return replace(engine, healthy=healthy)

    async def _tell(self, news: News) -> None:
        for episode in news.begun:
            finding = episode.finding
            text = f"{finding.text} ({finding.doc})"
            await self._journal.warning(finding.node, f"health-{finding.kind}", text, _data(finding, standing=True))
        for episode in news.over:
            await self._tell_over(episode, "is over")

    async def _tell_over(self, episode: Episode, how: str) -> None:
        finding = episode.finding
        text = f"{finding.node}: {finding.kind} {how}, after {episode.seen - episode.began:.0f} s"
        await self._journal.info(finding.node, f"health-{finding.kind}", text, _data(finding, standing=False))


def _data(finding: Finding, *, standing: bool) -> dict[str, object]:
    return {**finding.evidence, "node": finding.node, "standing": standing, "doc": finding.doc, "brief": finding.brief}


@asynccontextmanager
async def watching_health(
    journal: Journal, sweep: int, plan: Plan, nodes: tuple[str, ...], access: Access
) -> AsyncIterator[HealthWatch]:
    """Watch the health of a topology's nodes for as long as the block lasts."""
    reader = await asyncio.to_thread(Reader, journal.writer.path)
    try:
        feed = await asyncio.to_thread(HealthFeed, reader, journal.campaign, sweep, plan, nodes)
        watch = HealthWatch(journal, feed, plan, access)
        looking = asyncio.create_task(watch.run())
        try:
            yield watch
        finally:
            looking.cancel()
            await asyncio.wait([looking])  # not awaited itself: a cancellation of this block would pass for its own
            await watch.close()
    finally:
        reader.close()
