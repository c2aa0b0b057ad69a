"""Reads one streamed HTTP/1.1 response from bytes and arrival times; opens no socket and never raises.

On the timed path a read costs one parser call and one list append. Events are cut and decoded later, by
`decode_pending`, between bursts of tokens.
"""

from __future__ import annotations

import httptools

from sparktui.load.completion import Completion, in_a_line, message_in
from sparktui.load.messages import ANYTHING, Expected
from sparktui.load.sse import MAX_EVENT_BYTES, EventTooLargeError, SseSplitter
from sparktui.measure.record import RequestRecord, pack_event_tokens, pack_events

MAX_HEAD_BYTES = 64 * 1024
MAX_ERROR_BODY_BYTES = 64 * 1024
_DECODE_AT_BYTES = 1024 * 1024
WRONG_MODEL = "wrong model:"
"""What the failure of an answer begins with that another model has given than the one asked for."""

_KEPT_HEADERS = frozenset(
    {
        b"content-type",
        b"content-encoding",
        b"content-length",
        b"transfer-encoding",
        b"location",
        b"x-litellm-model-id",
        b"x-litellm-model-api-base",
    }
)


class ResponseReader:
    """One response: fed with reads, asked for a record when `finished`."""

    __slots__ = (
        "_arrived_ns",
        "_body",
        "_body_ended",
        "_cut",
        "_error",
        "_given_up",
        "_head_bytes",
        "_headers",
        "_in_head",
        "_model",
        "_parser",
        "_pending",
        "_pending_bytes",
        "_splitter",
        "_status",
        "_streaming",
        "completion",
        "ended_ns",
        "finished",
        "keep_alive",
        "sent_ns",
    )

    def __init__(self, expected: Expected = ANYTHING) -> None:
        """Begin; `expected` is what the answer is to be like."""
        self._model = expected.model
        self.sent_ns = 0
        """Set right before the request's first byte is sent."""
        self.ended_ns = 0
        self.finished = False
        self.keep_alive = False
        self.completion = Completion(expected.tokens)
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._splitter = SseSplitter()
        self._pending: list[tuple[int, bytes]] = []
        self._pending_bytes = 0
        self._arrived_ns = 0
        self._in_head = True
        self._head_bytes = 0
        self._headers: dict[bytes, str] = {}
        self._status = 0
        self._streaming = False
        self._body = bytearray()
        self._body_ended = False
        self._cut: str | None = None
        self._given_up = False
        self._error: str | None = None

    @property
    def began(self) -> bool:
        """Whether any byte of the response has arrived."""
        return self._arrived_ns > 0

    @property
    def has_head(self) -> bool:
        """Whether the final status line and headers have arrived."""
        return not self._in_head

    def feed(self, data: bytes, arrived_ns: int) -> None:
        """Take one read and its arrival on the monotonic clock."""
        if self._parser is None:
            self.keep_alive = False
            return
        self._arrived_ns = arrived_ns
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.keep_alive = False
            self._end_badly(f"bad response: not HTTP/1.1 as expected ({error})")
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES:
            self._end_badly(f"bad response: a header block over {MAX_HEAD_BYTES} bytes")
        if self._pending_bytes > _DECODE_AT_BYTES:
            self.decode_pending()
        if self.finished:
            self._parser = None

    def eof(self, arrived_ns: int, why: str = "the server closed the connection") -> None:
        """Take the end of the connection, clean or not."""
        if self.finished:
            return
        self._arrived_ns = arrived_ns
        if self._in_head:
            self._cut = f"closed early: {why} before it answered"
        elif not self._is_framed() and self._status:
            self._body_ended = True
        else:
            self._cut = f"closed early: {why} in the middle of the answer"
        self._end()

    def fail(self, error: str, at_ns: int) -> None:
        """End the request from our side: it has failed, also where only the end of the answer did not come.

        Nobody can say when that one would have ended, and its wave is as long as our own patience.
        """
        if self.finished:
            return
        self._arrived_ns = at_ns
        self._cut, self._given_up = error, True
        self._end()

    def decode_pending(self) -> None:
        """Decode what has arrived since the last call; a stream that went bad ends here."""
        pending, self._pending, self._pending_bytes = self._pending, [], 0
        sent_ns, feed, add = self.sent_ns, self._splitter.feed, self.completion.add
        try:
            for arrived_ns, body in pending:
                for name, data in feed(body):
                    add((arrived_ns - sent_ns) // 1000, name, data)
        except EventTooLargeError:
            self.completion.failure = f"bad response: an event over {MAX_EVENT_BYTES} bytes"
        if self.completion.failure is not None and not self.finished:
            self.keep_alive = False
            self._end()

    def settle(self) -> str | None:
        """Decode what is left and return why the finished request failed; None for a good one."""
        self.decode_pending()
        if self._error is not None:
            return self._error
        if self._status and not self._streaming:
            return self._refusal()
        if self._body_ended:
            self._flush()
        seen = self.completion
        if seen.failure is not None:
            return seen.failure
        if seen.ended and not self._given_up:
            return self._misnamed() or seen.broken_off
        return self._cut or "closed early: the stream ended without a finish reason or [DONE]"

    def record(self, slot: int, wave_start_ns: int) -> RequestRecord:
        """Return what is kept of the finished request."""
        error = self.settle()
        seen = self.completion
        return RequestRecord(
            slot=slot,
            sent_us=max(0, self.sent_ns - wave_start_ns) // 1000,
            ttfr_us=seen.ttfr_us,
            ttft_us=seen.ttft_us,
            last_us=seen.last_us,
            ended_us=self._ended_us(),
            first_tokens=seen.first_tokens,
            prompt_tokens=seen.prompt_tokens,
            cached_tokens=seen.cached_tokens,
            completion_tokens=seen.completion_tokens,
            token_source=seen.token_source,
            finish=seen.finish,
            error=error,
            backend=self._headers.get(b"x-litellm-model-id") or self._headers.get(b"x-litellm-model-api-base"),
            events=pack_events(seen.deltas_us),
            event_tokens=pack_event_tokens(seen.marks),
        )

    def on_message_begin(self) -> None:
        """Notice a second answer that nobody asked for (called by the parser)."""
        if self.finished:
            self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the few headers that matter (called by the parser)."""
        if self._in_head and name.lower() in _KEPT_HEADERS:
            self._headers[name.lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        """Judge the status line and headers (called by the parser)."""
        assert self._parser is not None
        status = self._parser.get_status_code()
        if self.finished or status < 200:
            self._headers.clear()
            return
        self._in_head = False
        self._status = status
        encoding = self._headers.get(b"content-encoding", "identity").lower()
        if status == 200 and encoding != "identity":
            self._end_badly(f"bad response: content-encoding {encoding}, asked for identity")
        content_type = self._headers.get(b"content-type", "text/event-stream")
        self._streaming = status == 200 and content_type.lower().startswith("text/event-stream")

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body with its arrival (called by the parser)."""
        if self._streaming and not self.finished:
            self._pending.append((self._arrived_ns, body))
            self._pending_bytes += len(body)
        elif len(self._body) < MAX_ERROR_BODY_BYTES:
            self._body += body

    def on_message_complete(self) -> None:
        """End with the body (called by the parser)."""
        assert self._parser is not None
        if self._in_head or self.finished:
            return
        self.keep_alive = self._parser.should_keep_alive()
        self._body_ended = True
        self._end()

    def _is_framed(self) -> bool:
        return b"content-length" in self._headers or b"transfer-encoding" in self._headers

    def _end_badly(self, error: str) -> None:
        if not self.finished:
            self._error = error
            self.keep_alive = False
            self._end()

    def _end(self) -> None:
        self.finished = True
        self.ended_ns = self._arrived_ns

    def _flush(self) -> None:
        seen = self.completion
        if seen.failure is not None:
            return
        for name, data in self._splitter.flush():
            seen.add((self.ended_ns - self.sent_ns) // 1000, name, data)
        if seen.failure is not None and seen.failure.startswith("bad response"):
            seen.failure = "closed early: the stream ended in the middle of an event"

    def _misnamed(self) -> str | None:
        said = None if self._model is None else self.completion.answered_by()
        if said is None or self._model is None or _are_the_same(self._model, said):
            return None
        return f"{WRONG_MODEL} {in_a_line(said)} has answered, {self._model} was asked for"

    def _refusal(self) -> str:
        encoded = self._headers.get(b"content-encoding", "identity").lower() != "identity"
        said = "" if encoded else message_in(bytes(self._body))
        if self._status == 200:
            kind = self._headers.get(b"content-type", "")[:100]
            text = f"bad response: content-type {kind}, expected text/event-stream"
        else:
            text = f"http {self._status}"
            if location := self._headers.get(b"location"):
                said = f"redirected to {location[:200]}, which is not followed"
        return f"{text}: {said}" if said else text

    def _ended_us(self) -> int | None:
        if self._body_ended or (self._cut or "").startswith("closed early"):
            return (self.ended_ns - self.sent_ns) // 1000 if self.sent_ns else None
        return self.completion.done_us


def _are_the_same(asked: str, said: str) -> bool:
    """Tell whether two names are one, but for what a proxy puts in front of it: `openai/m` is `m`."""
    return asked == said or said.endswith(f"/{asked}") or asked.endswith(f"/{said}")
