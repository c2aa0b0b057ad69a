"""One topology from launch to a proven stop: up, ready, every cell, down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import LaunchError, SparktuiError
from sparktui.load.link import LoadWorker
from sparktui.load.prompts import PromptSet
from sparktui.profile.model import Profile
from sparktui.runner.cell import Cell, CellMeasurer
from sparktui.runner.closing import close_open
from sparktui.runner.engine_watch import EngineWatch
from sparktui.runner.interrupt import Interrupt
from sparktui.runner.journal import Journal, StoreLedger
from sparktui.runner.plans import made_up_secrets
from sparktui.runner.watch import NodeWatch
from sparktui.serving.api import Access, api_key, new_client
from sparktui.serving.host import Host
from sparktui.serving.launch import Deployment, Proof
from sparktui.serving.plan import Plan
from sparktui.serving.ready import Engine, wait_ready
from sparktui.units import duration

READY_TIMEOUT_S = 1800.0
UP_TIMEOUT_S = 10.0
"""For a server that is said to be up already."""


@dataclass(slots=True)
class Sweep:
    """One topology of a campaign."""

    id: int
    topology: str
    cells: tuple[Cell, ...]
    state: str = "waiting"
    error: str | None = None
    failed_cells: int = 0
    measured: int = 0
    """Cells that were measured to their end."""


@dataclass(slots=True)
class SweepRunner:
    """What a sweep needs from its campaign."""

    profile: Profile
    journal: Journal
    watch: NodeWatch
    hosts: Mapping[str, Host]
    folder: Path
    interrupt: Interrupt

    async def run(self, sweep: Sweep, plan: Plan) -> None:
        """Bring the topology up, measure it, take it down; its outcome is in `sweep.state`."""
        nodes = self.profile.topologies[sweep.topology].nodes
        before = self.watch.snapshot()
        ledger = StoreLedger(self.journal.writer, self.journal.campaign, sweep.id)
        deployment = Deployment(plan, self.hosts, self.folder, ledger, made_up_secrets(plan))
        try:
            ended = await self.interrupt.run(self._serve(sweep, plan, deployment))
            await self._settle(sweep, ended)
        except SparktuiError as error:
            await self._failed(sweep, error, await deployment.log_tails())
        finally:
            await self._take_down(sweep, deployment, nodes, before)

    async def _serve(self, sweep: Sweep, plan: Plan, deployment: Deployment) -> None:
        nodes = self.profile.topologies[sweep.topology].nodes
        if (refusal := self.watch.refusal(nodes)) is not None:
            raise LaunchError(f"not launched: {refusal}", "free memory there, or lower refuse_gib in the profile")
        key = deployment.secrets.get(plan.api_key_env or "") or api_key(plan.api_key_env)
        async with new_client() as client:
            access = Access(client, plan.url, key)
            engine = await self._bring_up(sweep, plan, deployment, access)
            async with LoadWorker.start() as worker:  # each topology its own: one that died ends one topology
                await self._measure(sweep, plan, deployment, access, engine, worker)

    async def _bring_up(self, sweep: Sweep, plan: Plan, deployment: Deployment, access: Access) -> Engine:
        started = time.monotonic()
        nodes = self.profile.topologies[sweep.topology].nodes
        await self._state(sweep, "launching")
        await self.journal.info(sweep.topology, "launching", f"{sweep.topology}: launching on {', '.join(nodes)}")
        self.watch.tell(nodes, "loading")
        await deployment.launch()
        urls = tuple(dict.fromkeys([*(backend.url for backend in plan.backends), plan.url]))
        engine = await wait_ready(
            [access.api(url) for url in urls],
            plan.model,
            dead=deployment.dead,
            timeout_s=READY_TIMEOUT_S if plan.steps else UP_TIMEOUT_S,
            api=self.profile.workload.api,
        )
        took = time.monotonic() - started
        await self._state(sweep, "measuring")
        await self.journal.info(
            sweep.topology, "ready", f"{sweep.topology}: ready after {duration(took)}", {"seconds": took}
        )
        return engine

    async def _measure(
        self,
        sweep: Sweep,
        plan: Plan,
        deployment: Deployment,
        access: Access,
        engine: Engine,
        worker: LoadWorker,
    ) -> None:
        self.watch.tell(self.profile.topologies[sweep.topology].nodes, "serving")
        engines = EngineWatch(plan.backends, access)
        polling = asyncio.create_task(engines.poll(self.journal.writer, sweep.id))
        measurer = CellMeasurer(self.profile.workload, plan, worker, self.journal, engines, access)
        try:
            prompts = await self._prepare(sweep, measurer, engine)
            for cell in sweep.cells:
                await self._one_cell(sweep, cell, measurer, deployment)
            if not prompts.exact:
                text = f"{sweep.topology}: prompts could not be made exactly as long as asked ({prompts.method})"
                await self.journal.warning(sweep.topology, "prompts-inexact", text)
        finally:
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling

    async def _prepare(self, sweep: Sweep, measurer: CellMeasurer, engine: Engine) -> PromptSet:
        prompts = await measurer.prepare()
        said = {"version": engine.version or "", "max_model_len": str(engine.model.max_model_len or "")}
        fingerprint = Fingerprint.of(self.profile, {key: value for key, value in said.items() if value})
        await self.journal.writer.set_sweep_facts(sweep.id, fingerprint=fingerprint.to_json())
        return prompts

    async def _one_cell(self, sweep: Sweep, cell: Cell, measurer: CellMeasurer, deployment: Deployment) -> None:
        failures = await measurer.measure(sweep.topology, cell)
        sweep.measured += 1
        sweep.failed_cells += failures > 0
        if (title := await deployment.dead()) is not None:
            raise LaunchError(f"{title} ended while it was being measured", "its last lines say why")

    async def _settle(self, sweep: Sweep, ended: bool) -> None:
        if ended:
            sweep.state = "done"
            return
        sweep.state = "guard" if self.interrupt.reason == "guard" else "stopped"
        sweep.error = self.interrupt.text
        await self.journal.warning(sweep.topology, f"ended-{self.interrupt.reason}", self._ending(sweep))

    def _ending(self, sweep: Sweep) -> str:
        by = {"guard": "stopped by the memory guard", "stop": "stopped", "end-topology": "ended early"}
        return f"{sweep.topology}: {by[self.interrupt.reason or 'stop']}: {self.interrupt.text}"

    async def _failed(self, sweep: Sweep, error: SparktuiError, log_tail: str) -> None:
        sweep.state, sweep.error = "failed", error.message
        tail = getattr(error, "log_tail", "") or log_tail
        text = f"{sweep.topology}: {error.message}" + (f" ({error.hint})" if error.hint else "")
        await self.journal.error(sweep.topology, "failed", text, {"log_tail": tail[-8000:]})

    async def _take_down(
        self, sweep: Sweep, deployment: Deployment, nodes: tuple[str, ...], before: dict[str, int]
    ) -> None:
        was_up = bool(deployment.launched)
        self.watch.tell(nodes, "stopping")
        proof = await deployment.stop()
        if was_up:
            short = await self.watch.memory_back(nodes, before)
            proof = Proof((*proof.left, *(f"memory of {name} has not come back" for name in short)))
            await self._report_stop(sweep, proof)
        self.watch.tell(nodes, "idle")
        await self.journal.writer.set_sweep_state(
            sweep.id, sweep.state, error=sweep.error, proof=proof.left if was_up else None
        )
        await close_open(self.journal.writer, self.journal.campaign, sweep.id)

    async def _report_stop(self, sweep: Sweep, proof: Proof) -> None:
        if proof.left:
            left = "; ".join(proof.left)
            await self.journal.warning(sweep.topology, "left-behind", f"{sweep.topology}: left after the stop: {left}")
        else:
            await self.journal.info(sweep.topology, "stopped", f"{sweep.topology}: stopped, nothing left behind")

    async def _state(self, sweep: Sweep, state: str) -> None:
        sweep.state = state
        await self.journal.writer.set_sweep_state(sweep.id, state)
