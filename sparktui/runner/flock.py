"""A lock on an open file that its process holds until it closes it, or ends: no crash leaves one behind."""

from __future__ import annotations

import fcntl
import time

POLL_S = 0.02


def locked_within(file: int, patience_s: float) -> bool:
    """Lock an open file or folder for this process alone; False where another one holds it for all that time.

    It may be called on no event loop: it waits by sleeping, as the kernel's own wait has no deadline.

    Raises:
        OSError: Its file system locks nothing.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        else:
            return True
