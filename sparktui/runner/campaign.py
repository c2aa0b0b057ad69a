"""The state machine of one campaign: every topology in turn, whatever happens to one of them, then an exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sparktui.errors import ExitCode, LaunchError
from sparktui.paths import ensure_private, run_dir, store_path
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.runner.agent_homes import homes_of
from sparktui.runner.closing import close_open
from sparktui.runner.control import heed, obey
from sparktui.runner.detach import STARTED
from sparktui.runner.hosts import hosts_of, let_go
from sparktui.runner.interrupt import Interrupt
from sparktui.runner.journal import Journal
from sparktui.runner.plans import make_plans
from sparktui.runner.preflight import launchable, look_first, tell
from sparktui.runner.recall import recalled
from sparktui.runner.steering import Steering
from sparktui.runner.stored import finish_measured, stored_sweeps
from sparktui.runner.sweep import Sweep, SweepRunner
from sparktui.runner.unforeseen import as_told
from sparktui.runner.watch import NodeWatch
from sparktui.serving.host import Host
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
STORE_PATIENCE_S = 60.0
"""A wave that was measured is worth waiting for whoever has the store locked."""
FIRST_SAMPLE_S = 45.0
"""How long to wait at most for the first word of every node: what it has left is judged before anything is launched."""


@dataclass(slots=True)
class Campaign:
    """One race, from its stored profile to its exit code."""

    row: CampaignRow
    profile: Profile
    writer: Writer
    folder: Path
    interrupt: Interrupt
    force: bool = False
    """Whether to go on with a topology that is not what its first waves were measured on."""

    @property
    def id(self) -> int:
        """Its number."""
        return self.row.id

    async def run(self) -> ExitCode:
        """Run every topology and return how it went."""
        journal = Journal(self.writer, self.id)
        hosts = hosts_of(self.profile)
        homes = homes_of(self.profile, self.row, hosts, self.folder)
        watch = await NodeWatch.of(self.profile, journal, homes, hosts, self._guard_stop, self._unguarded)
        helpers = [
            asyncio.create_task(watch.run()),
            asyncio.create_task(obey(self.writer, self.id, self.interrupt, journal)),
        ]
        for helper in helpers:
            helper.add_done_callback(self._helper_ended)
        try:
            code = await self._race(journal, watch, hosts)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
            await let_go(hosts)
        await journal.info("runner", "finished", f"campaign {self.id}: {STATES[code]}{self._advice(code)}")
        return code

    def _advice(self, code: ExitCode) -> str:
        """Say what finds out more, where not one topology came up on nodes that can be looked at."""
        if code is not ExitCode.LAUNCH or not self.profile.launches:
            return ""
        return "; `sparktui check PROFILE` says what is missing"

    async def _race(self, journal: Journal, watch: NodeWatch, hosts: Mapping[str, Host]) -> ExitCode:
        plans = await make_plans(self.profile, self.folder)
        steering = await recalled(Steering.of(self.profile, journal))
        sweeps = await stored_sweeps(journal, self.profile, plans)
        await finish_measured(journal, sweeps, steering)
        waiting = [sweep.topology for sweep in sweeps if sweep.state == "waiting"]
        found, _ = await asyncio.gather(look_first(self.profile, hosts, waiting), watch.heard_from_all(FIRST_SAMPLE_S))
        await tell(found, waiting, journal)
        plans = launchable(found, plans)
        runner = SweepRunner(
            self.row,
            self.profile,
            journal,
            watch,
            hosts,
            self.folder,
            self.interrupt,
            steering,
            self.force,
        )
        for sweep in (sweep for sweep in sweeps if sweep.state == "waiting"):
            if self.interrupt.reason == "stop":
                break
            await self._measure(runner, sweep, plans)
            if self._ends(sweep, watch):
                await journal.info(
                    "runner", "ends", "the guard has ended a topology: the race ends, as its profile asks"
                )
                break
        else:
            await self._refine(sweeps, plans, runner)
        await steering.report()
        return outcome(sweeps, stopped=self.interrupt.reason == "stop", guarded=bool(watch.acted))

    async def _refine(self, sweeps: list[Sweep], plans: dict[str, Plan | LaunchError], runner: SweepRunner) -> None:
        """Bring topologies up again that have levels near a crossover left to measure; those that failed stay down."""
        while names := runner.steering.to_bring_up_again():
            for sweep in (sweep for sweep in sweeps if sweep.topology in names):
                if sweep.state == "done" and self.interrupt.reason != "stop":
                    await self._measure(runner, sweep, plans)
                if self._ends(sweep, runner.watch):
                    return
                runner.steering.leave(sweep.topology)

    async def _measure(self, runner: SweepRunner, sweep: Sweep, plans: Mapping[str, Plan | LaunchError]) -> None:
        """Measure a topology; what was asked of it in its last moment is not carried out on the next."""
        self.interrupt.topology = sweep.topology
        await runner.run(sweep, plans[sweep.topology])
        await heed(self.writer, self.id, self.interrupt, runner.journal)
        self.interrupt.clear()

    def _ends(self, sweep: Sweep, watch: NodeWatch) -> bool:
        """Tell whether a guard's stop, in whose topology ever it was heard, is to end the race."""
        return self.profile.memory.after_guard_stop == "end" and (bool(watch.acted) or sweep.state == "guard")

    def _guard_stop(self, node: str, reason: str) -> None:
        self.interrupt.request("guard", reason)

    def _unguarded(self, node: str, reason: str) -> None:
        del node  # the reason names it
        self.interrupt.request("unguarded", reason)

    def _helper_ended(self, helper: asyncio.Task[None]) -> None:
        """Stop rather than go on unwatched: nobody would see a node run out of memory, or a request to stop."""
        if not helper.cancelled() and (error := helper.exception()) is not None:
            self.interrupt.request("stop", f"the runner cannot watch its nodes any more: {_first(error)}")


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def outcome(sweeps: list[Sweep], *, stopped: bool, guarded: bool) -> ExitCode:
    """Return the exit code that tells how a campaign went; `guarded`: a guard acted, though maybe not heard in time."""
    states = [sweep.state for sweep in sweeps]
    if stopped:
        return ExitCode.INTERRUPTED
    if guarded or "guard" in states:
        return ExitCode.GUARD
    if all(state == "failed" for state in states) and not any(s.measured or s.came_up for s in sweeps):
        return ExitCode.LAUNCH
    if any(state != "done" for state in states) or any(sweep.failed_cells for sweep in sweeps):
        return ExitCode.PARTIAL
    return ExitCode.DONE


async def _never_begun(campaign: int) -> ExitCode:
    """Give a campaign that was asked to stop before its runner was up its end, without bringing anything up."""
    async with await Writer.open(store_path(), STORE_PATIENCE_S) as writer:
        for control in await writer.pending_controls(campaign):
            await writer.finish_control(control.id)
        await close_open(writer, campaign)
        detail = "asked to stop before it had begun"
        await writer.set_campaign_state(campaign, "stopped", exit_code=int(ExitCode.INTERRUPTED), detail=detail)
    return ExitCode.INTERRUPTED


async def run_campaign(campaign: int, *, force: bool = False) -> ExitCode:
    """Run a stored campaign, or what is left of it; SIGTERM and SIGINT stop it as `sparktui stop` does."""
    interrupt = Interrupt()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, interrupt.request, "stop", f"{number.name} received")
    with Reader(store_path()) as reader:
        row, controls = reader.campaign(campaign), reader.controls(campaign)
    if row.state in CAMPAIGN_OVER:  # `sparktui stop` was quicker than this process's start
        return ExitCode.INTERRUPTED
    if any(control.command == "stop" and control.done is None for control in controls):
        return await _never_begun(campaign)
    profile = parse_profile(row.profile_yaml, f"campaign {campaign}")
    folder = ensure_private(run_dir(campaign))
    (folder / STARTED).touch(mode=0o600)
    async with await Writer.open(store_path(), STORE_PATIENCE_S) as writer:
        await writer.set_campaign_state(campaign, "running")
        try:
            code = await Campaign(row, profile, writer, folder, interrupt, force).run()
        except Exception as error:
            known = as_told(error, folder)
            await Journal(writer, campaign).error("runner", "failed", f"{known.message} {known.hint}".strip())
            await close_open(writer, campaign)
            await writer.set_campaign_state(campaign, "failed", exit_code=int(known.exit_code), detail=known.message)
            raise
        await close_open(writer, campaign)
        detail = interrupt.text if code is ExitCode.INTERRUPTED else None
        await writer.set_campaign_state(campaign, STATES[code], exit_code=int(code), detail=detail)
        return code
