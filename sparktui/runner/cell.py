"""One cell: the same prompts for every topology, a warm-up, then its waves, each stored as soon as it has ended."""

from __future__ import annotations

from dataclasses import dataclass

from sparktui.load.link import LoadWorker
from sparktui.load.messages import Progress, StartWave
from sparktui.load.prompts import PromptSet
from sparktui.load.request import RequestBuilder
from sparktui.load.tokens import find_counter
from sparktui.measure.record import WaveRecord
from sparktui.measure.taint import taint
from sparktui.profile.model import Workload
from sparktui.runner.background import Background
from sparktui.runner.engine_watch import Counters, EngineWatch
from sparktui.runner.journal import Journal
from sparktui.serving.api import Access
from sparktui.serving.plan import Plan


@dataclass(frozen=True, slots=True)
class Cell:
    """One level of one topology, as the store numbers it."""

    id: int
    concurrency: int


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
    ) -> None:
        self._workload = workload
        self._plan = plan
        self._worker = worker
        self._journal = journal
        self._engines = engines
        self._access = access
        self._builder = RequestBuilder(plan.url, plan.model, workload, access.key)
        self._prompts: PromptSet | None = None

    async def prepare(self) -> PromptSet:
        """Find out how the server counts tokens, and make the prompt set by it."""
        url, access = self._plan.backends[0].url, self._access
        counter = await find_counter(
            access.client, url, self._plan.model, api=self._workload.api, key=access.key_for(url)
        )
        self._prompts = PromptSet(self._workload.seed, counter, self._workload.pp, self._workload.depth)
        await self._prompts.prepare()
        return self._prompts

    async def measure(self, topology: str, cell: Cell) -> int:
        """Measure a cell; return how many of its requests failed, warm-up not counted."""
        writer = self._journal.writer
        await writer.set_cell_state(cell.id, "measuring")
        before = await self._engines.counters()
        for seq in range(self._workload.warmup_waves):
            await self._wave(cell, seq, warmup=True)
        records = [await self._wave(cell, seq, warmup=False) for seq in range(self._workload.runs)]
        counted = _moved(before, await self._engines.settled_counters())
        await writer.set_cell_state(
            cell.id,
            "done",
            taint=self._taint(records),
            server_tokens=counted.generation_tokens,
            server_prompt_tokens=counted.prompt_tokens,
        )
        failures = sum(request.error is not None for record in records for request in record.requests)
        await self._say(topology, cell, failures)
        return failures

    async def _wave(self, cell: Cell, seq: int, *, warmup: bool) -> WaveRecord:
        order = await self._order(cell.concurrency, seq, warmup)
        async with Background() as background:
            record = await self._worker.run(
                order,
                on_progress=lambda progress: background.start(self._live(cell, seq, warmup, progress)),
            )
        await self._journal.writer.commit_wave(cell.id, seq, warmup, record)
        return record

    async def _order(self, concurrency: int, seq: int, warmup: bool) -> StartWave:
        assert self._prompts is not None
        prompts = await self._prompts.wave(concurrency, seq, warmup=warmup)
        requests = tuple(self._builder.build(prompt) for prompt in prompts)
        return StartWave(self._builder.target, requests, self._workload.timeout_s)

    def _taint(self, records: list[WaveRecord]) -> str | None:
        load = self._workload
        return taint(records, pp=load.pp, tg=load.tg, depth=load.depth, exact_tg=load.sampling.exact_tg)

    async def _live(self, cell: Cell, seq: int, warmup: bool, progress: Progress) -> None:
        await self._journal.writer.add_live(cell.id, seq, warmup, progress)

    async def _say(self, topology: str, cell: Cell, failures: int) -> None:
        text, data = f"{topology} c{cell.concurrency}: {self._workload.runs} waves done", {"cell": cell.id}
        if failures:
            await self._journal.warning(topology, "cell-failures", f"{text}, {failures} requests failed", data)
        else:
            await self._journal.info(topology, "cell-done", text, data)


def _moved(before: Counters, after: Counters) -> Counters:
    return Counters(
        _difference(before.prompt_tokens, after.prompt_tokens),
        _difference(before.generation_tokens, after.generation_tokens),
    )


def _difference(before: int | None, after: int | None) -> int | None:
    """Return how far a counter moved; one that went back was reset and says nothing."""
    return None if before is None or after is None or after < before else after - before
