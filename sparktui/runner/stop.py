"""`sparktui stop`: ends a campaign from outside, and cleans up after a runner that cannot do it any more."""

from __future__ import annotations

import asyncio
import sys

import click

from sparktui.errors import ExitCode, UsageError
from sparktui.paths import store_path
from sparktui.profile import parse_profile
from sparktui.runner.closing import close_open
from sparktui.runner.detach import end_runner, kill_runner
from sparktui.runner.hosts import hosts_of
from sparktui.runner.lock import running_campaign
from sparktui.serving.host import Host, LocalHost
from sparktui.serving.launch import Launched, undo
from sparktui.serving.plan import Step
from sparktui.store.control import request_control
from sparktui.store.reader import Reader
from sparktui.store.rows import LaunchedRow
from sparktui.store.writer import Writer

RUNNER_TIMEOUT_S = 180.0
"""A runner that is asked to stop waits for engines to end and for memory to come back."""


def stop_campaign(name: str) -> None:
    """Stop a campaign by its number or `last`; exit 1 where something is left that could not be removed."""
    with Reader(store_path()) as reader:
        campaign = reader.resolve(name)
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
    request_control(store_path(), campaign, "stop")
    click.echo(f"asked campaign {campaign} to stop; waiting for its engines to end", err=True)
    if not end_runner(campaign, RUNNER_TIMEOUT_S):
        click.echo(f"its runner did not end within {RUNNER_TIMEOUT_S:.0f} s; ending it", err=True)
        kill_runner(campaign)
        end_runner(campaign, 10)


async def clean_up(campaign: int) -> list[str]:
    """Remove whatever a campaign's runner started and did not remove; return what is left, with the command for it."""
    with Reader(store_path()) as reader:
        row, launched = reader.campaign(campaign), reader.launched_left(campaign)
    hosts = hosts_of(parse_profile(row.profile_yaml, f"campaign {campaign}"))
    left: list[str] = []
    async with await Writer.open(store_path()) as writer:
        for item in launched:
            remains = await undo(_launched(item, hosts.get(item.node, LocalHost())))
            left += remains
            if not remains:
                await writer.mark_gone(item.id)
        await close_open(writer, campaign)
        if row.state in ("queued", "running"):
            await writer.set_campaign_state(
                campaign, "stopped", exit_code=int(ExitCode.INTERRUPTED), detail="its runner had ended without a word"
            )
    return left


def _launched(item: LaunchedRow, host: Host) -> Launched:
    running = None if item.pid is None else host.adopt(item.pid, item.pid_started)
    return Launched(Step(item.node, item.title, (), undo=item.undo), host, running, item.id)
