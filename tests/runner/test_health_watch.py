"""What the health watch makes of a store that agents, engines and the load write into."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from sparktui.errors import LaunchError
from sparktui.load.messages import Progress
from sparktui.measure.server_figures import ServerFigures
from sparktui.nodes import health_episodes
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.stretch import Conditions, conditions
from sparktui.runner import health_watch
from sparktui.runner.health_feed import HealthFeed, Mark, samples_of
from sparktui.runner.health_watch import HealthWatch, watching_health
from sparktui.runner.journal import Journal
from sparktui.serving.api import Access, EngineApi
from sparktui.serving.plan import Backend, Plan
from sparktui.store.reader import Reader
from sparktui.store.rows import EventRow
from sparktui.store.writer import Writer
from tests.core.node_samples import samples

NODES = ("gf2", "gf1")
CLUSTER = Plan("cluster-tp2", "m", "http://gf2:8000", (Backend("gf2", "http://gf2:8000"),))
REPLICAS = Plan("shuffle", "m", "http://gf1:4000", tuple(Backend(n, f"http://{n}:8000") for n in ("gf1", "gf2")))


@dataclass(slots=True)
class Race:
    """A campaign of one sweep and one cell, in a real store."""

    journal: Journal
    sweep: int
    cell: int

    async def says(self, *every: NodeSample) -> None:
        """Let agents say something."""
        await self.journal.writer.add_node_samples(self.journal.campaign, every)

    async def engine(self, seconds: int, *, rate: float = 0.0, backend: str = "gf2") -> None:
        """Let an engine tell its counters once a second, until now."""
        for i in range(seconds + 1):
            figures = ServerFigures(running=2.0, prompt_tokens=100.0, generation_tokens=50.0 + rate * i)
            t = time.time() - seconds + i
            await self.journal.writer.add_server_sample(self.sweep, backend, figures, t)

    async def client(self, tokens: int) -> None:
        """Let the load tell of two streams."""
        counts = {"waiting": 0, "prefill": 0, "active": 2, "done": 0, "failed": 0, "prefilled": 2}
        await self.journal.writer.add_live(self.cell, 0, False, Progress(tokens=tokens, slots=b"", **counts))

    def feed(self, plan: Plan = CLUSTER) -> HealthFeed:
        """Begin to read."""
        return HealthFeed(Reader(self.journal.writer.path), self.journal.campaign, self.sweep, plan, NODES)

    def watch(self, feed: HealthFeed, *, healthy: bool = True) -> HealthWatch:
        """Return a watch over engines that answer their health check, or do not."""
        return HealthWatch(self.journal, feed, CLUSTER, access(healthy))

    async def judged(self, watch: HealthWatch, begun: Mark) -> Conditions:
        """Return what a cell that began then was measured under."""
        stretch = await watch.stretch(begun)
        with Reader(self.journal.writer.path) as reader:
            return conditions([(stretch, samples_of(reader, self.journal.campaign, stretch))])

    def told(self) -> list[EventRow]:
        """Return what the log says of health."""
        with Reader(self.journal.writer.path) as reader:
            events = reader.events_since(self.journal.campaign)
        return [event for event in events if event.kind.startswith("health-")]


def access(healthy: bool) -> Access:
    class Api:
        async def healthy(self) -> bool:
            return healthy

    class Anyone:
        def api(self, _: str) -> EngineApi:
            return cast(EngineApi, Api())

    return cast(Access, Anyone())


@pytest.fixture
async def race(tmp_path: Path) -> AsyncIterator[Race]:
    async with await Writer.open(tmp_path / "sparktui.db") as writer:
        campaign = await writer.create_campaign(name="x", profile_yaml="", source="measured", host="h", version="1")
        sweep = await writer.create_sweep(campaign, 0, "cluster-tp2", fingerprint="{}")
        cell = await writer.create_cell(sweep, 0, concurrency=2, pp=1, tg=1, depth=0, runs=1)
        yield Race(Journal(writer, campaign), sweep, cell)


async def test_only_what_is_new_is_read_and_late_samples_are_put_in_order(race: Race) -> None:
    old, early, late = samples(2.0), samples(20.0)[10:20], samples(20.0)[20:]
    await race.says(*old)
    feed = race.feed()
    assert feed.view().samples["gf1"] == ()
    await race.says(*late)
    await race.says(*early, *samples(1.0, node="stranger"))
    view = feed.view()
    assert list(view.samples) == list(NODES)
    assert view.samples["gf1"] == (*early, *late)
    await race.says(*samples(120.0)[-1:])
    assert [s.t for s in feed.view().samples["gf1"]] == [1_120.0]


async def test_a_cluster_is_one_engine_on_all_its_nodes_and_replicas_are_one_each(race: Race) -> None:
    assert race.feed(CLUSTER).engines == {"gf2": NODES}
    assert race.feed(REPLICAS).engines == {"gf1": ("gf1",), "gf2": ("gf2",)}


async def test_engines_and_the_load_are_read_as_requests_and_tokens(race: Race) -> None:
    await race.engine(1)
    await race.client(1)
    feed = race.feed()
    await race.engine(2, rate=10.0)
    await race.client(40)
    view = feed.view()
    (engine,) = view.engines
    assert [(flow.running, flow.tokens) for flow in engine.flow] == [(2.0, 150.0), (2.0, 160.0), (2.0, 170.0)]
    assert [(flow.running, flow.tokens) for flow in view.client] == [(2, 42)]
    assert view.now - view.client[-1].t < 60
    assert feed.view().client == view.client


async def test_a_finding_is_told_with_its_evidence_and_cleared_when_the_topology_goes(race: Race) -> None:
    async with watching_health(race.journal, race.sweep, CLUSTER, NODES, access(True)):
        await race.engine(2, rate=10.0)
        await race.says(*samples(20.0, sm_mhz=850.0, temp_c=46.0))
        await until(lambda: bool(race.told()))
    begun, over = race.told()
    assert (begun.level, begun.source, begun.kind) == ("warning", "gf1", "health-stuck-clock")
    assert begun.text.endswith("(docs/health.md#stuck-clock)")
    assert begun.data | {"sm_mhz": 850.0, "standing": True, "doc": "docs/health.md#stuck-clock"} == begun.data
    assert (over.level, over.kind, over.data["standing"]) == ("info", "health-stuck-clock", False)
    assert "over with cluster-tp2" in over.text


@pytest.mark.parametrize("healthy", [True, False])
async def test_an_engine_is_given_up_only_when_it_is_a_zombie(race: Race, healthy: bool) -> None:
    feed = race.feed()
    watch = race.watch(feed, healthy=healthy)
    watch.raise_if_zombie()
    await race.says(*samples(20.0, power_w=13.0), *samples(20.0, node="gf2", power_w=31.0))
    await race.engine(20)
    await watch._look()
    if not healthy:
        watch.raise_if_zombie()
        assert race.told() == []
        return
    with pytest.raises(LaunchError, match="gf1 13 W") as caught:
        watch.raise_if_zombie()
    assert "docs/health.md#zombie" in caught.value.hint


async def test_a_cell_is_stamped_with_what_came_while_it_was_measured_and_nothing_fetched_late(race: Race) -> None:
    everything = samples(30.0, power_w=lambda t: t)
    await race.says(*everything[:20])
    watch = race.watch(race.feed())
    begun = await watch.begin()
    await race.says(*everything[20:40], *samples(4.0))
    stamps = json.loads((await race.judged(watch, begun)).stamps)
    assert stamps["gf1"]["samples"] == 20
    assert stamps["gf1"]["power_w"] == {"min": 10.0, "median": 14.75, "max": 19.5}
    assert stamps["gf2"]["samples"] == 0


async def test_a_cell_is_unfair_by_what_stood_at_any_moment_of_it(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_episodes, "QUIET_S", 0.0)
    watch = race.watch(race.feed())
    await race.says(*samples(20.0, swap_out_bytes=lambda t: int(t * 1e8)))
    within = await watch.begin()
    await watch._look()
    assert (await race.judged(watch, within)).unfair == ("gf1: swapping, 95 MiB/s",)
    await race.says(*samples(60.0)[60:])
    await watch._look()
    assert (await race.judged(watch, within)).unfair == ("gf1: swapping, 95 MiB/s",)
    assert (await race.judged(watch, await watch.begin())).unfair == ()


async def test_what_goes_wrong_here_is_told_once_and_ends_nothing(race: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> Any:
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr(health_watch, "look", broken)
    async with watching_health(race.journal, race.sweep, CLUSTER, NODES, access(True)) as watch:
        await until(lambda: bool(race.told()))
        assert json.loads((await race.judged(watch, await watch.begin())).stamps).keys() == set(NODES)
    (event,) = race.told()
    assert (event.kind, event.level) == ("health-unjudged", "warning")
    assert "ZeroDivisionError: no luck" in event.text


async def test_a_block_that_is_cancelled_is_cancelled(race: Race) -> None:
    entered = asyncio.Event()

    async def block() -> None:
        async with watching_health(race.journal, race.sweep, CLUSTER, NODES, access(True)):
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - rows in a store
            await asyncio.sleep(0.02)
