"""A real pty with a program in it: what it writes, when, and what it costs."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

END_S = 10.0
READ_BYTES = 1 << 16


@dataclass(slots=True)
class Terminal:
    """One pseudo-terminal of some columns and rows, read by us, and the process that draws on it."""

    process: subprocess.Popen[bytes]
    master: int
    started: float
    """When the process was started, on the monotonic clock."""
    written: bytearray = field(default_factory=bytearray)
    """Everything it wrote so far."""

    def read(self, seconds: float) -> int:
        """Take what it writes for some seconds; return how many bytes that were."""
        before, deadline = len(self.written), time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._take(left)
        return len(self.written) - before

    def until(self, text: bytes, timeout_s: float = 60.0, since: int = 0) -> float:
        """Take what it writes until a text is there; return when that was, on the monotonic clock."""
        deadline = time.monotonic() + timeout_s
        while text not in self.written[since:]:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError(f"never wrote {text!r}: {bytes(self.written[-2000:])!r}")
            self._take(left)
        return time.monotonic()

    def some(self, timeout_s: float = 30.0) -> float:
        """Wait until it writes anything; return when it did, on the monotonic clock."""
        if not self._take(timeout_s):
            raise TimeoutError("wrote nothing")
        return time.monotonic()

    def quiet(self, seconds: float, timeout_s: float = 30.0) -> None:
        """Take what it writes until it has written nothing for so long."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self._take(seconds):
                return
        raise TimeoutError(f"is never quiet for {seconds} s")

    def press(self, keys: bytes) -> float:
        """Send keys; return when, on the monotonic clock."""
        os.write(self.master, keys)
        return time.monotonic()

    def cpu_s(self) -> float:
        """Return the processor time that it has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def rss_bytes(self) -> int:
        """Return what it holds in memory."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def _take(self, wait_s: float) -> int:
        if not select.select([self.master], [], [], wait_s)[0]:
            return 0
        try:
            data = os.read(self.master, READ_BYTES)
        except OSError:  # the far end is closed
            data = b""
        if not data:
            raise EOFError(f"it has ended: {bytes(self.written[-2000:])!r}")
        self.written += data
        return len(data)


@contextmanager
def terminal(argv: Sequence[str], size: tuple[int, int], home: Path, **env: str) -> Iterator[Terminal]:
    """Run a program on a terminal of (columns, rows) that can do true colour, over a data folder; end it in the end."""
    master, slave = pty.openpty()
    columns, rows = size
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    told = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "SPARKTUI_HOME": str(home), **env}
    inherited = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "SSH_CONNECTION")}
    started = time.monotonic()
    process = subprocess.Popen(
        argv, stdin=slave, stdout=slave, stderr=slave, env=inherited | told, start_new_session=True
    )
    os.close(slave)
    try:
        yield Terminal(process, master, started)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(master)
