"""Connections whose every read carries the kernel's receive stamp: Linux, plain http.

A read that the worker gets to late is then not an arrival that was late; how late it was is the worker's self-check.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
import time

from sparktui.load.connection import CLOSED, READ_BYTES, Connection, Ended, reason
from sparktui.load.messages import Target
from sparktui.load.poll import ReadPoll
from sparktui.load.pulse import AWAY_NS
from sparktui.load.response import ResponseReader

_SO_TIMESTAMPNS = 35  # asm-generic/socket.h: x86-64 and aarch64; Python has no name for it
_timespec = struct.Struct("qq").unpack_from
_CONTROL_BYTES = 64
_STAMP_TRIES = 500
_EVENT = b"data:"


def may_stamp() -> bool:
    """Tell whether this platform's kernel can be asked to stamp what arrives."""
    return sys.platform == "linux" and sys.maxsize > 2**32


def hold_kernel_stamps() -> socket.socket | None:
    """Return a socket that keeps the kernel stamping for as long as it is open; None where the kernel does not stamp.

    The kernel begins to stamp some milliseconds after the first socket has asked, and stops after the last is closed.
    """
    if not may_stamp():
        return None
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as writer:
        reader, _ = listener.accept()
        reader.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        for _ in range(_STAMP_TRIES):
            writer.send(b"?")
            if reader.recvmsg(1, _CONTROL_BYTES)[1]:
                return reader
            time.sleep(0.001)
    reader.close()
    return None


class KernelConnection(Connection):
    """A plain socket, each read with the kernel's receive stamp."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._loop = asyncio.get_running_loop()
        self._sock: socket.socket | None = None
        self._unsent: memoryview | None = None
        self._last_ns = 0

    @property
    def is_open(self) -> bool:
        """Whether it is connected, as far as is known."""
        return self._sock is not None

    async def open(self) -> None:
        """Connect, unless still connected."""
        if self.is_open:
            return
        sock = await _connected_socket(self._loop, self._target)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._sock = sock
        self._used = False
        ReadPoll.of(self._loop).watch(sock.fileno(), self._readable)

    def send(self, request: bytes, reader: ResponseReader, ended: Ended) -> None:
        """Stamp the reader and start sending."""
        self.stale = False
        self._reader, self._ended = reader, ended
        reader.sent_ns = self._last_ns = time.monotonic_ns()
        if self._sock is None:
            self._lost(CLOSED)
        else:
            self._push(request)

    def close(self) -> None:
        """Drop the connection; the reader of a request in flight is not told."""
        self._reader = self._ended = self._unsent = None
        if self._sock is not None:
            ReadPoll.of(self._loop).forget(self._sock.fileno())
            self._loop.remove_writer(self._sock)
            self._sock.close()
            self._sock = None

    def _push(self, unsent: bytes | memoryview) -> None:
        assert self._sock is not None
        try:
            sent = self._sock.send(unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._lost(reason(error))
            return
        if sent < len(unsent):
            self._loop.add_writer(self._sock, self._writable)
            self._unsent = memoryview(unsent)[sent:]
        elif self._unsent is not None:
            self._loop.remove_writer(self._sock)
            self._unsent = None

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
            self._lost(CLOSED)
            return
        if control:
            seconds, nanoseconds = _timespec(control[0][2])
            lag_ns = wall_ns - seconds * 1_000_000_000 - nanoseconds
            # A wall clock that was set between arrival and read shows as an arrival to come, or before the last one.
            if not 0 <= lag_ns <= now_ns - self._last_ns:
                lag_ns = 0 if lag_ns < 0 else now_ns - self._last_ns
            self.lags_ns.append(lag_ns)
        else:
            lag_ns = 0
            self.unstamped += 1
        self._last_ns = arrived_ns = now_ns - lag_ns
        if now_ns - self._pulse.ticked_ns > AWAY_NS and data.count(_EVENT) > 1:
            # With hundreds of streams to be read, it is not away: it is at it.
            seen_ns = max(self._pulse.ticked_ns, ReadPoll.of(self._loop).looked_before_ns)
            self._doubt(now_ns - seen_ns, reader, arrived_ns)
        reader.feed(data, arrived_ns)
        if reader.finished:
            self._finish(reader, reusable=self._unsent is None)


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
