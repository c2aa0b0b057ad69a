"""What the events of one streamed completion add up to: times, token counts, usage, finish, or the server's error."""

from __future__ import annotations

from array import array
from itertools import takewhile
from typing import Annotated, Any

import msgspec

from sparktui.measure.record import NO_TEXT, REASONING, TOKEN_MASK, TOOL_CALL, TokenSource

MAX_MESSAGE = 300
"""Characters of a server's message that are kept."""

EVENTS_A_TOKEN, FURTHER_EVENTS = 4, 1000
"""An answer may have so many for every token that was asked for, and so many beside. What has more never ends, and
would be kept until the memory is full that the guard is there for."""
MAX_EVENTS = 500_000
"""Of an answer to a request that does not say how many tokens it asks for."""

BROKEN_OFF = frozenset({"abort", "aborted", "canceled", "cancelled", "content_filter", "error", "timeout"})
"""Finish reasons of a completion that neither the model nor its length has ended; vLLM, SGLang and others say so."""

_VISIBLE = 1
_EMPTY = 2
_SHOWN = _VISIBLE | REASONING | TOOL_CALL
_MAX_DELTA_US = 2**31 - 1


_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


class _Details(msgspec.Struct):
    cached_tokens: _Count | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    prompt_tokens_details: _Details | None = None


class _Delta(msgspec.Struct, gc=False):
    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta | None = None
    text: str | None = None
    token_ids: list[int] | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


class _Kind(msgspec.Struct):
    object: Any = None


class _Named(msgspec.Struct):
    model: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_named = msgspec.json.Decoder(_Named).decode
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Completion:
    """Takes decoded-on-demand events in order; `failure` is set by the first that ends the stream badly."""

    __slots__ = (
        "_all_ids",
        "_all_usage",
        "_first",
        "_known",
        "_most",
        "_now_us",
        "_usage_tokens",
        "cached_tokens",
        "completion_tokens",
        "deltas_us",
        "done_us",
        "failure",
        "finish",
        "marks",
        "prompt_tokens",
        "ttfr_us",
    )

    def __init__(self, tokens: int | None = None) -> None:
        """Begin; `tokens` is how many were asked for."""
        self._most = MAX_EVENTS if tokens is None else EVENTS_A_TOKEN * tokens + FURTHER_EVENTS
        self.ttfr_us: int | None = None
        self.deltas_us = array("i")
        self.marks = array("H")
        self.prompt_tokens: int | None = None
        self.cached_tokens: int | None = None
        self.completion_tokens: int | None = None
        self.finish: str | None = None
        self.done_us: int | None = None
        self.failure: str | None = None
        self._now_us = 0
        self._first = b""
        self._known = 0
        self._all_ids = True
        self._all_usage = True
        self._usage_tokens: int | None = None

    @property
    def ttft_us(self) -> int | None:
        """Arrival of the first token event, from the send."""
        return self.deltas_us[0] if self.deltas_us else None

    @property
    def last_us(self) -> int | None:
        """Arrival of the last token event, from the send."""
        return self._now_us if self.deltas_us else None

    @property
    def tokens(self) -> int:
        """The best count so far: the server's, else per event, a token each where nothing is said."""
        if self.completion_tokens is not None:
            return self.completion_tokens
        return self._known

    @property
    def first_tokens(self) -> int | None:
        """Tokens in the first token event and in those that arrived with it.

        None where the server does not say; but where several arrived at once, each is one at least.
        """
        at_once = 1 + sum(1 for _ in takewhile(lambda delta_us: delta_us == 0, self.deltas_us[1:]))
        if self.marks and self.marks[0] & TOKEN_MASK:
            return sum(mark & TOKEN_MASK for mark in self.marks[:at_once])
        return at_once if at_once > 1 else None

    @property
    def token_source(self) -> TokenSource:
        """Where the counts per event come from."""
        if self.marks and self._all_ids:
            return "token_ids"
        if self.marks and self._all_usage:
            return "continuous_usage"
        return "chunks" if self.completion_tokens is None else "usage"

    @property
    def ended(self) -> bool:
        """Whether the server said that the completion is over."""
        return self.done_us is not None or self.finish is not None

    @property
    def broken_off(self) -> str | None:
        """Return how the server says that it broke the completion off; None where it came to an end."""
        if self.finish is None or self.finish.casefold() not in BROKEN_OFF:
            return None
        return f"broken off: the server ended the stream with finish reason {self.finish}"

    def answered_by(self) -> str | None:
        """Return what the first chunk calls the model; None where it does not say. Looked for when all is over."""
        try:
            name = _decode_named(self._first).model
        except _UNREADABLE:
            return None
        return name if isinstance(name, str) and name else None

    def add(self, at_us: int, name: bytes, data: bytes) -> None:
        """Take one event that arrived `at_us` after the send."""
        if self.failure is not None:
            return
        try:
            chunk = _decode(data)
        except _UNREADABLE as error:
            self._add_other(at_us, name, data, str(error))
            return
        choices = chunk.choices
        if name or chunk.error or choices is None:
            self.failure = _error_in(name, chunk, data)
        if choices and self.failure is None:
            self._add_choices(at_us, choices, chunk.usage, data)
        if chunk.usage is not None:
            self._add_usage(chunk.usage)

    def _add_other(self, at_us: int, name: bytes, data: bytes, reason: str) -> None:
        if data == b"[DONE]":
            self.done_us = at_us
        elif name == b"error":
            self.failure = f"error event: {message_in(data)}"
        elif data:
            self.failure = f"bad response: an event is not a completion chunk ({reason}): {message_in(data[:80])}"

    def _add_choices(self, at_us: int, choices: list[_Choice], usage: _Usage | None, data: bytes) -> None:
        if self.ttfr_us is None:
            self.ttfr_us = at_us
            self._first = data
        flags, tokens, finish = _look_at(choices)
        if finish:
            self.finish = finish[:100]
        shown = flags & _SHOWN
        has_ids = tokens is not None
        if tokens is None and usage is not None and self._all_usage:
            tokens = self._growth(usage, shown)
        # Of chunks that show nothing, one with an empty string in the middle of a stream is a token whose text is held
        # back (half a character). Before the first token it is the role chunk, with a finish reason the last one.
        if not shown and not tokens and (tokens is not None or finish or not flags or not self.marks):
            return
        if len(self.deltas_us) >= self._most:
            self.failure = f"bad response: over {self._most} events, and no end"
            return
        if not has_ids:
            self._all_ids = False
        if usage is None or usage.completion_tokens is None:
            self._all_usage = False
        delta_us = at_us - self._now_us
        if not 0 <= delta_us <= _MAX_DELTA_US:
            delta_us = max(0, min(delta_us, _MAX_DELTA_US))
        self._now_us += delta_us
        self.deltas_us.append(delta_us)
        tokens = tokens or 0
        self._known += tokens or 1
        flags = flags & (REASONING | TOOL_CALL) if shown else NO_TEXT
        self.marks.append(flags | (tokens if tokens < TOKEN_MASK else TOKEN_MASK))

    def _growth(self, usage: _Usage, shown: int) -> int | None:
        if usage.completion_tokens is None:
            return None
        if self._usage_tokens is None and not shown:
            return 0  # The first usage of all on a chunk without text: a total, not this event's tokens.
        return max(0, usage.completion_tokens - (self._usage_tokens or 0))

    def _add_usage(self, usage: _Usage) -> None:
        if usage.prompt_tokens is not None:
            self.prompt_tokens = usage.prompt_tokens
        if usage.completion_tokens is not None:
            self.completion_tokens = self._usage_tokens = usage.completion_tokens
        if usage.prompt_tokens_details is not None and usage.prompt_tokens_details.cached_tokens is not None:
            self.cached_tokens = usage.prompt_tokens_details.cached_tokens


def message_in(body: bytes) -> str:
    """Return the one-line message of a server's error, in whichever of the usual shapes it comes."""
    try:
        said = msgspec.json.decode(body)
    except _UNREADABLE:
        said = body.decode("utf-8", "replace")
    for key in ("error", "message", "detail"):
        if isinstance(said, dict) and said.get(key):
            said = said[key]
    return in_a_line(said if isinstance(said, str) else msgspec.json.encode(said).decode("utf-8", "replace"))


def in_a_line(text: str) -> str:
    """Return what a server said as one line of printable characters, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= MAX_MESSAGE else line[: MAX_MESSAGE - 1] + "…"


def _error_in(name: bytes, chunk: _Chunk, data: bytes) -> str | None:
    """Return the server's error, where an event that is no ordinary chunk is one."""
    is_error = name == b"error" or chunk.error
    if not is_error and chunk.choices is None:
        is_error = _decode_kind(data).object == "error"
    return f"error event: {message_in(data)}" if is_error else None


def _look_at(choices: list[_Choice]) -> tuple[int, int | None, str | None]:
    """Return what the choices show, their `token_ids` count (None unless all have it), and the finish reason."""
    flags, tokens, finish = 0, 0, None
    counted = True
    for choice in choices:
        delta = choice.delta
        if delta is None:
            flags |= _VISIBLE if choice.text else 0 if choice.text is None else _EMPTY
        else:
            flags |= _VISIBLE if delta.content else 0 if delta.content is None else _EMPTY
            if delta.reasoning_content or delta.reasoning:
                flags |= REASONING
            if delta.tool_calls:
                flags |= TOOL_CALL
        finish = choice.finish_reason or finish
        if choice.token_ids is None:
            counted = False
        else:
            tokens += len(choice.token_ids)
    return flags, tokens if counted else None, finish
