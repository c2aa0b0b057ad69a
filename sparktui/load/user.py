"""Connections whose reads the worker stamps itself: TLS, and every platform without kernel stamps."""

from __future__ import annotations

import asyncio
import functools
import ssl
import time

from sparktui.load.connection import CLOSED, READ_BYTES, Connection, Ended, reason
from sparktui.load.messages import Target
from sparktui.load.response import ResponseReader


class UserConnection(Connection):
    """An asyncio transport, TLS or not, whose reads are stamped when the loop gets to them."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        self._transport: asyncio.Transport | None = None
        self._reads: _Reads | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is connected, as far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    async def open(self) -> None:
        """Connect, unless still connected."""
        if self.is_open:
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
            self._lost(CLOSED)
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
        self._doubt(arrived_ns - self._pulse.ticked_ns, reader, arrived_ns)
        reader.feed(data, arrived_ns)
        if reader.finished:
            self._finish(reader)

    def lost(self, error: Exception | None) -> None:
        """Take the end of the connection."""
        self._lost(reason(error) if isinstance(error, OSError) else CLOSED)


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


@functools.cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context()
