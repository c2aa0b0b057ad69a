"""Servers that misbehave, each in one way, byte by byte on a real socket."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping

from tests.scripted_server import DONE, LAST_CHUNK, ROLE, SSE_HEAD, Peer, Script, chunked, delta, event, stream

HTML = b"<!doctype html><title>Bad gateway</title><h1>502</h1>" + b"<p>nginx</p>" * 2000
HUGE_BYTES = 100 * 2**20
SOON_S = 0.02


def saying(*pieces: bytes, then_s: float = 0.0) -> Script:
    """Answer with these bytes, and hang up, or after some time."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces:
            await peer.send(piece)
        await asyncio.sleep(then_s)

    return script


def hanging(*pieces: bytes) -> Script:
    """Answer with these bytes, and then with nothing more, for as long as the client waits."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces:
            await peer.send(piece)
        await peer.gone()

    return script


def dripping(data: bytes, head: bytes = b"") -> Script:
    """Answer a byte at a time."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        for byte in data:
            if peer.writer.is_closing():
                return
            await peer.send(bytes([byte]))
            await asyncio.sleep(SOON_S)

    return script


def endless(piece: bytes, head: bytes = SSE_HEAD) -> Script:
    """Answer with the same again and again, as fast as it goes."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(head)
        while not peer.writer.is_closing():
            await peer.send(piece)
            await asyncio.sleep(0)

    return script


def resetting(*pieces: bytes) -> Script:
    """Answer with these bytes, and drop the connection with a reset."""

    async def script(peer: Peer) -> None:
        await peer.request()
        for piece in pieces:
            await peer.send(piece)
        await asyncio.sleep(SOON_S)
        peer.reset()

    return script


async def reset_at_once(peer: Peer) -> None:
    """Drop every connection with a reset, unread."""
    peer.reset()


async def unread(peer: Peer) -> None:
    """Take the connection and read nothing of it: the half of it that the other side cannot see is gone."""
    while not peer.writer.is_closing():  # noqa: ASYNC110 - a transport that was aborted tells nobody
        await asyncio.sleep(SOON_S)


async def huge_event(peer: Peer) -> None:
    """Send one event of 100 MB."""
    await peer.request()
    await peer.send(SSE_HEAD + chunked(b'data: {"choices": [{"delta": {"content": "'))
    piece = chunked(b"x" * 2**20)
    for _ in range(HUGE_BYTES // 2**20):
        if peer.writer.is_closing():
            return
        await peer.send(piece)
        await asyncio.sleep(0)


def answer(status: str, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """Return a whole answer of a length that it states."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def streamed(*bodies: bytes) -> bytes:
    """Return a whole event stream."""
    return SSE_HEAD + b"".join(map(chunked, bodies)) + LAST_CHUNK


JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
ERROR = b'{"error": {"message": "the engine is overloaded"}}'
TOKEN = chunked(delta(" w"))

CUT = chunked(ROLE) + chunked(delta(" w")[:20])
NOT_TEXT = b'data: {"choices": [{"delta": {"content": "\xff\xfe"}}]}\n\n'
IMPOSSIBLE = event({"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": 2**70}})
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
REFUSING_HEAD = b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = "text/event-stream"
TOO_SHORT = answer("200 OK", b"".join(stream()[:3]), kind=EVENTS).replace(b"Content-Length: ", b"Content-Length: 9")
ZIPPED = answer("200 OK", gzip.compress(b"".join(stream())), "Content-Encoding: gzip", kind=EVENTS)

STREAMS: Mapping[str, tuple[Script, str]] = {
    "a reset before anything is read": (reset_at_once, "closed early|connect"),
    "a reset before an answer": (resetting(), "closed early"),
    "a reset after the head": (resetting(SSE_HEAD), "closed early"),
    "a reset in the middle of a token": (resetting(SSE_HEAD, CUT), "closed early"),
    "half open": (unread, "timeout"),
    "silence after the head": (hanging(SSE_HEAD), "timeout"),
    "silence in the middle of a token": (hanging(SSE_HEAD, CUT), "timeout"),
    "an end in the middle of a token": (saying(SSE_HEAD, CUT), "closed early"),
    "an end without a finish reason": (saying(streamed(ROLE, delta(" w"))), "closed early"),
    "429 with Retry-After": (saying(answer("429 Too Many Requests", ERROR, "Retry-After: 3600")), "http 429"),
    "429 without": (saying(answer("429 Too Many Requests", ERROR)), "http 429"),
    "500": (saying(answer("500 Internal Server Error", ERROR)), "http 500"),
    "500 with Retry-After": (saying(answer("500 Internal Server Error", ERROR, "Retry-After: soon")), "http 500"),
    "503": (saying(answer("503 Service Unavailable", ERROR)), "http 503"),
    "503 with Retry-After": (saying(answer("503 Service Unavailable", b"", "Retry-After: 1")), "http 503"),
    "503 without end": (endless(chunked(b"x" * 65536), REFUSING_HEAD), "http 503"),
    "an HTML error page": (saying(answer("502 Bad Gateway", HTML, kind="text/html")), "http 502"),
    "an HTML page as success": (saying(answer("200 OK", HTML, kind="text/html")), "bad response"),
    "a redirect": (saying(answer("302 Found", b"", "Location: http://169.254.169.254/")), "http 302"),
    "a redirect to itself": (saying(answer("307 Moved", b"", "Location: /v1/chat/completions")), "http 307"),
    "a head without end": (endless(b"X-More: " + b"x" * 1000 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), "bad response"),
    "a head a byte a moment": (dripping(SSE_HEAD * 9), "timeout|bad response"),
    "a body a byte a moment": (dripping(b"".join(map(chunked, stream(40))), SSE_HEAD), "timeout"),
    "a stream without end": (endless(TOKEN), "timeout"),
    "comments without end": (endless(chunked(b": still here\n\n")), "timeout"),
    "an event of 100 MB": (huge_event, "bad response"),
    "a wrong content type": (saying(answer("200 OK", b"".join(stream()), kind="text/plain")), "bad response"),
    "whole JSON instead of a stream": (saying(answer("200 OK", b'{"choices": []}')), "bad response"),
    "gzip though asked not to": (saying(ZIPPED), "bad response"),
    "invalid UTF-8 in an event": (saying(streamed(ROLE, NOT_TEXT)), "bad response"),
    "an event that is no JSON": (saying(streamed(ROLE, b"data: hello\n\n")), "bad response"),
    "an event of another shape": (saying(streamed(ROLE, b'data: {"choices": 5}\n\n')), "bad response"),
    "JSON without a bottom": (saying(streamed(ROLE, b"data: " + b"[" * 100_000 + b"\n\n")), "bad response"),
    "an error event": (saying(streamed(ROLE, event({"error": {"message": "CUDA out of memory"}}))), "error event"),
    "NULs": (saying(b"\0" * 5000), "bad response"),
    "another protocol": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "bad response"),
    "an alert of TLS": (saying(b"\x15\x03\x01\x00\x02\x02\x46"), "bad response"),
    "nothing at all": (saying(), "closed early"),
    "a chunk of no size": (saying(SSE_HEAD + b"zz\r\nhello\r\n"), "bad response"),
    "a chunk larger than any": (saying(SSE_HEAD + b"f" * 20 + b"\r\nhello\r\n"), "bad response"),
    "interim answers without end": (endless(b"HTTP/1.1 103 Early Hints\r\n\r\n", b""), "timeout|bad response"),
    "a switch of protocols": (saying(SWITCH), "bad response|closed early"),
    "less than its length": (saying(TOO_SHORT), "closed early"),
    "a count that cannot be": (saying(streamed(ROLE, delta(" w", finish="length"), IMPOSSIBLE, DONE)), "bad response"),
}
"""Of a streamed completion: what is done, and the kinds of failure that may come of it."""

ANSWERS: Mapping[str, Callable[[], Script]] = {
    "a reset before anything is read": lambda: reset_at_once,
    "half open": lambda: unread,
    "silence after the head": lambda: hanging(JSON_HEAD),
    "a head a byte a moment": lambda: dripping(JSON_HEAD * 9),
    "a body a byte a moment": lambda: dripping(chunked(b" ") * 999, JSON_HEAD),
    "an answer without end": lambda: endless(chunked(b" " * 65536), JSON_HEAD),
    "a bomb of gzip": lambda: saying(answer("200 OK", gzip.compress(b" " * HUGE_BYTES), "Content-Encoding: gzip")),
    "a redirect": lambda: saying(answer("302 Found", b"", "Location: http://169.254.169.254/")),
    "401": lambda: saying(answer("401 Unauthorized", ERROR)),
    "429": lambda: saying(answer("429 Too Many Requests", ERROR, "Retry-After: 3600")),
    "500 as HTML": lambda: saying(answer("500 Internal Server Error", HTML, kind="text/html")),
    "HTML as success": lambda: saying(answer("200 OK", HTML, kind="text/html")),
    "JSON without a bottom": lambda: saying(answer("200 OK", b"[" * 100_000)),
    "another shape": lambda: saying(answer("200 OK", b'{"data": {"id": 5}, "count": "x", "usage": 7, "version": {}}')),
    "odd values": lambda: saying(answer("200 OK", b'{"data": [{"id": null, "max_model_len": 1e400}], "count": -1}')),
    "invalid UTF-8": lambda: saying(answer("200 OK", b'{"data": [{"id": "\xff\xfe"}]}')),
    "escape sequences": lambda: saying(answer("400 Bad Request", b'{"error": "\\u001b]0;owned\\u0007"}')),
    "another protocol": lambda: saying(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "nothing at all": lambda: saying(),
}
"""Of a question with a whole answer."""
