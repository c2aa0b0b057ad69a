"""One cell: the same prompts for every topology, a warm-up, then its waves, each stored as soon as it has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from sparktui.load.link import LoadWorker
from sparktui.load.messages import Expected, Progress, Start, StartPool, StartWave
from sparktui.load.prompts import PromptSet
from sparktui.load.request import RequestBuilder
from sparktui.load.tokens import find_counter
from sparktui.measure.agreement import over_cell, told
from sparktui.measure.record import WaveRecord
from sparktui.measure.usage import counted
from sparktui.nodes.stretch import Stretch
from sparktui.profile.model import Workload
from sparktui.runner.background import Background
from sparktui.runner.earlier import UNTOUCHED, Earlier, earlier_of
from sparktui.runner.ending import Asked, Measured, end_cell
from sparktui.runner.engine_watch import Counters, EngineWatch
from sparktui.runner.health_feed import Mark
from sparktui.runner.health_watch import HealthWatch
from sparktui.runner.journal import Journal
from sparktui.runner.naming import why_unnamed
from sparktui.runner.request_options import accepted
from sparktui.serving.api import Access
from sparktui.serving.plan import Plan
from sparktui.units import whole

Enough = Callable[[WaveRecord], str | None]
"""Told of every measured wave; says why a cell needs no more of them, or None."""
Counts = tuple[int | None, int | None]
"""The prompt and completion tokens of a wave, where all of its requests were counted."""
Unbroken = Callable[[WaveRecord], Awaitable[None]]
"""Told of every wave before it is stored; raises where it is not to be."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One level of one topology, as the store numbers it."""

    id: int
    concurrency: int
    over: bool = False
    """Nothing of it is to be measured: it was, before the campaign was broken off, or it was not to be."""
    begun: bool = False
    """A break came while it was measured: what it has is in the store."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a cell, or what is left of it, began."""

    counters: Counters
    mark: Mark


class CellMeasurer:
    """Measures the cells of one topology that is up."""

    def __init__(
        self,
        workload: Workload,
        plan: Plan,
        worker: LoadWorker,
        journal: Journal,
        engines: EngineWatch,
        access: Access,
        health: HealthWatch,
        unbroken: Unbroken,
    ) -> None:
        self.workload = workload
        """What is asked for; after `prepare`, only what the server takes."""
        self.mixed: str | None = None
        """What this engine has unlike the one that the first waves were measured on; it taints what is measured now."""
        self._plan = plan
        self._worker = worker
        self._journal = journal
        self._engines = engines
        self._access = access
        self._health = health
        self._unbroken = unbroken
        self._builder = RequestBuilder(plan.url, plan.model, workload, access.key)
        self._prompts: PromptSet | None = None
        self._expected = Expected(tokens=workload.tg)

    async def prepare(self) -> PromptSet:
        """Find out which options the server takes and how it counts tokens, and make the prompt set by it."""
        await self._drop_refused_options()
        await self._learn_name()
        url, access, load = self._plan.backends[0].url, self._access, self.workload
        counter = await find_counter(access.client, url, self._plan.model, api=load.api, key=access.key_for(url))
        self._prompts = PromptSet(load.seed, counter, load.pp, load.depth)
        await self._prompts.prepare()
        return self._prompts

    async def measure(self, topology: str, cell: Cell, enough: Enough) -> int:
        """Measure a cell until it has all its waves or enough; return how many requests failed, warm-up not counted."""
        writer = self._journal.writer
        await writer.set_cell_state(cell.id, "measuring")
        earlier = await earlier_of(writer.path, self._journal.campaign, cell.id) if cell.begun else UNTOUCHED
        beginning = Beginning(await self._engines.counters(), await self._health.begin())
        warmup = [await self._warm_up(cell, seq, earlier) for seq in range(self.workload.warmup_waves)]
        new, ended_by = await self._waves(cell, enough, earlier, beginning)
        moved = (await self._engines.settled_counters()).since(beginning.counters)
        over_all = Counters() if cell.begun else moved  # what they moved by before the break is not known
        records = await end_cell(
            self._journal,
            topology,
            Measured(
                cell.id,
                f"{topology} c{cell.concurrency}",
                self._asked(),
                ended_by,
                await self._stretch(beginning, moved),
                over_all.generation_tokens,
                over_all.prompt_tokens,
            ),
        )
        await self._compare_counts(topology, cell, [*warmup, *new], moved)
        failures = sum(request.error is not None for record in records for request in record.requests)
        waves = f"{len(records)}" if ended_by is None else f"{len(records)} of {self.workload.runs}"
        await self._say(topology, cell, waves, failures, moved)
        return failures

    async def _drop_refused_options(self) -> None:
        found = await accepted(self._plan, self.workload, self._access.key, self._worker)
        if found.refused is None:
            return
        self.workload = found.workload
        self._builder = RequestBuilder(self._plan.url, self._plan.model, found.workload, self._access.key)
        topology = self._plan.topology
        text = f"{topology}: {found.refused}: measured without"
        await self._journal.warning(topology, "options-refused", text)

    async def _learn_name(self) -> None:
        why = await why_unnamed(self._plan, self.workload, self._access.key, self._worker)
        if why is None:
            self._expected = Expected(self._plan.model, self.workload.tg)
        else:
            topology = self._plan.topology
            text = f"{topology}: an answer of yet another model would not be noticed ({why})"
            await self._journal.info(topology, "model-unchecked", text)

    async def _warm_up(self, cell: Cell, seq: int, earlier: Earlier) -> Counts:
        """Warm up, also for a cell that had been: what serves now is new. A wave that is stored stays as it is."""
        record = await self._run(cell, seq, warmup=True, again=self._again(earlier))
        if seq >= earlier.warmups:
            await self._journal.writer.commit_wave(cell.id, seq, True, record)
        self._give_up_on_a_zombie(record)
        return counted([record])

    async def _waves(
        self, cell: Cell, enough: Enough, earlier: Earlier, beginning: Beginning
    ) -> tuple[list[Counts], str | None]:
        """Measure until a cell has all its waves or enough; return the tokens of each, and why it has fewer."""
        counts: list[Counts] = []
        ended_by = None
        first = earlier.waves
        while first + len(counts) < self.workload.runs and ended_by is None:
            seq = first + len(counts)
            record = await self._run(cell, seq, warmup=False, again=self._again(earlier) if seq == first else 0)
            moved = (await self._engines.counters_now()).since(beginning.counters)
            stretch = await self._stretch(beginning, moved)
            await self._journal.writer.commit_wave(cell.id, seq, False, record, stretch)
            self._give_up_on_a_zombie(record)
            counts.append(counted([record]))
            ended_by = enough(record)
        return counts, ended_by

    def _give_up_on_a_zombie(self, record: WaveRecord) -> None:
        """Raise LaunchError where nothing came back from an engine that has been found to be one."""
        if all(request.error is not None for request in record.requests):
            self._health.raise_if_zombie()

    def _again(self, earlier: Earlier) -> int:
        """Return which try this is of a wave that was in flight: a server that stayed up knows its prompts by now."""
        return 0 if self._plan.steps else earlier.resumed

    async def _run(self, cell: Cell, seq: int, *, warmup: bool, again: int) -> WaveRecord:
        order = await self._order(cell.concurrency, seq, warmup, again)
        async with Background() as background:
            record = await self._worker.run(
                order,
                on_progress=lambda progress: background.start(self._live(cell, seq, warmup, progress)),
            )
        await self._unbroken(record)
        return record

    async def _order(self, concurrency: int, seq: int, warmup: bool, again: int) -> Start:
        assert self._prompts is not None
        build, load = self._builder.build, self.workload
        if load.shape == "pool":
            slots = await self._prompts.pool(concurrency, seq, load.pool_turns, warmup=warmup, again=again)
            requests = tuple(tuple(map(build, slot)) for slot in slots)
            return StartPool(self._builder.target, requests, load.timeout_s, self._expected)
        prompts = await self._prompts.wave(concurrency, seq, warmup=warmup, again=again)
        return StartWave(self._builder.target, tuple(map(build, prompts)), load.timeout_s, self._expected)

    async def _stretch(self, beginning: Beginning, moved: Counters) -> Stretch:
        """Return what is known so far of whatever else than its waves may keep a cell from winning."""
        stretch = await self._health.stretch(beginning.mark)
        return msgspec.structs.replace(stretch, mixed=self.mixed, prefix=moved.prefix)

    def _asked(self) -> Asked:
        load = self.workload
        return Asked(load.pp, load.tg, load.depth, load.sampling.exact_tg)

    async def _compare_counts(self, topology: str, cell: Cell, counts: Sequence[Counts], moved: Counters) -> None:
        """Tell where the engine's own counters and what was counted here are too far apart."""
        prompt, generated = (_sum(each) for each in zip(*counts, strict=True)) if counts else (None, None)
        kinds = {"generated": (moved.generation_tokens, generated), "prompt": (moved.prompt_tokens, prompt)}
        for kind, (engine, ours) in kinds.items():
            if (found := over_cell(engine, ours)) is not None and found.disagrees:
                text = f"{topology} c{cell.concurrency}: {told(kind, found)}"
                await self._journal.warning(topology, "counts-disagree", text, {"cell": cell.id})

    async def _live(self, cell: Cell, seq: int, warmup: bool, progress: Progress) -> None:
        await self._journal.writer.add_live(cell.id, seq, warmup, progress)

    async def _say(self, topology: str, cell: Cell, waves: str, failures: int, moved: Counters) -> None:
        what = ("pool run" if self.workload.shape == "pool" else "wave") + ("" if waves == "1" else "s")
        text = f"{topology} c{cell.concurrency}: {waves} {what} done{_prefix(moved)}"
        data = {"cell": cell.id, "prefix_hits": moved.prefix_hits, "prefix_queries": moved.prefix_queries}
        if failures:
            await self._journal.warning(topology, "cell-failures", f"{text}, {failures} requests failed", data)
        else:
            await self._journal.info(topology, "cell-done", text, data)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _prefix(moved: Counters) -> str:
    if moved.prefix_hits is None or moved.prefix_queries is None:
        return ""
    return f", prefix cache: {whole(moved.prefix_hits)} of {whole(moved.prefix_queries)} prompt tokens"
