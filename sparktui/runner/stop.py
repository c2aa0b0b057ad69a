"""`sparktui stop`: ends a campaign from outside, and cleans up after a runner that cannot do it any more."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping

import click

from sparktui.errors import ExitCode, HostError, UsageError
from sparktui.paths import store_path
from sparktui.profile import parse_profile
from sparktui.runner.closing import close_open
from sparktui.runner.detach import end_runner, kill_runner
from sparktui.runner.hosts import hosts_of
from sparktui.runner.lock import running_campaign
from sparktui.serving.host import Host, LocalHost, SshHost, SshProcess, kill_group
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
            remains = await _remove(item, hosts)
            if remains:
                left.append(remains)
            else:
                await writer.mark_gone(item.id)
        await close_open(writer, campaign)
        if row.state in ("queued", "running"):
            await writer.set_campaign_state(
                campaign, "stopped", exit_code=int(ExitCode.INTERRUPTED), detail="its runner had ended without a word"
            )
    return left


async def _remove(item: LaunchedRow, hosts: Mapping[str, Host]) -> str | None:
    host = hosts.get(item.node, LocalHost())
    try:
        if item.pid is not None:
            await _end(host, item.pid, item.pid_started)
        if undo := item.undo:
            done = await host.run(undo, timeout_s=120)
            if done.returncode != 0 and "No such container" not in done.stderr:
                return f"{item.title} on {item.node}: `{' '.join(undo)}` said: {done.stderr.strip()}"
    except HostError as error:
        return f"{item.title} on {item.node}: {error.message}"
    return None


async def _end(host: Host, pid: int, started: float | None) -> None:
    """End a group kindly, then surely. Only this machine can tell whether the id is still that process's."""
    if isinstance(host, SshHost):
        remote = SshProcess(host, pid, "")
        await remote.signal(signal.SIGTERM)
        await asyncio.sleep(2)
        await remote.signal(signal.SIGKILL)
        return
    if kill_group(pid, started, signal.SIGTERM):
        await asyncio.sleep(1)
        kill_group(pid, started, signal.SIGKILL)
