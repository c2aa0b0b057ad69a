"""Viewers to be hit: one that prints lines, and one that draws screens on a terminal of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import threading
from contextlib import suppress

from tests.runner.campaigns import Owner


class Viewer:
    """One process that looks at the newest campaign."""

    def __init__(self, owner: Owner, *, screens: bool) -> None:
        self._master, slave = pty.openpty()
        words = ("attach",) if screens else ("attach", "--plain")
        self._process = subprocess.Popen(
            owner.argv(words),
            env={**owner.environment(), "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._said = bytearray()
        self._drain = threading.Thread(target=self._read, daemon=True)
        self._drain.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended by now."""
        return self._process.poll() is not None

    @property
    def said(self) -> str:
        """All it has written so far."""
        return self._said.decode(errors="replace")

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end; tell whether it came."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def close(self) -> None:
        """End it."""
        if not self.ended:
            self._process.kill()
        self._process.wait()
        self._drain.join(5)
        os.close(self._master)

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._master, 65536):
                self._said += data
