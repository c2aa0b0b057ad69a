"""One request passed on to a backend over a connection of its own, its answer read as it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httptools

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 1800.0
READ_BYTES = 65_536


class UpstreamError(Exception):
    """The backend could not be reached, or broke off."""


class Upstream:
    """A backend's answer, from its headers on; `close` it, read to its end or not.

    A raw connection and not an HTTP client: a stream costs one read and one write a chunk, and 64 requests that start
    together do not wait for each other in a pool.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.status = 0
        self.content_type = "application/octet-stream"
        self._reader, self._writer = reader, writer
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self._complete = False
        self._deadline = asyncio.get_running_loop().call_later(ANSWER_TIMEOUT_S, writer.transport.abort)

    async def body(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives; raise UpstreamError where it ends too early."""
        while True:
            if self._pieces:
                data = b"".join(self._pieces)
                self._pieces.clear()
                yield data
            if self._complete:
                return
            await self._feed()

    async def head(self) -> None:
        """Read the status and the headers."""
        while not self.status:
            await self._feed()

    def close(self) -> None:
        """Drop the connection, which also tells the backend to stop."""
        self._deadline.cancel()
        self._writer.close()

    async def _feed(self) -> None:
        try:
            data = await self._reader.read(READ_BYTES)
            if not data:
                raise UpstreamError("the backend closed the connection before its answer was complete")
            self._parser.feed_data(data)
        except (OSError, httptools.HttpParserError) as error:
            raise UpstreamError(f"the backend's answer broke off: {error}") from error

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep what is passed on: a callback of the parser, as are the next three."""
        if name.lower() == b"content-type":
            self.content_type = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Note that the head is whole."""
        self.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body."""
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        """Note that the body is whole."""
        self._complete = True


async def post(backend: str, path: str, body: bytes) -> Upstream:
    """Send a JSON request and return the answer once its headers are in; raise UpstreamError."""
    url = urlsplit(backend)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
    except (OSError, TimeoutError) as error:
        raise UpstreamError(f"cannot connect to {backend}: {error}") from error
    upstream = Upstream(reader, writer)
    try:
        writer.write(_request(path, url.netloc, body))
        await upstream.head()
    except BaseException:
        upstream.close()
        raise
    return upstream


def _request(path: str, host: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
