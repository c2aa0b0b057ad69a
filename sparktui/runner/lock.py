"""One campaign at a time in one data folder, and who runs it: file locks, which no crash can leave behind.

Whoever starts a runner takes the lock before anything is stored, and the runner inherits it: a campaign that is being
started is never one that nobody works on.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sparktui.errors import BusyError, StoreError, UsageError
from sparktui.paths import data_dir, ensure_private, is_own_file
from sparktui.runner.flock import locked_within

INSTANT_S = 0.2
LOOKER_PATIENCE_S = 10.0
"""Somebody asking who runs holds the lock for an instant, or for longer where it is made to stand still."""
WIDTH = 40
"""Of what is written into it: one write over the one before, so that nobody reads half of either."""

Lock = int
"""The lock's file, open and held."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """Who has the lock; a runner that is being started has no number yet, and then no process id."""

    campaign: int | None
    pid: int | None


def lock_path() -> Path:
    """Return the file that the running campaign's runner holds locked."""
    return data_dir() / "runner.lock"


@contextmanager
def lock_to_hand_on() -> Iterator[Lock]:
    """Hold the lock for the block, in which a runner is started that inherits it.

    Raises:
        UsageError: Another campaign is running here, or is being started.
        StoreError: Its file cannot be made, or not be locked.
    """
    lock = _taken()
    try:
        yield lock
    finally:
        os.close(lock)


def keep_lock(campaign: int, inherited: Lock | None = None) -> None:
    """Hold the lock for the rest of this process's life, under a campaign's number.

    Nothing here lets go of it: the kernel does, at the process's very end, so that whoever finds it free finds nobody.

    Args:
        campaign: What this process works on.
        inherited: The lock as it was taken by whoever started this process; without one it is taken now.

    Raises:
        UsageError: Another campaign is running here, or is being started.
        StoreError: Its file cannot be made, or not be locked.
    """
    lock = _taken() if inherited is None else inherited
    os.set_inheritable(lock, False)  # an engine that outlives the runner must not hold it
    sign(lock, campaign, os.getpid())


def sign(lock: Lock, campaign: int, pid: int | None = None) -> None:
    """Write into the lock which campaign it is held for, and by which process, once that is known.

    Raises:
        StoreError: It cannot be written.
    """
    line = f"{campaign} {'' if pid is None else pid}".ljust(WIDTH) + "\n"
    try:
        os.pwrite(lock, line.encode(), 0)
    except OSError as error:
        raise StoreError(
            f"cannot write {lock_path()}: {error.strerror}", "free some space, or check the disk"
        ) from error


def refuse_second() -> None:
    """Raise BusyError where a campaign is running in this data folder."""
    busy = running_campaign()
    if busy is not None:
        raise BusyError(busy)


def running_campaign() -> int | None:
    """Return the campaign that a live runner is working on, or is being started for."""
    holder = _holder()
    return holder.campaign if holder else None


def has_runner(campaign: int) -> bool:
    """Tell whether a live runner is working on a campaign, or is being started: for whom may not be known yet."""
    holder = _holder()
    return holder is not None and holder.campaign in (campaign, None)


def named_or_running(name: str | None) -> str:
    """Return the name of a campaign as it was typed; where none was, that of the running one, or else `last`."""
    if name is not None:
        return name
    running = running_campaign()
    return "last" if running is None else str(running)


def runner_pid() -> int | None:
    """Return the live runner's process id."""
    holder = _holder()
    return holder.pid if holder else None


def _taken() -> Lock:
    ensure_private(data_dir())
    file = _opened()
    try:
        if not _locked(file):
            refuse_second()
            raise UsageError("another campaign is being started in this data folder", "`sparktui attach` shows it")
        os.ftruncate(file, 0)
    except OSError as error:
        os.close(file)
        raise _cannot_lock(error, "set SPARKTUI_HOME to a folder on a disk whose files can be locked") from error
    except BaseException:
        os.close(file)
        raise
    return file


def _locked(file: int) -> bool:
    """Lock the file, waiting for those who merely ask who runs; False where a runner has it."""
    deadline = time.monotonic() + LOOKER_PATIENCE_S
    while not locked_within(file, INSTANT_S):
        if not _only_looked_at(file):
            return False
        if time.monotonic() > deadline:
            raise StoreError(
                f"{lock_path()} is held by a process that only looks who is running, and stands still",
                f"`fuser {lock_path()}` names it: let it go on, or end it",
            )
    return True


def _only_looked_at(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(file, fcntl.LOCK_UN)
    return True


def _opened() -> int:
    try:
        file = os.open(lock_path(), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        hint = "check its owner and mode, or set SPARKTUI_HOME to another folder"
        raise _cannot_lock(error, hint) from error
    if not is_own_file(file):
        os.close(file)
        raise StoreError(f"{lock_path()} is not yours alone", "check its owner and mode")
    return file


def _cannot_lock(error: OSError, hint: str) -> StoreError:
    return StoreError(f"cannot lock {lock_path()}: {error.strerror}", hint)


def _holder() -> _Holder | None:
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
        return _Holder(_number(campaign), _number(pid))
    except OSError:  # where files cannot be locked, no runner has come up
        return None
    finally:
        os.close(file)
    return None


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
