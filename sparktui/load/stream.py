"""The transport seam: one kept-alive connection per slot that sends prepared bytes and feeds a `ResponseReader`.

On Linux over plain http every read carries the kernel's receive stamp, so that a read the worker gets to late is not
an arrival that was late. Elsewhere, and over TLS, the worker stamps reads itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import socket
import ssl
import struct
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

from sparktui.load.messages import Target
from sparktui.load.response import ResponseReader
from sparktui.measure.record import Clock

READ_BYTES = 16 * 1024
"""More per read makes every read slower: the buffer is allocated before the size is known."""

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h: x86-64 and aarch64; Python has no name for it
_TIMESPEC = struct.Struct("qq")
_CONTROL_BYTES = 64
_STALE_WITHIN_NS = 1_000_000_000
_CLOSED = "the server closed the connection"

Ended = Callable[[], None]


class Connection(ABC):
    """One slot's way to the server: one request at a time, kept alive between them."""

    def __init__(self, target: Target) -> None:
        self.lags_ns: list[int] = []
        """How late each read was, where the kernel says; whoever looks empties it."""
        self.unstamped = 0
        """Reads that carry the worker's own time."""
        self.stale = False
        """The last request met a kept-alive connection that the server had already given up: it may be sent again."""
        self._target = target
        self._reader: ResponseReader | None = None
        self._ended: Ended | None = None
        self._used = False

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


def connect_to(target: Target) -> Connection:
    """Return a connection, not yet open, of the best kind for this target and platform."""
    return KernelConnection(target) if clock_of(target) == "kernel" else UserConnection(target)


def clock_of(target: Target | None = None) -> Clock:
    """Return whose receive stamps connections to a target, or to any plain one, have on this platform."""
    kernel = sys.platform == "linux" and sys.maxsize > 2**32
    return "kernel" if kernel and (target is None or not target.tls) else "user"


class KernelConnection(Connection):
    """A plain socket on the event loop's own selector, each read with the kernel's receive stamp."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._loop = asyncio.get_running_loop()
        self._sock: socket.socket | None = None
        self._unsent: memoryview | None = None
        self._last_ns = 0

    async def open(self) -> None:
        """Connect, unless still connected."""
        if self._sock is not None:
            return
        sock = await _connected_socket(self._loop, self._target)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._sock = sock
        self._used = False
        self._loop.add_reader(sock, self._readable)

    def send(self, request: bytes, reader: ResponseReader, ended: Ended) -> None:
        """Stamp the reader and start sending."""
        self.stale = False
        self._reader, self._ended = reader, ended
        reader.sent_ns = self._last_ns = time.monotonic_ns()
        if self._sock is None:
            self._lost(_CLOSED)
        else:
            self._push(memoryview(request))

    def close(self) -> None:
        """Drop the connection; the reader of a request in flight is not told."""
        self._reader = self._ended = self._unsent = None
        if self._sock is not None:
            self._loop.remove_reader(self._sock)
            self._loop.remove_writer(self._sock)
            self._sock.close()
            self._sock = None

    def _push(self, unsent: memoryview) -> None:
        assert self._sock is not None
        try:
            unsent = unsent[self._sock.send(unsent) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._lost(reason(error))
            return
        if unsent and self._unsent is None:
            self._loop.add_writer(self._sock, self._writable)
        elif not unsent and self._unsent is not None:
            self._loop.remove_writer(self._sock)
        self._unsent = unsent or None

    def _writable(self) -> None:
        if self._unsent is not None:
            self._push(self._unsent)

    def _readable(self) -> None:
        assert self._sock is not None
        try:
            data, control, _, _ = self._sock.recvmsg(READ_BYTES, _CONTROL_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lost(reason(error))
            return
        wall_ns, now_ns = time.time_ns(), time.monotonic_ns()
        reader = self._reader
        if not data or reader is None:
            self._lost(_CLOSED)
            return
        arrived_ns = self._stamp(control, wall_ns, now_ns)
        reader.feed(data, arrived_ns)
        if reader.finished:
            self._finish(reader, reusable=self._unsent is None)

    def _stamp(self, control: list[tuple[int, int, bytes]], wall_ns: int, now_ns: int) -> int:
        if not control:
            self.unstamped += 1
            self._last_ns = now_ns
            return now_ns
        stamp: tuple[int, int] = _TIMESPEC.unpack_from(control[0][2])
        arrived_ns = now_ns - (wall_ns - (stamp[0] * 1_000_000_000 + stamp[1]))
        # A wall clock that was set between arrival and read shows as an arrival before the last one, or to come.
        if arrived_ns < self._last_ns:
            arrived_ns = self._last_ns
        if arrived_ns > now_ns:
            arrived_ns = now_ns
        self._last_ns = arrived_ns
        self.lags_ns.append(now_ns - arrived_ns)
        return arrived_ns


class UserConnection(Connection):
    """An asyncio transport, TLS or not, whose reads are stamped when the loop gets to them."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._transport: asyncio.Transport | None = None
        self._reads: _Reads | None = None

    async def open(self) -> None:
        """Connect, unless still connected."""
        if self._transport is not None and not self._transport.is_closing():
            return
        self.close()
        target = self._target
        self._transport, self._reads = await asyncio.get_running_loop().create_connection(
            lambda: _Reads(self),
            target.host,
            target.port,
            ssl=_tls_context() if target.tls else None,
            server_hostname=(target.server_name or target.host) if target.tls else None,
        )
        self._used = False

    def send(self, request: bytes, reader: ResponseReader, ended: Ended) -> None:
        """Stamp the reader and start sending."""
        self.stale = False
        self._reader, self._ended = reader, ended
        reader.sent_ns = time.monotonic_ns()
        if self._transport is None:
            self._lost(_CLOSED)
        else:
            self._transport.write(request)

    def close(self) -> None:
        """Drop the connection; the reader of a request in flight is not told."""
        self._reader = self._ended = None
        if self._reads is not None:
            self._reads.owner = None
        if self._transport is not None:
            self._transport.abort()
        self._transport = self._reads = None

    def take(self, data: bytes, arrived_ns: int) -> None:
        """Take one read."""
        reader = self._reader
        if reader is None:
            self.close()
            return
        self.unstamped += 1
        reader.feed(data, arrived_ns)
        if reader.finished:
            self._finish(reader)

    def lost(self, error: Exception | None) -> None:
        """Take the end of the connection."""
        self._lost(reason(error) if isinstance(error, OSError) else _CLOSED)


class _Reads(asyncio.BufferedProtocol):
    """One transport's reads; `owner` is None once the connection has let go of it."""

    def __init__(self, owner: UserConnection) -> None:
        self.owner: UserConnection | None = owner
        self._buffer = memoryview(bytearray(READ_BYTES))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        arrived_ns = time.monotonic_ns()
        if self.owner is not None:
            self.owner.take(bytes(self._buffer[:nbytes]), arrived_ns)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.owner is not None:
            self.owner.lost(exc)


def reason(error: OSError) -> str:
    """Return what went wrong with a connection, in the system's own words."""
    if error.errno and not isinstance(error, (ssl.SSLError, socket.gaierror)):
        return os.strerror(error.errno)  # asyncio's own text repeats the address.
    return error.strerror or str(error) or type(error).__name__


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _connected_socket(loop: asyncio.AbstractEventLoop, target: Target) -> socket.socket:
    found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    failure = OSError(f"{target.host} has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        with contextlib.ExitStack() as undo:
            undo.callback(sock.close)
            sock.setblocking(False)
            try:
                await loop.sock_connect(sock, address)
            except OSError as error:
                failure = error
                continue
            undo.pop_all()
            return sock
    raise failure
