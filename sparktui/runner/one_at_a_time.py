"""One `sparktui stop` or `sparktui resume` at a time: a second one would end what the first has just brought up."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sparktui.errors import UsageError
from sparktui.paths import data_dir, refuse_others

PATIENCE_S = 240.0
"""A stop waits for a runner, a resume for what is removed from slow nodes."""
POLL_S = 0.05


@contextmanager
def one_at_a_time(patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the data folder locked for the block: that needs no space, and a killed process holds nothing.

    Raises:
        UsageError: Another one is at work for longer than one should take.
        StoreError: The folder is somebody else's.
    """
    refuse_others(data_dir())
    folder = os.open(data_dir(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(folder, patience_s)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UsageError(
                    "another `sparktui stop` or `sparktui resume` is at work in this data folder",
                    "wait for it to end, or end it",
                ) from None
            time.sleep(POLL_S)
        except OSError:  # a file system that locks no folders must not keep engines up
            return None
