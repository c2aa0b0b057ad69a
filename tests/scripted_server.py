"""A loopback server that does to each connection exactly what a test scripts, down to the byte and the reset."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

SSE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"


@dataclass
class Peer:
    """One accepted connection, from the server's side."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    """Counts connections from 0."""

    async def request(self) -> tuple[bytes, bytes] | None:
        """Return the next request's head and body; None when the client has gone."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
            return head, await self.reader.readexactly(int(length.partition(b":")[2]))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def answer(self, *bodies: bytes) -> None:
        """Send a whole event stream, each body in an HTTP chunk of its own."""
        await self.send(SSE_HEAD + b"".join(map(chunked, bodies)) + LAST_CHUNK)

    async def gone(self) -> None:
        """Wait until the client closes."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass

    def reset(self) -> None:
        """Drop the connection with a TCP reset."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class ScriptedServer:
    """A running server."""

    port: int
    peers: list[Peer]
    tls: bool = False

    @property
    def url(self) -> str:
        """Its base address."""
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"


@contextlib.asynccontextmanager
async def scripted_server(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedServer]:
    """Run `script` once per connection, which is closed when it returns."""
    running = ScriptedServer(0, [], tls is not None)
    scripts: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = Peer(reader, writer, len(running.peers))
        running.peers.append(peer)
        task = asyncio.current_task()
        assert task is not None
        scripts.add(task)
        try:
            await script(peer)
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for peer in running.peers:
            peer.writer.transport.abort()
        if scripts:
            await asyncio.wait(scripts, timeout=10)
        await server.wait_closed()


def answering(*bodies: bytes) -> Script:
    """Return a script that answers every request of a connection with the same stream."""

    async def script(peer: Peer) -> None:
        while await peer.request() is not None:
            await peer.answer(*bodies)

    return script


def chunked(body: bytes) -> bytes:
    """Return one HTTP chunk."""
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


def event(value: object) -> bytes:
    """Return a value as one SSE event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def delta(
    content: str | None = None, *, finish: str | None = None, ids: list[int] | None = None, **more: object
) -> bytes:
    """Return a chat completion chunk as one SSE event."""
    choice: dict[str, object] = {"index": 0, "delta": {"content": content, **more}, "finish_reason": finish}
    if content is None:
        choice["delta"] = more
    if ids is not None:
        choice["token_ids"] = ids
    return event({"id": "x", "object": "chat.completion.chunk", "choices": [choice]})


def usage(prompt: int, completion: int, cached: int | None = None) -> bytes:
    """Return vLLM's last chunk: no choices, and the counts."""
    said: dict[str, object] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if cached is not None:
        said["prompt_tokens_details"] = {"cached_tokens": cached}
    return event({"choices": [], "usage": said})


ROLE = delta("", role="assistant")


def stream(tokens: int = 4) -> tuple[bytes, ...]:
    """Return a well-behaved answer of one token an event."""
    words = tuple(delta(f" w{i}", ids=[i], finish="length" if i == tokens - 1 else None) for i in range(tokens))
    return (ROLE, *words, usage(10, tokens), DONE)
