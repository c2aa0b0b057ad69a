"""The processes of this node that carry a launch's mark in their environment, known before they must be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path

from sparktui.nodes.kept import read_once
from sparktui.nodes.memory import PROC
from sparktui.nodes.top import pids

MARK_ENV = b"SPARKTUI_LAUNCH"
REFRESH_S = 2.0
GONE, BY_NUMBER = -1, -2


class Marked:
    """The processes of one mark.

    Reading another process's environment can block while that process waits for memory. So it is done on a thread,
    every few seconds, and a stop begins with those that are known. Each is held by a descriptor: a number that has come
    to name another process meanwhile is never signalled.
    """

    def __init__(self, mark: str, proc: Path = PROC) -> None:
        self._entry = MARK_ENV + b"=" + mark.encode()
        self._proc = proc
        self._known: dict[int, int] = {}
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._over = threading.Event()

    def watch(self) -> None:
        """Begin to keep the list fresh, until closed."""
        threading.Thread(target=self._watch, daemon=True).start()

    def kill(self) -> list[int]:
        """Send SIGKILL to all that are known; return those that were there. Never blocks."""
        with self._lock:
            return [pid for pid, held in self._known.items() if _kill(pid, held)]

    def any_known(self) -> bool:
        """Tell whether any was there at the last look. Never blocks."""
        return bool(self._known)

    def refresh(self) -> list[int]:
        """Look for them anew; return those that are there now. May block."""
        with self._refreshing:
            if self._over.is_set():
                return []
            found = {pid for pid in pids(self._proc) if pid != os.getpid() and self._carries(pid)}
            held = {pid: _hold(pid) for pid in found - self._known.keys()}
            # A number may have been given away between the look and the hold, so it is looked at once more.
            new = {pid: fd for pid, fd in held.items() if fd != GONE and self._carries(pid)}
            dropped = [fd for pid, fd in held.items() if pid not in new]
            with self._lock:
                dropped += [self._known.pop(pid) for pid in self._known.keys() - found]
                self._known.update(new)
                known = sorted(self._known)
                for fd in dropped:
                    _release(fd)
        return known

    def close(self) -> None:
        """Stop watching, and forget them."""
        self._over.set()
        with self._lock:
            for held in self._known.values():
                _release(held)
            self._known.clear()

    def _watch(self) -> None:
        while not self._over.wait(REFRESH_S):
            with contextlib.suppress(OSError):  # no descriptor left, say: those that are known stay so
                self.refresh()

    def _carries(self, pid: int) -> bool:
        environment = read_once(f"{self._proc}/{pid}/environ")
        return self._entry in environment and self._entry in environment.split(b"\0")


def _hold(pid: int) -> int:
    """Return a descriptor of the process, `GONE`, or `BY_NUMBER` on a kernel or a Python without such descriptors."""
    if not (hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal")):  # some builds of Python lack them
        return BY_NUMBER
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return GONE
    except OSError:
        return BY_NUMBER


def _release(held: int) -> None:
    if held >= 0:
        os.close(held)


def _kill(pid: int, held: int) -> bool:
    try:
        if held == BY_NUMBER:
            os.kill(pid, signal.SIGKILL)
        else:
            signal.pidfd_send_signal(held, signal.SIGKILL)
    except OSError:
        return False
    return True
