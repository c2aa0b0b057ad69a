"""`sparktui stop`: ends a campaign from outside, and cleans up after a runner that cannot do it any more."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence

import click
import msgspec

from sparktui.errors import ExitCode, StoreError, UsageError
from sparktui.paths import run_dir, store_path
from sparktui.profile import Profile, parse_profile
from sparktui.runner.agents_left import end_agents
from sparktui.runner.closing import close_open
from sparktui.runner.detach import end_runner, kill_runner, signal_runner
from sparktui.runner.hosts import hosts_of
from sparktui.runner.journal import NoLedger, StoreLedger
from sparktui.runner.last_words import last_words
from sparktui.runner.lock import running_campaign
from sparktui.runner.marks import mark_of
from sparktui.runner.plans import forget_simulated
from sparktui.serving.host import Host
from sparktui.serving.launch import Deployment, Launched, Ledger, log_path
from sparktui.serving.local import LocalHost
from sparktui.serving.plan import Plan, Step
from sparktui.store.control import request_control
from sparktui.store.reader import Reader
from sparktui.store.rows import SWEEP_OVER, CampaignRow, LaunchedRow, SweepRow
from sparktui.store.writer import Writer

RUNNER_TIMEOUT_S = 180.0
"""A runner that is asked to stop waits for engines to end and for memory to come back."""


def stop_campaign(name: str) -> None:
    """Stop a campaign by its number or `last`; exit 1 where something is left that could not be removed."""
    with Reader(store_path()) as reader:
        campaign = reader.resolve(name)
        if reader.campaign(campaign).origin is not None:
            click.echo(f"campaign {campaign} was imported: nothing of it was started here", err=True)
            return
        leftovers = bool(reader.launched_left(campaign))
    busy = running_campaign()
    if busy == campaign:
        _ask_runner(campaign)
    elif busy is not None and leftovers:
        raise UsageError(
            f"campaign {busy} is running: what removes the rest of campaign {campaign} could hit what it started",
            f"wait for it, or `sparktui stop {busy}` first",
        )
    left = asyncio.run(clean_up(campaign))
    for line in left:
        click.echo(f"left behind: {line}", err=True)
    if left:
        sys.exit(ExitCode.PARTIAL)
    click.echo(f"campaign {campaign} is not running, and nothing of it is left", err=True)


def _ask_runner(campaign: int) -> None:
    try:
        request_control(store_path(), campaign, "stop")
    except StoreError:  # a store that cannot be written must not keep engines up
        signal_runner(campaign, signal.SIGTERM)
    click.echo(f"asked campaign {campaign} to stop; waiting for its engines to end", err=True)
    if not end_runner(campaign, RUNNER_TIMEOUT_S):
        click.echo(f"its runner did not end within {RUNNER_TIMEOUT_S:.0f} s; ending it", err=True)
        kill_runner(campaign)
        end_runner(campaign, 10)


async def clean_up(campaign: int) -> list[str]:
    """Remove whatever a campaign's runner started and did not remove; return what is left, with the command for it.

    Raises:
        StoreError: The store cannot be written; what was launched is ended all the same.
    """
    with Reader(store_path()) as reader:
        row, launched, sweeps = reader.campaign(campaign), reader.launched_left(campaign), reader.sweeps(campaign)
    profile = parse_profile(row.profile_yaml, f"campaign {campaign}")
    hosts = hosts_of(profile)
    try:
        async with await Writer.open(store_path()) as writer:
            return await _end_and_note(row, sweeps, launched, profile, hosts, writer)
    except (
        StoreError
    ) as error:  # at once, or when the last of the disk was used: the end of engines is not its to decide
        left = await _end_launched(row, sweeps, launched, hosts, None)
        but = f", but for {'; '.join(left)}" if left else ""
        text = f"{error.message}; what campaign {campaign} had launched is ended{but}"
        raise StoreError(text, f"{error.hint}; then `sparktui stop {campaign}` again") from error


async def _end_and_note(
    row: CampaignRow,
    sweeps: Sequence[SweepRow],
    launched: Sequence[LaunchedRow],
    profile: Profile,
    hosts: Mapping[str, Host],
    writer: Writer,
) -> list[str]:
    left = await _end_launched(row, sweeps, launched, hosts, writer)
    ended = await end_agents(row, profile, hosts, launched, writer)
    await _close(row, sweeps, ended.stops, writer)
    for text in ended.stops:
        click.echo(f"stopped by the memory guard, after the runner had ended: {text}", err=True)
    if not (left := left + ended.left):
        forget_simulated(run_dir(row.id))
    return left


async def _close(campaign: CampaignRow, sweeps: Sequence[SweepRow], stops: Sequence[str], writer: Writer) -> None:
    """Give a campaign that its runner has left its end: the guard's, where one has acted since."""
    if stops:
        for sweep in (sweep for sweep in sweeps if sweep.launched and sweep.state not in SWEEP_OVER):
            await writer.set_sweep_state(sweep.id, "guard", error=stops[-1])
    await close_open(writer, campaign.id)
    if campaign.state in ("queued", "running"):
        state, code = ("guard", ExitCode.GUARD) if stops else ("stopped", ExitCode.INTERRUPTED)
        said = last_words(campaign.id)
        detail = f"its runner had ended: {said}" if said else "its runner had ended without a word"
        await writer.set_campaign_state(campaign.id, state, exit_code=int(code), detail=detail)


async def _end_launched(
    campaign: CampaignRow,
    sweeps: Sequence[SweepRow],
    launched: Sequence[LaunchedRow],
    hosts: Mapping[str, Host],
    writer: Writer | None,
) -> list[str]:
    """End what every sweep has left; without a writer, nobody is told of it."""
    left: list[str] = []
    for sweep in sweeps:
        mine = [item for item in launched if item.sweep == sweep.id]
        ledger = NoLedger() if writer is None else StoreLedger(writer, campaign.id, sweep.id)
        left += (await _deployment(campaign, sweep, mine, hosts, ledger).stop()).left
    return left


def _deployment(
    campaign: CampaignRow, sweep: SweepRow, left: list[LaunchedRow], hosts: Mapping[str, Host], ledger: Ledger
) -> Deployment:
    """Return what a sweep has left as the deployment it once was, so that it is stopped by the same code."""
    folder = run_dir(campaign.id)
    steps = {step.title: step for step in msgspec.json.decode(sweep.commands, type=list[Step])}
    launched = []
    for item in reversed(left):
        host = hosts.get(item.node, LocalHost())
        step = steps.get(item.title, Step(item.node, item.title, (), undo=item.undo))
        log = log_path(folder, sweep.topology, item.title)
        running = None if item.pid is None else host.adopt(item.pid, item.pid_started, log)
        launched.append(Launched(step, host, running, item.id))
    plan = Plan(sweep.topology, "", "", ())
    return Deployment(plan, hosts, folder, ledger, mark=mark_of(campaign, sweep.id), launched=launched)
