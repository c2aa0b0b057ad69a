"""Start a campaign's runner so that it outlives the terminal, and look after it from outside."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

from sparktui import __version__
from sparktui.errors import ExitCode, SparktuiError, StoppedError
from sparktui.paths import HOME_ENV, data_dir, ensure_private, run_dir, store_path
from sparktui.private import users_umask
from sparktui.profile.loader import dump_profile
from sparktui.profile.model import Profile
from sparktui.runner.closing import close_open
from sparktui.runner.lock import Lock, lock_to_hand_on, runner_pid, running_campaign, sign
from sparktui.store.writer import Writer

START_TIMEOUT_S = 15.0
RUNNER_LOG = "runner.log"
STARTED = "started"
"""A file that the runner makes when it has its campaign."""
END_PATIENCE_S = 5.0
"""For a runner that did not come up and is asked to end."""


def start_campaign(profile: Profile) -> int:
    """Store a campaign and start its runner in a session of its own.

    Raises:
        BusyError: Another campaign is running in this data folder.
        SparktuiError: The runner did not come up.
    """
    with lock_to_hand_on() as lock:
        campaign = asyncio.run(_store_campaign(profile, lock))
        start_stored(campaign, lock)
    return campaign


def start_stored(campaign: int, lock: Lock, *, force: bool = False) -> None:
    """Start the runner of a campaign that is stored as `queued`; where it does not come up, the campaign has failed.

    Args:
        campaign: Its number.
        lock: What the runner inherits.
        force: Go on with topologies that are not what their first waves were measured on.

    Raises:
        StoppedError: It was stopped meanwhile.
        SparktuiError: The runner did not come up.
    """
    try:
        _start_runner(campaign, lock, ["--force"] if force else [])
    except StoppedError:  # its end is in the store
        raise
    except SparktuiError as error:
        asyncio.run(_store_end(campaign, "failed", error))
        raise
    except KeyboardInterrupt:
        asyncio.run(_store_end(campaign, "stopped", StoppedError(campaign)))
        raise


async def _store_campaign(profile: Profile, lock: Lock) -> int:
    async with await Writer.open(store_path()) as writer:
        campaign = await writer.create_campaign(
            name=profile.name,
            profile_yaml=dump_profile(profile),
            source=profile.source,
            host=platform.node(),
            version=__version__,
        )
        sign(lock, campaign)
        return campaign


async def _store_end(campaign: int, state: str, error: SparktuiError) -> None:
    async with await Writer.open(store_path()) as writer:
        await close_open(writer, campaign)
        await writer.set_campaign_state(
            campaign, state, exit_code=int(error.exit_code), detail=error.message.splitlines()[0]
        )


def _start_runner(campaign: int, lock: Lock, options: list[str]) -> None:
    folder = ensure_private(run_dir(campaign))
    (folder / STARTED).unlink(missing_ok=True)  # of a campaign that had this number in a store that is gone
    with (folder / RUNNER_LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sparktui.runner", str(campaign), "--lock", str(lock), *options],
            pass_fds=(lock,),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=users_umask(),
            cwd="/",
            env={**os.environ, HOME_ENV: str(data_dir())},  # which may have been said as seen from here
        )
    try:
        sign(lock, campaign, process.pid)
        _await_start(campaign, process, folder)
    except BaseException:  # Ctrl-C too: nobody would know that it runs
        _end(process)
        raise
    process.returncode = 0  # it is on its own now: nobody here waits for it


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(END_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_start(campaign: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not (folder / STARTED).exists():
        if process.poll() == ExitCode.INTERRUPTED:
            raise StoppedError(campaign)
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


def signal_runner(campaign: int, number: signal.Signals) -> bool:
    """Send a signal to a campaign's runner; tell whether it has one."""
    pid = runner_pid()
    if pid is None or running_campaign() != campaign:
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
