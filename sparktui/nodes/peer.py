"""The runner at the other end of an agent's socket: JSON lines both ways, and nothing that blocks."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections import deque
from typing import Any

from sparktui.nodes.flight import Entry, line

PENDING_AT_MOST_BYTES = 256 * 1024
"""What may wait for a runner that does not read; samples behind it are dropped."""
NEWS_AT_MOST_BYTES = 4 * PENDING_AT_MOST_BYTES
"""The same for warnings, acts and answers."""
LINE_AT_MOST_BYTES = 256 * 1024
CHUNK_BYTES = 65_536
SOCK = "sock"

Order = dict[str, Any]


class Peer:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._pending = bytearray()
        self._received = bytearray()
        self._pieces: deque[Entry] = deque()

    def send(self, entry: Entry) -> None:
        """Send a message, or drop it where too much waits already."""
        limit = PENDING_AT_MOST_BYTES if "sample" in entry else NEWS_AT_MOST_BYTES
        if len(self._pending) < limit:
            self._pending += line(entry)
            self.flush()

    def send_when_idle(self, entry: Entry) -> None:
        """Send a piece of a replay as soon as nothing else waits: it must not push new samples out."""
        self._pieces.append(entry)
        self.flush()

    def flush(self) -> None:
        """Write as much as the socket takes. A connection that is gone shows when it is read."""
        with contextlib.suppress(OSError):
            while self.has_pending:
                if not self._pending:
                    self._pending += line(self._pieces.popleft())
                del self._pending[: self._connection.send(self._pending)]

    @property
    def has_pending(self) -> bool:
        """Something waits for the socket to take it."""
        return bool(self._pending or self._pieces)

    def receive(self) -> list[Order] | None:
        """Return the orders that have arrived, or None where the connection has ended."""
        try:
            data = self._connection.recv(CHUNK_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data or len(self._received) > LINE_AT_MOST_BYTES:
            return None
        *lines, self._received = (self._received + data).split(b"\n")
        return [_order(raw) for raw in lines if raw.strip()]

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._connection.fileno()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def listen() -> socket.socket:
    """Return a socket that listens in the current folder: the path to it may be longer than a socket's name can be."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCK)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(SOCK)
    os.chmod(SOCK, 0o600)
    listening.listen(4)
    listening.setblocking(False)
    return listening


def _order(raw: bytes | bytearray) -> Order:
    try:
        order = json.loads(raw)
    except (ValueError, RecursionError):
        order = None
    return order if isinstance(order, dict) else {}
