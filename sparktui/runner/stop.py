"""`sparktui stop`: ends a campaign from outside, and cleans up after a runner that cannot do it any more."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import click
import msgspec

from sparktui.errors import ExitCode, SparktuiError, StoreError, UsageError
from sparktui.paths import run_dir, store_path
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.runner.agent_homes import agent_mark
from sparktui.runner.agents_left import end_agents
from sparktui.runner.asking import ask_to_stop
from sparktui.runner.closing import close_open
from sparktui.runner.detach import end_runner, kill_runner, signal_runner
from sparktui.runner.hosts import hosts_of, let_go
from sparktui.runner.journal import StoreLedger
from sparktui.runner.last_words import last_words
from sparktui.runner.lock import named_or_running, running_campaign
from sparktui.runner.marks import mark_of
from sparktui.runner.notes import Notes, noted_campaigns
from sparktui.runner.one_at_a_time import one_at_a_time
from sparktui.runner.plans import forget_simulated
from sparktui.runner.stop_noted import end_noted
from sparktui.serving.host import Host
from sparktui.serving.launch import Deployment, Launched, log_path
from sparktui.serving.local import LocalHost
from sparktui.serving.plan import Plan, Step
from sparktui.store.failures import store_errors
from sparktui.store.reader import Reader
from sparktui.store.rows import SWEEP_OVER, CampaignRow, LaunchedRow, SweepRow
from sparktui.store.writer import Writer
from sparktui.visible import visible

RUNNER_TIMEOUT_S = 180.0
"""A runner that is asked to stop waits for engines to end and for memory to come back."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a campaign before anything of it is stopped."""

    campaign: int
    leftovers: bool
    imported: bool = False
    stored: bool = True
    """Whether the store says so; its notes do where the store cannot be read, or knows no such campaign."""
    name: str = ""
    """As its profile calls it; empty where only its notes are known."""


def stop_campaign(name: str | None) -> None:
    """Stop a campaign by its number or `last`, or the running one; exit 1 where something is left of it.

    Args:
        name: As it was typed; without one, the campaign that runs is meant, or else the last, and named before.
    """
    known = _known(named_or_running(name))  # what is not there is told without waiting
    if name is None:
        click.echo(visible(f"no ID was given: this stops campaign {known.campaign} {known.name}".rstrip()), err=True)
    with one_at_a_time():
        _stop(_known(str(known.campaign)))  # whoever was waited for may have changed what is left of it


def _stop(known: _Known) -> None:
    campaign = known.campaign
    if known.imported:
        click.echo(f"campaign {campaign} was imported: nothing of it was started here", err=True)
        _tell_of_another(campaign)
        return
    busy = running_campaign()
    if busy == campaign:
        _ask_runner(known)
    elif busy is not None and known.leftovers:
        raise UsageError(
            f"campaign {busy} is running: what removes the rest of campaign {campaign} could hit what it started",
            f"wait for it, or `sparktui stop {busy}` first",
        )
    left = asyncio.run(clean_up(campaign))
    for line in left:
        click.echo(visible(f"left behind: {line}"), err=True)
    if left:
        sys.exit(ExitCode.PARTIAL)
    click.echo(f"campaign {campaign} is not running, and nothing of it is left", err=True)
    _tell_of_another(campaign)


def _tell_of_another(campaign: int) -> None:
    busy = running_campaign()
    if busy is not None and busy != campaign:
        click.echo(f"campaign {busy} is running: `sparktui stop {busy}` ends it", err=True)


def _known(name: str) -> _Known:
    try:
        with Reader(store_path()) as reader:
            campaign = reader.resolve(name)
            row = reader.campaign(campaign)
            return _Known(campaign, bool(reader.launched_left(campaign)), row.origin is not None, name=row.name)
    except SparktuiError:
        noted = noted_campaigns()
        known = [*noted, *([busy] if (busy := running_campaign()) is not None else [])]
        chosen = [campaign for campaign in known if name in ("last", str(campaign))]
        if not chosen:
            raise
        return _Known(chosen[-1], chosen[-1] in noted, stored=False)


def _ask_runner(known: _Known) -> None:
    campaign = known.campaign
    if known.stored:
        with suppress(StoreError):  # its runner has ended just now
            ask_to_stop(store_path(), campaign)
    else:
        signal_runner(campaign, signal.SIGTERM)  # nobody would hear it there
    click.echo(f"asked campaign {campaign} to stop; waiting for its engines to end", err=True)
    if not end_runner(campaign, RUNNER_TIMEOUT_S):
        click.echo(f"its runner did not end within {RUNNER_TIMEOUT_S:.0f} s; ending it", err=True)
        kill_runner(campaign)
        end_runner(campaign, 10)


async def clean_up(campaign: int) -> list[str]:
    """Remove whatever a campaign's runner started and did not remove; return what is left, with the command for it.

    Raises:
        StoreError: The store cannot be read or written; what was launched is ended all the same.
    """
    try:
        return await _clean_up_stored(campaign)
    except SparktuiError as error:  # at once, or when the last of the disk was used: neither may keep engines up
        left = await end_noted(Notes.of(campaign))
        raise _not_noted(campaign, error, left) from error


def _not_noted(campaign: int, error: SparktuiError, left: Sequence[str]) -> StoreError:
    """Say what could not be read or written, and what has been ended nevertheless."""
    but = f", but for {'; '.join(left)}" if left else ""
    gone = not store_path().exists()
    what = f"the store {store_path()} is gone" if gone else error.message
    again = f"`sparktui stop {campaign}` again"
    hint = (again if left else "") if gone else "; then ".join(part for part in (error.hint, again) if part)
    return StoreError(f"{what}; what campaign {campaign} had launched is ended{but}", hint)


async def _clean_up_stored(campaign: int) -> list[str]:
    with Reader(store_path()) as reader:
        row, launched, sweeps = reader.campaign(campaign), reader.launched_left(campaign), reader.sweeps(campaign)
    profile = parse_profile(row.profile_yaml, f"campaign {campaign}")
    hosts = hosts_of(profile)
    try:
        async with await Writer.open(store_path()) as writer:
            left = await _end_and_note(row, sweeps, launched, profile, hosts, writer)
    finally:
        await let_go(hosts)
    own = {mark_of(row, sweep.id) for sweep in sweeps} | {agent_mark(row, node) for node in profile.nodes}
    return left + await end_noted(Notes.of(campaign), own)  # of one that had this number in a store that is gone


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
        click.echo(visible(f"stopped by the memory guard, after the runner had ended: {text}"), err=True)
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
    writer: Writer,
) -> list[str]:
    """End what every sweep has left."""
    left: list[str] = []
    for sweep in sweeps:
        mine = [item for item in launched if item.sweep == sweep.id]
        ledger = StoreLedger(writer, campaign.id, sweep.id, sweep.topology, mark_of(campaign, sweep.id), hosts)
        left += (await _deployment(campaign, sweep, mine, ledger).stop()).left
    return left


def _deployment(campaign: CampaignRow, sweep: SweepRow, left: list[LaunchedRow], ledger: StoreLedger) -> Deployment:
    """Return what a sweep has left as the deployment it once was, so that it is stopped by the same code."""
    folder = run_dir(campaign.id)
    with store_errors(store_path()):
        steps = {step.title: step for step in msgspec.json.decode(sweep.commands, type=list[Step])}
    launched = []
    for item in reversed(left):
        host = ledger.hosts.get(item.node, LocalHost())
        step = steps.get(item.title, Step(item.node, item.title, (), undo=item.undo))
        log = log_path(folder, sweep.topology, item.title)
        running = None if item.pid is None else host.adopt(item.pid, item.pid_started, log)
        launched.append(Launched(step, host, running, item.id))
    plan = Plan(sweep.topology, "", "", ())
    return Deployment(plan, ledger.hosts, folder, ledger, mark=ledger.mark, launched=launched)
