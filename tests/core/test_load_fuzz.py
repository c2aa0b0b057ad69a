"""Made-up streams, whole and broken, cut anywhere: what is recorded is what was sent, or a named error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.load.response import ResponseReader
from sparktui.measure.record import NO_TEXT, REASONING, TOKEN_MASK, TOOL_CALL, RequestRecord, event_token_values
from tests.scripted_server import DONE, LAST_CHUNK, chunked, event

Framing = Literal["a chunk an event", "chunks anywhere", "content-length", "until closed"]
Spacing = Literal["tight", "spaced", "over lines"]
KINDS = ("bad response", "error event", "closed early", "http")


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole response, and what a reader has to make of it."""

    raw: bytes
    marks: tuple[int, ...]
    completion_tokens: int | None
    closes: bool
    """The end of the connection ends the body."""


def _event(value: object, spacing: Spacing) -> bytes:
    if spacing == "over lines":
        return b"".join(b"data: %s\n" % line for line in json.dumps(value, indent=0).encode().split(b"\n")) + b"\n"
    return event(value) if spacing == "spaced" else b"data:" + msgspec.json.encode(value) + b"\n\n"


@st.composite
def token_events(draw: st.DrawFn) -> tuple[dict[str, object], int]:
    """Draw a delta with token ids, and its mark."""
    text = draw(st.sampled_from(["", " w", "é", "😀", "data: [DONE]\n\n", "\r\n0\r\n\r\n"]))
    tokens = draw(st.integers(0 if text else 1, 5))
    kind = draw(st.sampled_from(["content", "reasoning", "reasoning_content", "tool_calls"]))
    delta: dict[str, object] = {"content": text} if kind == "content" or not text else {kind: text}
    flags = 0 if text else NO_TEXT
    if text and kind.startswith("reasoning"):
        flags = REASONING
    if text and kind == "tool_calls":
        delta, flags = {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}, TOOL_CALL
    return {"index": 0, "delta": delta, "token_ids": list(range(tokens)), "finish_reason": None}, flags | tokens


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[bytes], tuple[int, ...], int | None]:
    """Draw the events of a good answer, their marks, and the total that the server tells, if it does."""
    spacing: Spacing = draw(st.sampled_from(["tight", "spaced", "over lines"]))
    drawn = draw(st.lists(token_events(), max_size=8))
    events = [_event({"choices": [{"delta": {"role": "assistant", "content": ""}}]}, spacing)]
    for choice, _ in drawn:
        if draw(st.booleans()):
            events.append(draw(st.sampled_from([b": ping\n\n", b"\n", b"event: message\ndata: {}\n\n", b"id: 7\n\n"])))
        events.append(_event({"id": "x", "choices": [choice]}, spacing))
    total = sum(mark & TOKEN_MASK for _, mark in drawn)
    finish = {"choices": [{"delta": {}, "finish_reason": "length"}]}
    events.append(_event(finish, spacing))
    usage = draw(st.sampled_from([None, [], [{"index": 0, "delta": {}}]]))
    if usage is not None:
        counts = {"prompt_tokens": 9, "completion_tokens": total}
        events.append(_event({"choices": usage, "usage": counts}, spacing))
    if draw(st.booleans()):
        events.append(DONE)
    return events, tuple(mark for _, mark in drawn), None if usage is None else total


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Draw a whole response of any shape that a server may give it."""
    events, marks, total = draw(bodies())
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    pieces = [piece.replace(b"\n", end) for piece in events]
    framing: Framing = draw(st.sampled_from(["a chunk an event", "chunks anywhere", "content-length", "until closed"]))
    body = b"".join(pieces)
    if framing == "chunks anywhere":
        pieces = cut(body, draw(cuts))
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nLink: </>\r\n\r\n"]))
    if framing == "content-length":
        raw = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    elif framing == "until closed":
        raw = head + b"\r\n" + body
    else:
        raw = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunked(p) for p in pieces if p) + LAST_CHUNK
    return Answer(interim + raw, marks, total, framing == "until closed")


cuts = st.lists(st.integers(0, 3000), max_size=12)


def cut(raw: bytes, at: Sequence[int]) -> list[bytes]:
    """Cut bytes at some places, those behind the end left out; every other place moves to the next end of a line."""
    places = (raw.find(b"\r" if place % 4 == 1 else b"\n", place) + 1 if place % 2 else place for place in at)
    points = sorted({0, len(raw), *(place for place in places if place < len(raw))})
    return [raw[a:b] for a, b in pairwise(points)]


def read(pieces: Sequence[bytes], *, look_at: Sequence[int] = (), closes: bool = True) -> RequestRecord:
    """Feed pieces that all arrive at once; decode in between after those in `look_at`, as pictures do."""
    reader = ResponseReader()
    reader.sent_ns = 1_000_000
    for number, piece in enumerate(pieces):
        if reader.finished:
            break
        reader.feed(piece, 3_000_000)
        if number in look_at:
            reader.decode_pending()
    if closes:
        reader.eof(3_000_000)
    assert reader.finished
    return reader.record(0, 0)


@settings(max_examples=200)
@given(answers(), cuts, st.lists(st.integers(0, 12), max_size=4))
def test_every_token_is_counted_once_wherever_reads_are_cut(answer: Answer, at: list[int], look_at: list[int]) -> None:
    record = read(cut(answer.raw, at), look_at=look_at, closes=answer.closes)
    assert record.error is None
    assert tuple(event_token_values(record)) == answer.marks
    assert record.completion_tokens == answer.completion_tokens
    assert record.finish == "length"


@settings(max_examples=150)
@given(answers(), cuts, st.lists(st.integers(0, 12), max_size=4))
def test_the_record_is_the_same_wherever_reads_are_cut(answer: Answer, at: list[int], look_at: list[int]) -> None:
    assert read(cut(answer.raw, at), look_at=look_at) == read([answer.raw])


@dataclass(frozen=True, slots=True)
class Mutation:
    """Some bytes at a place of a stream replaced by others."""

    at: int
    skip: int
    by: bytes


noise = st.one_of(
    st.binary(max_size=12),
    st.sampled_from(
        [b"\r\n", b"\n\n", b"0\r\n\r\n", b"data: ", b"data: [DONE]\n\n", b'"error":', b"HTTP/1.1 200 OK\r\n"]
    ),
)
mutations = st.lists(
    st.builds(Mutation, at=st.integers(0, 1500), skip=st.integers(0, 60), by=noise), min_size=1, max_size=4
)


def mutate(raw: bytes, changes: Sequence[Mutation]) -> bytes:
    for change in changes:
        at = change.at % (len(raw) + 1)
        raw = raw[:at] + change.by + raw[at + change.skip :]
    return raw


@settings(max_examples=250)
@given(answers(), mutations, cuts)
def test_a_broken_stream_ends_with_a_named_error_and_no_token_too_many(
    answer: Answer, changes: list[Mutation], at: list[int]
) -> None:
    raw = mutate(answer.raw, changes)
    record = read(cut(raw, at))
    assert record.error is None or record.error.startswith(KINDS), record.error
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=RequestRecord) == record
    # No more events than the bytes that are left hold.
    assert len(event_token_values(record)) <= raw.count(b"data")


@settings(max_examples=150)
@given(answers(), mutations, cuts)
def test_a_broken_stream_counts_the_same_wherever_reads_are_cut(
    answer: Answer, changes: list[Mutation], at: list[int]
) -> None:
    raw = mutate(answer.raw, changes)
    whole, in_pieces = read([raw]), read(cut(raw, at))
    assert in_pieces.event_tokens == whole.event_tokens
    assert (in_pieces.completion_tokens, in_pieces.finish) == (whole.completion_tokens, whole.finish)


@settings(max_examples=150)
@given(answers(), st.integers(0, 3000))
def test_a_stream_that_is_cut_short_keeps_what_had_arrived_and_says_so(answer: Answer, end: int) -> None:
    record = read([answer.raw[:end]])
    marks = tuple(event_token_values(record))
    assert marks == answer.marks[: len(marks)]
    if record.error is not None:
        assert record.error.startswith("closed early: ")
    else:
        assert marks == answer.marks
