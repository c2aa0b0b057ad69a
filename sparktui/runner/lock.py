"""One campaign at a time in one data folder, and who runs it: file locks, which no crash can leave behind."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sparktui.errors import StoreError
from sparktui.paths import data_dir, ensure_private, is_own_file
from sparktui.runner.flock import locked_within

PROBE_GRACE_S = 1.0
"""Somebody asking who runs holds the lock for an instant; that must not look like a second runner."""


def lock_path() -> Path:
    """Return the file that the running campaign's runner holds locked."""
    return data_dir() / "runner.lock"


def hold_lock(campaign: int) -> bool:
    """Take the lock for the rest of this process's life; tell whether it was free.

    Nothing here lets go of it: the kernel does, at the process's very end, so that whoever finds it free finds nobody.

    Raises:
        StoreError: Its file cannot be made, or not be locked.
    """
    ensure_private(data_dir())
    file = _opened()
    try:
        held = locked_within(file, PROBE_GRACE_S)
    except OSError as error:
        os.close(file)
        raise _cannot_lock(error, "set SPARKTUI_HOME to a folder on a disk whose files can be locked") from error
    if not held:
        os.close(file)
        return False
    os.ftruncate(file, 0)
    os.write(file, f"{campaign} {os.getpid()}\n".encode())
    return True


def _opened() -> int:
    try:
        file = os.open(lock_path(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _cannot_lock(error, "check its owner and mode") from error
    if not is_own_file(file):
        os.close(file)
        raise StoreError(f"{lock_path()} is not yours alone", "check its owner and mode")
    return file


def _cannot_lock(error: OSError, hint: str) -> StoreError:
    return StoreError(f"cannot lock {lock_path()}: {error.strerror}", hint)


def running_campaign() -> int | None:
    """Return the campaign that a live runner is working on."""
    holder = _holder()
    return holder[0] if holder else None


def named_or_running(name: str | None) -> str:
    """Return the name of a campaign as it was typed; where none was, that of the running one, or else `last`."""
    if name is not None:
        return name
    running = running_campaign()
    return "last" if running is None else str(running)


def runner_pid() -> int | None:
    """Return the live runner's process id."""
    holder = _holder()
    return holder[1] if holder else None


def _holder() -> tuple[int, int] | None:
    try:
        file = os.open(lock_path(), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not is_own_file(file):
            return None  # whoever wrote it chose which process a stop would end
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        campaign, _, pid = os.read(file, 64).decode("ascii", "replace").partition(" ")
        return (int(campaign), int(pid)) if campaign.isdigit() and pid.strip().isdigit() else None
    except OSError:  # where files cannot be locked, no runner has come up
        return None
    finally:
        os.close(file)
    return None
