"""A reading on a thread of its own, so that one that hangs holds up nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Apart(Generic[T]):
    """Asks when told to, one question at a time, and has the newest answer."""

    def __init__(self, read: Callable[[], T], deadline_s: float) -> None:
        self._read = read
        self._deadline_s = deadline_s
        self._latest: T | None = None
        self._asked: float | None = None
        self._wanted = threading.Semaphore(0)
        self._answered = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Begin another reading, unless one is on its way."""
        if self._asked is not None:
            return
        self._asked = time.monotonic()
        self._answered.clear()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._wanted.release()

    def latest(self, wait_s: float = 0.0) -> T | None:
        """Return the newest answer, waiting so long for the one on its way.

        None where there is none yet, and where the one on its way is overdue: what was read before it is no news.
        """
        self._answered.wait(wait_s)
        asked = self._asked
        overdue = asked is not None and time.monotonic() - asked > self._deadline_s
        return None if overdue else self._latest

    def _run(self) -> None:
        while True:
            self._wanted.acquire()
            try:
                self._latest = self._read()
            except Exception:  # noqa: BLE001 - what a driver's library may raise is not known; the reading is missing
                self._latest = None
            self._asked = None
            self._answered.set()
