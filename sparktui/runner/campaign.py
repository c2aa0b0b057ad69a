"""The state machine of one campaign: every topology in turn, whatever happens to one of them, then an exit code."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ExitCode, LaunchError, SparktuiError
from sparktui.paths import ensure_private, run_dir, store_path
from sparktui.profile import Profile, parse_profile
from sparktui.runner.cell import Cell
from sparktui.runner.closing import close_open
from sparktui.runner.control import obey
from sparktui.runner.detach import RUNNER_LOG
from sparktui.runner.hosts import hosts_of
from sparktui.runner.interrupt import Interrupt
from sparktui.runner.journal import Journal
from sparktui.runner.plans import NODES, make_plans
from sparktui.runner.steering import Steering
from sparktui.runner.sweep import Sweep, SweepRunner
from sparktui.runner.watch import NodeWatch
from sparktui.serving.plan import Plan
from sparktui.store.reader import Reader
from sparktui.store.rows import CAMPAIGN_OVER, CampaignRow
from sparktui.store.writer import Writer

STATES = {
    ExitCode.DONE: "done",
    ExitCode.PARTIAL: "partial",
    ExitCode.LAUNCH: "failed",
    ExitCode.GUARD: "guard",
    ExitCode.INTERRUPTED: "stopped",
}
FIRST_SAMPLE_S = 3.0
"""How long to wait for the first word of every node: floors are checked before anything is launched."""


@dataclass(slots=True)
class Campaign:
    """One race, from its stored profile to its exit code."""

    row: CampaignRow
    profile: Profile
    writer: Writer
    folder: Path
    interrupt: Interrupt

    @property
    def id(self) -> int:
        """Its number."""
        return self.row.id

    async def run(self) -> ExitCode:
        """Run every topology and return how it went."""
        journal = Journal(self.writer, self.id)
        watch = NodeWatch(self.profile, journal, self.folder / NODES, self._guard_stop)
        helpers = [
            asyncio.create_task(watch.run()),
            asyncio.create_task(obey(self.writer, self.id, self.interrupt, journal)),
        ]
        for helper in helpers:
            helper.add_done_callback(self._helper_ended)
        try:
            code = await self._race(journal, watch)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        await journal.info("runner", "finished", f"campaign {self.id}: {STATES[code]}")
        return code

    async def _race(self, journal: Journal, watch: NodeWatch) -> ExitCode:
        plans = await make_plans(self.profile, self.folder)
        sweeps = [await self._store_sweep(seq, name, plan) for seq, (name, plan) in enumerate(plans.items())]
        await watch.heard_from_all(FIRST_SAMPLE_S)
        steering = Steering.of(self.profile, journal)
        runner = SweepRunner(
            self.row, self.profile, journal, watch, hosts_of(self.profile), self.folder, self.interrupt, steering
        )
        for sweep in sweeps:
            if self.interrupt.reason == "stop":
                break
            await runner.run(sweep, plans[sweep.topology])
            self.interrupt.clear()
        await self._refine(sweeps, plans, runner)
        await steering.report()
        return outcome(sweeps, stopped=self.interrupt.reason == "stop")

    async def _refine(self, sweeps: list[Sweep], plans: dict[str, Plan | LaunchError], runner: SweepRunner) -> None:
        """Bring topologies up again that have levels near a crossover left to measure; those that failed stay down."""
        while names := runner.steering.to_bring_up_again():
            for sweep in (sweep for sweep in sweeps if sweep.topology in names):
                if sweep.state == "done" and self.interrupt.reason != "stop":
                    await runner.run(sweep, plans[sweep.topology])
                    self.interrupt.clear()
                runner.steering.leave(sweep.topology)

    async def _store_sweep(self, seq: int, topology: str, plan: Plan | LaunchError) -> Sweep:
        load = self.profile.workload
        sweep = await self.writer.create_sweep(
            self.id,
            seq=seq,
            topology=topology,
            fingerprint=Fingerprint.of(self.profile).to_json(),
            commands=[] if isinstance(plan, LaunchError) else [asdict(step) for step in plan.steps],
        )
        shape = {"pp": load.pp, "tg": load.tg, "depth": load.depth, "runs": load.runs}
        cells = [
            Cell(await self.writer.create_cell(sweep, seq=index, concurrency=level, shape=load.shape, **shape), level)
            for index, level in enumerate(load.concurrency)
        ]
        return Sweep(sweep, topology, tuple(cells))

    def _guard_stop(self, node: str, reason: str) -> None:
        self.interrupt.request("guard", reason)

    def _helper_ended(self, helper: asyncio.Task[None]) -> None:
        """Stop rather than go on unwatched: nobody would see a node run out of memory, or a request to stop."""
        if not helper.cancelled() and (error := helper.exception()) is not None:
            self.interrupt.request("stop", f"the runner cannot watch its nodes any more: {_first(error)}")


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def outcome(sweeps: list[Sweep], *, stopped: bool) -> ExitCode:
    """Return the exit code that tells how a campaign went."""
    states = [sweep.state for sweep in sweeps]
    if stopped:
        return ExitCode.INTERRUPTED
    if "guard" in states:
        return ExitCode.GUARD
    if all(state == "failed" for state in states) and not any(sweep.measured for sweep in sweeps):
        return ExitCode.LAUNCH
    if any(state != "done" for state in states) or any(sweep.failed_cells for sweep in sweeps):
        return ExitCode.PARTIAL
    return ExitCode.DONE


def _unforeseen(error: Exception, folder: Path) -> SparktuiError:
    known = SparktuiError(f"the runner failed: {type(error).__name__}: {error}", f"its log: {folder / RUNNER_LOG}")
    known.exit_code = ExitCode.PARTIAL
    return known


async def run_campaign(campaign: int) -> ExitCode:
    """Run a stored campaign; SIGTERM and SIGINT stop it as `sparktui stop` does."""
    interrupt = Interrupt()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupt.request, "stop", f"{number.name} received")
    with Reader(store_path()) as reader:
        row = reader.campaign(campaign)
    if row.state in CAMPAIGN_OVER:  # `sparktui stop` was quicker than this process's start
        return ExitCode.INTERRUPTED
    profile = parse_profile(row.profile_yaml, f"campaign {campaign}")
    folder = ensure_private(run_dir(campaign))
    async with await Writer.open(store_path()) as writer:
        await writer.set_campaign_state(campaign, "running")
        try:
            code = await Campaign(row, profile, writer, folder, interrupt).run()
        except Exception as error:
            known = error if isinstance(error, SparktuiError) else _unforeseen(error, folder)
            await Journal(writer, campaign).error("runner", "failed", f"{known.message} {known.hint}".strip())
            await close_open(writer, campaign)
            await writer.set_campaign_state(campaign, "failed", exit_code=int(known.exit_code), detail=known.message)
            raise
        await close_open(writer, campaign)
        detail = interrupt.text if code is ExitCode.INTERRUPTED else None
        await writer.set_campaign_state(campaign, STATES[code], exit_code=int(code), detail=detail)
        return code
