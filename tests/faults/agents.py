"""Real agents, and a runner's end to talk to them by hand."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

DEADLINE_S = 60.0
ARGV = (sys.executable, "-m", "sparktui.nodes.agent")
GIB = 1024**3
LIMITS = {"warn_bytes": 0, "loading_stop_bytes": 0, "serving_stop_bytes": 0}

Message = dict[str, Any]


class Runner:
    """One connection to an agent."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(folder / "sock"))  # waits where others wait to be taken; with a timeout it refuses to
        self._socket.settimeout(DEADLINE_S)
        self._lines = self._socket.makefile("rb")

    def say(self, **order: Any) -> None:
        """Send an order."""
        self.write(json.dumps(order).encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Send bytes, an order or not."""
        self._socket.sendall(data)

    def hear(self) -> Message | None:
        """Wait for the next message; None when the agent has ended the connection."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        return json.loads(line) if line.endswith(b"\n") else None  # it may hang up in the middle of one

    def hear_until(self, kind: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Wait for a message of a kind that is as wanted; return its body."""
        deadline = time.monotonic() + DEADLINE_S
        while (message := self.hear()) is not None:
            if kind in message and wanted(message[kind]):
                return message[kind]
            assert time.monotonic() < deadline, message
        raise AssertionError("the agent has ended the connection")

    def samples(self, count: int) -> list[Message]:
        """Return the next samples."""
        return [self.hear_until("sample") for _ in range(count)]

    def arm(self, mark: str, **order: Any) -> None:
        """Arm the agent and wait for its answer."""
        self.say(**({"do": "arm", "mark": mark, "stop": [], "limits": LIMITS, "what": "solo"} | order))
        assert self.hear_until("armed")["mark"] == mark

    def last_word(self, data: bytes) -> None:
        """Send bytes and no more; return when the agent, which has read them all, has ended the connection too."""
        with suppress(BrokenPipeError, ConnectionResetError):  # it need not read an endless line to its end
            self.write(data)
            self._socket.shutdown(socket.SHUT_WR)
        while self.hear() is not None:
            pass

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket's name."""
    path = Path(tempfile.mkdtemp(prefix="spt-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def agent(
    folder: Path,
    *words: str,
    env: dict[str, str] | None = None,
    under: tuple[str, ...] = (),
    stderr: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run an agent that listens in a folder, until it ends by itself or the test is over."""
    argv = [*under, *ARGV, "--node", "gf1", "--folder", str(folder), *words]
    process = subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=stderr, env=os.environ | (env or {}), start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"pid": process.pid}
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something that must become true."""
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that was not waited for does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
