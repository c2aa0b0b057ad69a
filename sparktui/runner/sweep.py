"""One topology from launch to a proven stop: up, ready, every cell, down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import LaunchError, SparktuiError
from sparktui.load.link import LoadWorker
from sparktui.load.prompts import PromptSet
from sparktui.measure.shares import idle_backends, shares_text
from sparktui.profile.faulty import trouble
from sparktui.profile.model import Profile, Workload
from sparktui.runner.bring_up import BringUp, Up
from sparktui.runner.cell import Cell, CellMeasurer
from sparktui.runner.closing import close_open, end_early
from sparktui.runner.engine_watch import EngineWatch
from sparktui.runner.guarded import GuardedNodes
from sparktui.runner.health_watch import HealthWatch, watching_health
from sparktui.runner.interrupt import Interrupt, Reason
from sparktui.runner.journal import Journal, StoreLedger
from sparktui.runner.marks import mark_of
from sparktui.runner.plans import made_up_secrets
from sparktui.runner.router_cost import router_cost
from sparktui.runner.same_engine import changes
from sparktui.runner.steering import Steering
from sparktui.runner.unforeseen import as_logged
from sparktui.runner.watch import NodeWatch
from sparktui.runner.while_up import refuse_broken, refuse_ended, while_up
from sparktui.serving.api import Access, new_client
from sparktui.serving.host import Host
from sparktui.serving.key import api_key
from sparktui.serving.launch import Deployment, Proof
from sparktui.serving.plan import Plan
from sparktui.serving.tails import fair
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow

TAIL_LINES = 24
"""Of all logs together, where a topology has failed; the whole logs are in the campaign's folder."""

ENDED_BY: dict[Reason, str] = {
    "guard": "stopped by the memory guard",
    "unguarded": "stopped, rather than go on unguarded",
    "stop": "stopped",
    "end-topology": "ended early",
}


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
    came_up: bool = False
    earlier: Fingerprint | None = None
    """What its first waves were measured on, where it has some from before the campaign was broken off."""


@dataclass(slots=True)
class SweepRunner:
    """What a sweep needs from its campaign."""

    campaign: CampaignRow
    profile: Profile
    journal: Journal
    watch: NodeWatch
    hosts: Mapping[str, Host]
    folder: Path
    interrupt: Interrupt
    steering: Steering
    force: bool = False
    """Whether to go on with a topology that is not what its first waves were measured on."""

    async def run(self, sweep: Sweep, plan: Plan | LaunchError) -> None:
        """Bring the topology up, measure it, take it down; its outcome is in `sweep.state`."""
        if isinstance(plan, LaunchError):
            await self._failed(sweep, plan, "")
            await self.journal.writer.set_sweep_state(sweep.id, sweep.state, error=sweep.error)
            await close_open(self.journal.writer, self.journal.campaign, sweep.id)
            return
        mark = mark_of(self.campaign, sweep.id)
        ledger = StoreLedger(self.journal.writer, self.journal.campaign, sweep.id, sweep.topology, mark, self.hosts)
        deployment = Deployment(plan, self.hosts, self.folder, ledger, made_up_secrets(plan), mark)
        guarded = GuardedNodes(self.profile, self.journal, self.watch, sweep.id, plan, mark)
        try:
            ended = await self.interrupt.run(self._serve(sweep, plan, deployment, guarded))
            await self._settle(sweep, ended)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other topologies are measured
            if deployment.launched and await self.interrupt.comes("guard", guarded.word_within_s()):
                await self._settle(sweep, ended=False)
            else:
                await self._failed(sweep, as_logged(error, self.folder), await deployment.log_tails())
                await self._skip_rest(sweep, self.interrupt.reason)
        finally:
            await self._take_down(sweep, deployment, guarded)

    async def _serve(self, sweep: Sweep, plan: Plan, deployment: Deployment, guarded: GuardedNodes) -> None:
        await guarded.prepare()
        key = deployment.secrets.get(plan.api_key_env or "") or api_key(plan.api_key_env, plan.api_key_file)
        async with new_client() as client:
            access = Access(client, plan.url, key, plan.routed)
            nodes = self.profile.topologies[sweep.topology].nodes
            async with watching_health(self.journal, sweep.id, plan, nodes, access) as health:
                up = await self._bring_up(sweep, plan, deployment, access)
                guarded.tell("warming")
                async with LoadWorker.start() as worker:  # each topology its own: one that died ends one topology
                    work = self._measure(sweep, plan, deployment, access, up, worker, guarded, health)
                    await while_up(deployment, work)

    async def _bring_up(self, sweep: Sweep, plan: Plan, deployment: Deployment, access: Access) -> Up:
        nodes = self.profile.topologies[sweep.topology].nodes
        await self._state(sweep, "launching")
        what = f"launching on {', '.join(nodes)}" if plan.steps else f"is to be up already at {plan.url}"
        await self.journal.info(sweep.topology, "launching", f"{sweep.topology}: {what}")
        await self._tell_fault(sweep)
        bring_up = BringUp(
            plan,
            deployment,
            access,
            self.journal,
            self.profile.workload.api,
            self.profile.ready_timeout_s,
            await asyncio.to_thread(_earlier_launches, self.journal.writer.path, self.campaign, sweep.topology),
        )
        up = await bring_up.run()
        sweep.came_up = True
        if up.engine.simulated and not self.campaign.simulated:
            await self._mark_simulated(sweep, plan)
        self.steering.brought_up(sweep.topology, up.seconds)
        await self._state(sweep, "measuring")
        return up

    async def _mark_simulated(self, sweep: Sweep, plan: Plan) -> None:
        """Call the whole campaign simulated before there is any figure of it: one engine that is makes it all so."""
        await self.journal.writer.set_campaign_source(self.campaign.id, "simulated")
        text = f"{sweep.topology}: what serves at {plan.url} is sparktui's embedded engine: this campaign is SIMULATED"
        await self.journal.warning(sweep.topology, "simulated", text)

    async def _tell_fault(self, sweep: Sweep) -> None:
        ill = trouble(self.profile)
        if ill is not None and ill.topology == sweep.topology:
            await self.journal.info(ill.node, "fault", f"SIMULATED: {ill.fault} is played on {ill.node}")

    async def _measure(
        self,
        sweep: Sweep,
        plan: Plan,
        deployment: Deployment,
        access: Access,
        up: Up,
        worker: LoadWorker,
        guarded: GuardedNodes,
        health: HealthWatch,
    ) -> None:
        engines = EngineWatch(plan.backends, access)
        polling = asyncio.create_task(engines.poll(self.journal.writer, sweep.id))
        unbroken = partial(refuse_broken, deployment)
        measurer = CellMeasurer(self.profile.workload, plan, worker, self.journal, engines, access, health, unbroken)
        try:
            prompts = await self._prepare(sweep, measurer, up, plan, access, worker)
            guarded.tell("serving")
            async for cell in self.steering.cells(sweep.id, sweep.topology, sweep.cells):
                guarded.measuring(cell.concurrency)
                await self._one_cell(sweep, cell, measurer, deployment)
            if not prompts.exact:
                text = f"{sweep.topology}: prompts could not be made exactly as long as asked ({prompts.method})"
                await self.journal.warning(sweep.topology, "prompts-inexact", text)
        finally:
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling

    async def _prepare(
        self, sweep: Sweep, measurer: CellMeasurer, up: Up, plan: Plan, access: Access, worker: LoadWorker
    ) -> PromptSet:
        prompts = await measurer.prepare()
        load = measurer.workload
        routed = await self._router_facts(sweep, plan, load, access, worker) if len(plan.backends) > 1 else {}
        fingerprint = Fingerprint.of(self.profile.model_copy(update={"workload": load}), up.facts | routed)
        if up.engine.simulated:
            fingerprint = replace(fingerprint, simulated=True)
        if sweep.earlier is not None:
            measurer.mixed = await self._unlike(sweep, sweep.earlier, fingerprint)
            return prompts
        await self.journal.writer.set_sweep_facts(sweep.id, fingerprint=fingerprint.to_json())
        await self.journal.writer.set_sweep_latency(sweep.id, "api", await access.api(plan.url).latency_us())
        return prompts

    async def _unlike(self, sweep: Sweep, first: Fingerprint, now: Fingerprint) -> str | None:
        """Refuse, unless told to go on, what was launched again and is not what the first waves were measured on."""
        found = "; ".join(changes(first, now))
        if not found:
            return None
        text = f"{sweep.topology} is not what its first waves were measured on: {found}"
        if not self.force:
            hint = f"`sparktui resume {self.campaign.id} --force` goes on; what is measured then cannot win"
            raise LaunchError(text, hint)
        await self.journal.warning(sweep.topology, "unlike", text)
        return f"measured on another engine than its topology's first waves ({found})"

    async def _router_facts(
        self, sweep: Sweep, plan: Plan, load: Workload, access: Access, worker: LoadWorker
    ) -> dict[str, str]:
        cost = await router_cost(plan, load, access.key, worker)
        if cost is None:
            return {}
        text = (
            f"{sweep.topology}: the router adds {cost.added_ms:.1f} ms to a first token "
            f"({cost.direct_ms:.1f} ms direct, {cost.routed_ms:.1f} ms routed; medians of {cost.pairs} pairs, idle)"
        )
        await self.journal.info(sweep.topology, "router-cost", text, {"added_ms": cost.added_ms})
        return {"router_added_ttft_ms": f"{cost.added_ms:.1f}"}

    async def _one_cell(self, sweep: Sweep, cell: Cell, measurer: CellMeasurer, deployment: Deployment) -> None:
        # Before each cell, and not after the last: what ends with nothing left to measure has failed at nothing.
        await refuse_ended(deployment)
        enough = self.steering.enough(sweep.topology, cell.concurrency)
        failures = await measurer.measure(sweep.topology, cell, enough)
        sweep.measured += 1
        sweep.failed_cells += failures > 0
        if len(deployment.plan.backends) > 1:
            await self._say_shares(sweep, cell, deployment.plan)

    async def _say_shares(self, sweep: Sweep, cell: Cell, plan: Plan) -> None:
        """Tell how the router spread a cell: two backends may have become one without a word."""
        served = await asyncio.to_thread(_shares, self.journal.writer.path, cell.id)
        if not served:
            return
        names = [backend.node for backend in plan.backends]
        text = f"{sweep.topology} c{cell.concurrency}: requests by backend: {shares_text(served, names)}"
        data = {"cell": cell.id, "shares": served}
        if idle := idle_backends(served, names):
            why = f"{' and '.join(idle)} served nothing: the router has taken it out (a cooldown?), or it is down"
            await self.journal.warning(sweep.topology, "backend-idle", f"{text}; {why}", data)
        else:
            await self.journal.info(sweep.topology, "shares", text, data)

    async def _settle(self, sweep: Sweep, ended: bool) -> None:
        if ended:
            sweep.state = "done"
            return
        reason, states = self.interrupt.reason, {"guard": "guard", "unguarded": "failed"}
        sweep.state = states.get(reason or "stop", "stopped")
        sweep.error = self.interrupt.text
        await self.journal.warning(sweep.topology, f"ended-{reason}", self._ending(sweep))
        await self._skip_rest(sweep, reason)

    async def _skip_rest(self, sweep: Sweep, reason: Reason | None) -> None:
        """Close for good what a skip was asked for: before it is taken down, which a stop or a kill may overtake."""
        if reason == "end-topology":
            await end_early(self.journal.writer, self.journal.campaign, sweep.id)

    def _ending(self, sweep: Sweep) -> str:
        return f"{sweep.topology}: {ENDED_BY[self.interrupt.reason or 'stop']}: {self.interrupt.text}"

    async def _failed(self, sweep: Sweep, error: SparktuiError, log_tail: str) -> None:
        sweep.state, sweep.error = "failed", error.message
        tail = getattr(error, "log_tail", "") or log_tail
        text = f"{sweep.topology}: {error.message}" + (f" ({error.hint})" if error.hint else "")
        await self.journal.error(sweep.topology, "failed", text, {"log_tail": fair(tail, TAIL_LINES)})

    async def _take_down(self, sweep: Sweep, deployment: Deployment, guarded: GuardedNodes) -> None:
        was_up = bool(deployment.launched)
        guarded.tell("stopping")
        proof = await deployment.stop()
        if was_up:
            short = await guarded.memory_back()
            proof = Proof((*proof.left, *(f"memory of {name} has not come back" for name in short)))
            await self._report_stop(sweep, proof)
        await guarded.rest()
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


def _shares(store: Path, cell: int) -> dict[str, int]:
    with Reader(store) as reader:
        return reader.backend_shares(cell)


def _earlier_launches(store: Path, campaign: CampaignRow, topology: str) -> tuple[float, ...]:
    with Reader(store) as reader:
        return reader.launch_seconds(campaign, topology)
