"""One slot's way to the server: what the two kinds of connection share, and what a lost one means."""

from __future__ import annotations

import os
import socket
import ssl
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from sparktui.load.messages import Target
from sparktui.load.pulse import AWAY_NS, Pulse
from sparktui.load.response import ResponseReader

READ_BYTES = 16 * 1024
"""More per read makes every read slower: the buffer is allocated before the size is known."""
CLOSED = "the server closed the connection"

_STALE_WITHIN_NS = 1_000_000_000

Ended = Callable[[], None]


class Connection(ABC):
    """One slot's way to the server: one request at a time, kept alive between them."""

    def __init__(self, target: Target) -> None:
        self.lags_ns: list[int] = []
        """How late each read was, where the kernel says; whoever looks empties it."""
        self.unstamped = 0
        """Reads that carry the worker's own time."""
        self.arrival_error = 0.0
        """The most that an arrival may be off since `begin`, as a share of its time since the send."""
        self.stale = False
        """The last request met a kept-alive connection that the server had already given up: it may be sent again."""
        self._target = target
        self._reader: ResponseReader | None = None
        self._ended: Ended | None = None
        self._used = False
        self._pulse = Pulse()

    def begin(self, pulse: Pulse) -> None:
        """Forget what was noted before: what is read from now on belongs to the wave that beats."""
        self._pulse = pulse
        self.unstamped, self.arrival_error = 0, 0.0
        self.lags_ns.clear()

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether it is connected, as far as is known."""

    @abstractmethod
    async def open(self) -> None:
        """Connect, unless still connected.

        Raises:
            OSError: If there is no connection; TLS errors are OSErrors too.
        """

    @abstractmethod
    def send(self, request: bytes, reader: ResponseReader, ended: Ended) -> None:
        """Stamp the reader and start sending; `ended` is called once, when the reader is finished or `stale` is set."""

    @abstractmethod
    def close(self) -> None:
        """Drop the connection; the reader of a request in flight is not told."""

    def _doubt(self, unseen_ns: int, reader: ResponseReader, arrived_ns: int) -> None:
        """Note that what has arrived may have done so earlier, by as long as nobody has looked."""
        if unseen_ns > AWAY_NS:
            since_ns = max(1, arrived_ns - reader.sent_ns)
            self.arrival_error = max(self.arrival_error, min(1.0, unseen_ns / since_ns))

    def _lost(self, why: str) -> None:
        reader, ended, used = self._reader, self._ended, self._used
        self.close()
        if reader is None or ended is None:
            return
        # A server that was mid-answer is never asked twice: only a connection that died idle, before any byte of ours.
        self.stale = used and not reader.began and time.monotonic_ns() - reader.sent_ns < _STALE_WITHIN_NS
        if not self.stale:
            reader.eof(time.monotonic_ns(), why)
        ended()

    def _finish(self, reader: ResponseReader, *, reusable: bool = True) -> None:
        ended = self._ended
        self._used = True
        if reader.keep_alive and reusable:
            self._reader = self._ended = None
        else:
            self.close()
        if ended is not None:
            ended()


def reason(error: OSError) -> str:
    """Return what went wrong with a connection, in the system's own words."""
    if error.errno and not isinstance(error, (ssl.SSLError, socket.gaierror)):
        return os.strerror(error.errno)  # asyncio's own text repeats the address.
    return error.strerror or str(error) or type(error).__name__
