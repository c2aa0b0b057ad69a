"""Cuts the bytes of a `text/event-stream` body into events; knows nothing of what they say."""

from __future__ import annotations

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""An event longer than this is no token; a chunk with a few hundred log probabilities is under 100 KB."""

_LF, _CR = b"\n\r"
_BOM = b"\xef\xbb\xbf"


class EventTooLargeError(Exception):
    """An event went over MAX_EVENT_BYTES without ending."""


class SseSplitter:
    """Finds events in a body that arrives in any pieces, whichever of LF, CRLF and CR ends its lines."""

    __slots__ = ("_after_cr", "_buffer")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._after_cr = False

    def feed(self, body: bytes) -> list[tuple[bytes, bytes]]:
        """Return the `(event name, data)` pairs that this piece completes.

        Raises:
            EventTooLargeError: If an unfinished event has grown too long.
        """
        # What servers send nearly always: one whole event a read, one line, LF.
        end = len(body) - 2
        is_one_line = body[:6] == b"data: " and body.find(b"\n") == end and body[-1] == _LF and _CR not in body
        if is_one_line and not self._buffer:
            self._after_cr = False
            return [(b"", body[6:end])]
        return self._feed_any(body)

    def flush(self) -> list[tuple[bytes, bytes]]:
        """Return the last event of a body that ended without its blank line."""
        block = bytes(self._buffer)
        self._buffer.clear()
        event = _parse_block(block)
        return [] if event is None else [event]

    def _feed_any(self, body: bytes) -> list[tuple[bytes, bytes]]:
        searched = max(0, len(self._buffer) - 1)
        self._buffer += self._as_lf(body)
        events = []
        start = 0
        while (end := self._buffer.find(b"\n\n", max(start, searched))) >= 0:
            event = _parse_block(bytes(self._buffer[start:end]))
            if event is not None:
                events.append(event)
            start = end + 2
        del self._buffer[:start]
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise EventTooLargeError
        return events

    def _as_lf(self, body: bytes) -> bytes:
        if self._after_cr and body.startswith(b"\n"):
            body = body[1:]
            self._after_cr = False
        if body:
            self._after_cr = body.endswith(b"\r")
        if b"\r" not in body:
            return body
        return body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _parse_block(block: bytes) -> tuple[bytes, bytes] | None:
    name, data = b"", []
    for line in block.removeprefix(_BOM).split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return (name, b"\n".join(data)) if data else None
