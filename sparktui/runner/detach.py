"""Start a campaign's runner so that it outlives the terminal, and look after it from outside."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from sparktui import __version__
from sparktui.errors import BusyError, SparktuiError
from sparktui.paths import ensure_private, run_dir, store_path
from sparktui.private import users_umask
from sparktui.profile.loader import dump_profile
from sparktui.profile.model import Profile
from sparktui.runner.closing import close_open
from sparktui.runner.lock import runner_pid, running_campaign
from sparktui.store.writer import Writer

START_TIMEOUT_S = 15.0
RUNNER_LOG = "runner.log"
STARTED = "started"
"""A file that the runner makes when it has the lock."""


def start_campaign(profile: Profile) -> int:
    """Store a campaign and start its runner in a session of its own.

    Raises:
        BusyError: Another campaign is running in this data folder.
        SparktuiError: The runner did not come up.
    """
    refuse_second()
    campaign = asyncio.run(_store_campaign(profile))
    start_stored(campaign)
    return campaign


def refuse_second() -> None:
    """Raise BusyError where a campaign is running in this data folder."""
    busy = running_campaign()
    if busy is not None:
        raise BusyError(busy)


def start_stored(campaign: int, *, force: bool = False) -> None:
    """Start the runner of a campaign that is stored as `queued`; where it does not come up, the campaign has failed.

    Args:
        campaign: Its number.
        force: Go on with topologies that are not what their first waves were measured on.

    Raises:
        SparktuiError: The runner did not come up.
    """
    try:
        _start_runner(campaign, ["--force"] if force else [])
    except SparktuiError as error:
        if running_campaign() != campaign:  # another one was quicker to take it up
            asyncio.run(_store_failure(campaign, error))
        raise


async def _store_campaign(profile: Profile) -> int:
    async with await Writer.open(store_path()) as writer:
        return await writer.create_campaign(
            name=profile.name,
            profile_yaml=dump_profile(profile),
            source=profile.source,
            host=platform.node(),
            version=__version__,
        )


async def _store_failure(campaign: int, error: SparktuiError) -> None:
    async with await Writer.open(store_path()) as writer:
        await close_open(writer, campaign)
        await writer.set_campaign_state(
            campaign, "failed", exit_code=int(error.exit_code), detail=error.message.splitlines()[0]
        )


def _start_runner(campaign: int, options: list[str]) -> None:
    folder = ensure_private(run_dir(campaign))
    (folder / STARTED).unlink(missing_ok=True)  # of a campaign that had this number in a store that is gone
    with (folder / RUNNER_LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sparktui.runner", str(campaign), *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=users_umask(),
            cwd="/",
        )
    try:
        _await_lock(campaign, process, folder)
    except BaseException:  # Ctrl-C too: nobody would know that it runs
        process.terminate()
        raise
    process.returncode = 0  # it is on its own now: nobody here waits for it


def _await_lock(campaign: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (folder / STARTED).exists():
        if process.poll() is not None or time.monotonic() > deadline:
            text = (folder / RUNNER_LOG).read_text(errors="replace").strip()[-2000:]
            raise SparktuiError(f"the runner of campaign {campaign} did not come up\n{text}", f"its log: {folder}")
        time.sleep(0.02)


def end_runner(campaign: int, timeout_s: float) -> bool:
    """Wait for a campaign's runner to end; tell whether it did."""
    deadline = time.monotonic() + timeout_s
    while running_campaign() == campaign:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def kill_runner(campaign: int) -> None:
    """End a runner that does not end by itself, with the helpers it started (they see their pipes close)."""
    signal_runner(campaign, signal.SIGKILL)


def signal_runner(campaign: int, number: signal.Signals) -> None:
    """Send a signal to a campaign's runner, if it has one."""
    pid = runner_pid()
    if pid is not None and running_campaign() == campaign:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
