"""Waits for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], bool], timeout_s: float, every_s: float = 0.1) -> bool:
    """Poll until something has happened; tell whether it did before the deadline."""
    deadline = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(every_s)
    return True
