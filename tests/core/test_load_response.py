from __future__ import annotations

import gzip

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.load.completion import MAX_EVENTS
from sparktui.load.messages import Expected
from sparktui.load.response import ResponseReader
from sparktui.measure.benchy_stream import count_chunks, streams
from sparktui.measure.record import (
    NO_TEXT,
    REASONING,
    TOKEN_MASK,
    TOOL_CALL,
    RequestRecord,
    event_times_us,
    event_token_values,
)
from tests.scripted_server import DONE, LAST_CHUNK, ROLE, SSE_HEAD, chunked, delta, event, stream, usage

US = 1000
START_NS = 5_000_000_000


def read(*pieces: bytes, eof: bool = False, step_us: int = 100) -> RequestRecord:
    """Feed pieces that arrive `step_us` apart, the first `step_us` after the send."""
    reader = ResponseReader()
    reader.sent_ns = START_NS
    for i, piece in enumerate(pieces):
        if not reader.finished:
            reader.feed(piece, START_NS + (i + 1) * step_us * US)
    if eof:
        reader.eof(START_NS + (len(pieces) + 1) * step_us * US)
    assert reader.finished
    return reader.record(0, START_NS - 7 * US)


def sse(*bodies: bytes) -> bytes:
    return SSE_HEAD + b"".join(map(chunked, bodies)) + LAST_CHUNK


def plain(status: str, body: bytes, kind: str = "application/json", *more: str) -> bytes:
    head = "".join(f"{h}\r\n" for h in (f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more))
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


class TestTimes:
    def test_every_time_counts_from_the_send_and_the_send_from_the_wave(self) -> None:
        record = read(SSE_HEAD, *(chunked(b) for b in stream(3)), LAST_CHUNK)
        assert record.error is None
        assert (record.sent_us, record.ttfr_us, record.ttft_us) == (7, 200, 300)
        assert event_times_us(record) == [300, 400, 500]
        assert (record.last_us, record.ended_us) == (500, 800)

    def test_events_of_one_read_share_its_arrival(self) -> None:
        record = read(SSE_HEAD, chunked(delta("a") + delta("b")) + chunked(delta("c", finish="stop")), LAST_CHUNK)
        assert event_times_us(record) == [200, 200, 200]

    def test_an_event_over_two_reads_arrives_with_the_second(self) -> None:
        piece = chunked(delta("a", finish="stop"))
        record = read(SSE_HEAD + piece[:20], piece[20:] + LAST_CHUNK)
        assert record.ttft_us == 200

    def test_the_role_chunk_is_a_response_but_no_token(self) -> None:
        record = read(SSE_HEAD + chunked(ROLE), chunked(delta("a", finish="stop")), LAST_CHUNK)
        assert (record.ttfr_us, record.ttft_us) == (100, 200)

    def test_an_arrival_before_the_one_before_is_never_a_negative_gap(self) -> None:
        reader = ResponseReader()
        reader.sent_ns = START_NS
        reader.feed(SSE_HEAD + chunked(delta("a")), START_NS + 500 * US)
        reader.feed(chunked(delta("b", finish="stop")) + LAST_CHUNK, START_NS + 400 * US)
        assert event_times_us(reader.record(0, START_NS)) == [500, 500]


class TestTokens:
    def test_token_ids_count_per_event(self) -> None:
        first = b"".join(map(chunked, (ROLE, delta("a", ids=[1, 2, 3]))))
        later = b"".join(map(chunked, (delta("b", ids=[4], finish="length"), usage(9, 4), DONE)))
        record = read(SSE_HEAD + first, later + LAST_CHUNK)
        assert record.token_source == "token_ids"
        assert event_token_values(record) == [3, 1]
        assert (record.first_tokens, record.prompt_tokens, record.completion_tokens) == (3, 9, 4)

    def test_what_arrives_in_one_read_with_the_first_event_is_counted_with_it(self) -> None:
        first = b"".join(map(chunked, (ROLE, delta("a", ids=[1, 2]), delta("", ids=[3]), delta("b", ids=[4]))))
        later = b"".join(map(chunked, (delta("c", ids=[5], finish="length"), usage(9, 5), DONE)))
        record = read(SSE_HEAD + first, later + LAST_CHUNK)
        assert (record.first_tokens, record.completion_tokens) == (4, 5)

    def test_tokens_without_text_are_an_event_of_their_own(self) -> None:
        record = read(sse(ROLE, delta("", ids=[7]), delta("b", ids=[8]), delta("", ids=[9], finish="length"), DONE))
        assert event_token_values(record) == [1 | NO_TEXT, 1, 1 | NO_TEXT]
        assert record.token_source == "token_ids"

    def test_growing_usage_counts_per_event(self) -> None:
        def chunk(text: str, tokens: int, finish: str | None = None) -> bytes:
            choice = {"delta": {"content": text}, "finish_reason": finish}
            return event({"choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": tokens}})

        record = read(sse(chunk("", 0), chunk("a", 2), chunk("", 3), chunk("b", 6, "length"), usage(9, 6), DONE))
        assert record.token_source == "continuous_usage"
        assert event_token_values(record) == [2, 1 | NO_TEXT, 3]
        assert record.completion_tokens == 6

    def test_usage_at_the_end_gives_only_the_total(self) -> None:
        record = read(sse(ROLE, delta("a"), delta("b", finish="stop"), usage(9, 5, cached=4), DONE))
        assert record.token_source == "usage"
        assert event_token_values(record) == [0, 0]
        assert (record.first_tokens, record.completion_tokens, record.cached_tokens) == (2, 5, 4), "both in one read"
        apart = read(
            SSE_HEAD + chunked(delta("a")), b"".join(map(chunked, (delta("b"), usage(9, 5), DONE))) + LAST_CHUNK
        )
        assert (apart.first_tokens, apart.completion_tokens) == (None, 5)

    def test_no_usage_is_unknown_and_not_zero(self) -> None:
        record = read(sse(delta("a"), delta("b", finish="stop"), DONE))
        assert (record.token_source, record.completion_tokens, record.prompt_tokens) == ("chunks", None, None)

    def test_a_usage_chunk_with_one_empty_choice_is_no_event(self) -> None:
        last = {"choices": [{"index": 0, "delta": {}}], "usage": {"prompt_tokens": 9, "completion_tokens": 2}}
        record = read(sse(ROLE, delta("a"), delta("b", finish="stop"), event(last), DONE))
        assert len(event_times_us(record)) == 2
        assert (record.token_source, record.completion_tokens) == ("usage", 2)

    def test_usage_on_the_finish_chunk_is_the_total_and_not_that_events_tokens(self) -> None:
        finish = {
            "choices": [{"delta": {}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 64},
        }
        record = read(sse(ROLE, delta("a"), delta("b"), event(finish)))
        assert record.error is None
        assert event_token_values(record) == [0, 0]
        assert (record.token_source, record.completion_tokens, record.finish) == ("usage", 64, "length")

    def test_usage_on_the_only_chunk_without_text_is_no_token_event(self) -> None:
        finish = {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"completion_tokens": 3}}
        record = read(sse(ROLE, event(finish), DONE))
        assert (record.ttft_us, record.completion_tokens, record.error) == (None, 3, None)

    @pytest.mark.parametrize("reason", ["abort", "error", "content_filter", "Cancelled"])
    def test_a_completion_that_the_server_broke_off_has_failed_and_keeps_its_times(self, reason: str) -> None:
        record = read(sse(ROLE, delta("a"), delta("b", finish=reason), usage(9, 2), DONE))
        assert record.error == f"broken off: the server ended the stream with finish reason {reason}"
        assert len(event_times_us(record)) == 2
        assert len(streams([record], count_chunks)) == 1

    @pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "eos_token", "repetition", "error\n"])
    def test_any_other_finish_reason_is_an_end(self, reason: str) -> None:
        assert read(sse(ROLE, delta("a"), delta("b", finish=reason), DONE)).error is None

    def test_an_empty_delta_in_the_middle_counts_as_an_event_without_text(self) -> None:
        record = read(sse(ROLE, delta("a"), delta(""), delta("b"), delta("", finish="stop"), DONE))
        assert event_token_values(record) == [0, NO_TEXT, 0]

    @pytest.mark.parametrize("key", ["reasoning", "reasoning_content"])
    def test_reasoning_is_flagged(self, key: str) -> None:
        record = read(sse(ROLE, event({"choices": [{"delta": {key: "hm"}}]}), delta("a", finish="stop"), DONE))
        assert event_token_values(record) == [REASONING, 0]

    def test_tool_calls_are_flagged(self) -> None:
        call = {"index": 0, "function": {"name": "f", "arguments": ""}}
        record = read(sse(ROLE, delta(tool_calls=[call]), delta(finish="tool_calls"), DONE))
        assert event_token_values(record) == [TOOL_CALL]
        assert record.finish == "tool_calls"

    def test_completions_carry_text(self) -> None:
        choices = [{"text": " a", "token_ids": [5], "finish_reason": "length"}]
        record = read(sse(event({"choices": choices}), DONE))
        assert event_token_values(record) == [1]

    def test_events_may_have_any_name_but_error(self) -> None:
        record = read(sse(b"event: message\n" + delta("a", ids=[1], finish="stop"), b"data: {}\n\n", DONE))
        assert (record.error, event_token_values(record)) == (None, [1])

    def test_more_tokens_than_fit_are_cut_and_do_not_become_flags(self) -> None:
        record = read(sse(delta("a", ids=list(range(5000)), finish="length"), DONE))
        assert event_token_values(record) == [TOKEN_MASK]


class TestFraming:
    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.1 100 Continue\r\n\r\n" + SSE_HEAD,
            b"HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n\r\n" + SSE_HEAD,
            SSE_HEAD.replace(b"text/event-stream", b"text/event-stream; charset=utf-8"),
            SSE_HEAD.replace(b"Content-Type: text/event-stream\r\n", b""),
        ],
    )
    def test_interim_answers_and_parameters_do_not_matter(self, head: bytes) -> None:
        assert read(head + chunked(b"".join(stream())) + LAST_CHUNK).error is None

    def test_content_length_and_close_delimited_bodies(self) -> None:
        body = b"".join(stream(5))
        for record in (
            read(plain("200 OK", body, "text/event-stream")),
            read(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + body, eof=True),
            read(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", body, eof=True),
        ):
            assert record.error is None
            assert record.completion_tokens == 5

    def test_chunk_extensions_and_trailers(self) -> None:
        body = b"".join(stream())
        raw = SSE_HEAD + f"{len(body):x};a=b\r\n".encode() + body + b"\r\n0\r\nX-Late: 1\r\n\r\n"
        assert read(raw).error is None

    def test_keep_alive_is_told(self) -> None:
        for head, kept in ((SSE_HEAD, True), (SSE_HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), False)):
            reader = ResponseReader()
            reader.feed(head + chunked(DONE) + LAST_CHUNK, 1)
            assert reader.keep_alive is kept

    def test_bytes_after_the_answer_cost_the_connection_and_not_the_answer(self) -> None:
        reader = ResponseReader()
        reader.feed(sse(*stream()) + b"HTTP/1.1 200 OK\r\n", 1)
        assert reader.finished
        assert not reader.keep_alive
        assert reader.settle() is None

    def test_the_backend_is_what_the_router_says(self) -> None:
        head = SSE_HEAD.replace(b"\r\n\r\n", b"\r\nX-LiteLLM-Model-Id: gf1\r\n\r\n")
        assert read(head + chunked(DONE) + LAST_CHUNK).backend == "gf1"


class TestFailures:
    @pytest.mark.parametrize(
        ("raw", "error"),
        [
            (plain("429 Too Many", b'{"error": {"message": "slow\\ndown", "code": 429}}'), "http 429: slow down"),
            (plain("404 Not Found", b'{"object": "error", "message": "no model"}'), "http 404: no model"),
            (plain("422 No", b'{"detail": [{"msg": "bad"}]}'), 'http 422: [{"msg":"bad"}]'),
            (plain("500 Oops", b"<h1>oops</h1>", "text/html"), "http 500: <h1>oops</h1>"),
            (plain("503 Busy", b""), "http 503"),
            (plain("401 No", gzip.compress(b"secret", mtime=0), "text/html", "Content-Encoding: gzip"), "http 401"),
            (
                plain("307 Moved", b"", "text/html", "Location: http://b/v1"),
                "http 307: redirected to http://b/v1, which is not followed",
            ),
            (
                plain("200 OK", b'{"error": "no streaming"}'),
                "bad response: content-type application/json, expected text/event-stream: no streaming",
            ),
        ],
    )
    def test_an_answer_that_is_no_stream_fails_with_its_status_and_message(self, raw: bytes, error: str) -> None:
        assert read(raw).error == error

    def test_gzip_is_refused(self) -> None:
        head = SSE_HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
        assert read(head).error == "bad response: content-encoding gzip, asked for identity"

    def test_a_long_message_is_cut(self) -> None:
        error = read(plain("500 Oops", b"x" * 200_000, "text/plain")).error
        assert error is not None
        assert len(error) < 400

    @pytest.mark.parametrize(
        "bad",
        [
            event({"error": {"message": "engine died", "code": 500}}),
            event({"object": "error", "message": "engine died"}),
            b'event: error\ndata: {"message": "engine died"}\n\n',
            b"event: error\ndata: engine died\n\n",
        ],
    )
    def test_an_error_event_fails_the_request_and_keeps_what_came_before(self, bad: bytes) -> None:
        record = read(sse(ROLE, delta("a"), bad, delta("b"), DONE))
        assert record.error == "error event: engine died"
        assert len(event_times_us(record)) == 1

    @pytest.mark.parametrize("data", [b"data: {\n\n", b"data: [1]\n\n", b"data: \xff\n\n", b'data: {"choices": 1}\n\n'])
    def test_an_event_that_is_no_chunk_is_a_bad_response(self, data: bytes) -> None:
        error = read(sse(delta("a"), data, DONE)).error
        assert error is not None
        assert error.startswith("bad response: an event is not a completion chunk")

    @pytest.mark.parametrize("count", [-1, 2**64, 1.5])
    def test_a_count_that_cannot_be_is_a_bad_response(self, count: float) -> None:
        error = read(sse(event({"choices": [], "usage": {"completion_tokens": count}}), DONE)).error
        assert error is not None
        assert error.startswith("bad response: ")

    def test_json_nested_without_end_is_a_bad_response(self) -> None:
        error = read(sse(b'data: {"x": ' + b"[" * 100_000 + b"\n\n", DONE)).error
        assert error is not None
        assert error.startswith("bad response: ")

    @pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\n\r\nx"])
    def test_what_is_not_http_is_a_bad_response(self, raw: bytes) -> None:
        error = read(raw, eof=True).error
        assert error is not None
        assert error.startswith(("bad response: not HTTP", "closed early: "))

    def test_a_header_block_without_end_is_a_bad_response(self) -> None:
        record = read(b"HTTP/1.1 200 OK\r\n", *[b"X-Long: " + b"y" * 9000 + b"\r\n"] * 9)
        assert record.error == "bad response: a header block over 65536 bytes"

    def test_an_event_without_end_ends_the_request(self) -> None:
        piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        assert read(SSE_HEAD, *[piece] * 6).error == "bad response: an event over 4194304 bytes"

    def test_nothing_at_all_is_closed_early(self) -> None:
        assert read(eof=True).error == "closed early: the server closed the connection before it answered"

    def test_a_truncated_stream_is_closed_early_and_keeps_its_events(self) -> None:
        record = read(SSE_HEAD + chunked(delta("a")) + b"ff\r\ndata: {", eof=True)
        assert record.error == "closed early: the server closed the connection in the middle of the answer"
        assert record.ttft_us == 100

    def test_an_orderly_end_without_finish_and_done_is_closed_early(self) -> None:
        assert read(sse(ROLE, delta("a"))).error == "closed early: the stream ended without a finish reason or [DONE]"

    @pytest.mark.parametrize("last", [delta("b", finish="stop"), DONE])
    def test_a_cut_after_the_completion_has_ended_is_forgiven(self, last: bytes) -> None:
        assert read(SSE_HEAD + chunked(delta("a")) + chunked(last), eof=True).error is None

    @pytest.mark.parametrize("last", [delta("b"), delta("b", finish="length"), DONE])
    def test_an_answer_that_our_own_deadline_ends_has_failed_also_where_only_its_end_did_not_come(
        self, last: bytes
    ) -> None:
        reader = ResponseReader()
        reader.sent_ns = START_NS
        reader.feed(SSE_HEAD + chunked(delta("a")) + chunked(last), START_NS + 100 * US)
        reader.fail("timeout", START_NS + 900 * US)
        assert reader.record(0, START_NS).error == "timeout"

    @pytest.mark.parametrize(("tokens", "most"), [(1, 1004), (None, MAX_EVENTS)])
    def test_an_answer_of_events_without_end_ends(self, tokens: int | None, most: int) -> None:
        reader = ResponseReader(Expected(tokens=tokens))
        reader.feed(SSE_HEAD, START_NS)
        piece = chunked(delta("a") * 1000)
        for _ in range(most // 1000):
            reader.feed(piece, START_NS)
        reader.decode_pending()
        assert not reader.finished
        reader.feed(piece, START_NS)
        reader.decode_pending()
        assert reader.finished
        record = reader.record(0, START_NS)
        assert record.error == f"bad response: over {most} events, and no end"
        assert len(event_times_us(record)) == most


GOOD = sse(ROLE, delta("a", ids=[1, 2]), b": ping\n\n", delta("é€😀", ids=[3], finish="length"), usage(9, 3), DONE)


def as_lines_end(raw: bytes, end: bytes) -> bytes:
    _, _, rest = raw.partition(b"\r\n\r\n")
    body = b"".join(rest.split(b"\r\n")[1::2]).replace(b"\n", end)
    return SSE_HEAD + chunked(body) + LAST_CHUNK


@given(st.lists(st.integers(0, len(GOOD)), max_size=20), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_where_reads_are_cut_changes_no_count(cuts: list[int], end: bytes) -> None:
    raw = as_lines_end(GOOD, end)
    points = sorted(min(cut, len(raw)) for cut in cuts)
    pieces = [raw[a:b] for a, b in zip([0, *points], [*points, len(raw)], strict=True)]
    record = read(*pieces)
    assert record.error is None
    assert event_token_values(record) == [2, 1]
    assert (record.completion_tokens, record.finish, record.token_source) == (3, "length", "token_ids")


KEYS = ["choices", "delta", "content", "usage", "completion_tokens", "token_ids", "finish_reason", "error", "text"]
json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.lists(json_values | st.binary(max_size=30), max_size=6), st.integers(0, 400))
def test_no_stream_whatever_it_says_raises(values: list[object], cut: int) -> None:
    raw = sse(*(b"data: " + v + b"\n\n" if isinstance(v, bytes) else event(v) for v in values))
    record = read(raw[:cut], raw[cut:], eof=True)
    assert msgspec.msgpack.encode(record)
    assert record.error is None or record.error.split(":")[0] in {"bad response", "error event", "closed early"}


@given(st.lists(st.tuples(st.sampled_from(["", "w"]), st.integers(0, 5)), max_size=8), st.lists(st.integers(0, 2000)))
def test_no_token_is_counted_twice_or_lost(chunks: list[tuple[str, int]], cuts: list[int]) -> None:
    total = sum(n for _, n in chunks)
    raw = sse(ROLE, *(delta(text, ids=[7] * n) for text, n in chunks), usage(9, total), DONE)
    points = sorted(min(cut, len(raw)) for cut in cuts)
    record = read(*(raw[a:b] for a, b in zip([0, *points], [*points, len(raw)], strict=True)))
    assert sum(value & TOKEN_MASK for value in event_token_values(record)) == total == record.completion_tokens


@settings(max_examples=300)
def named(*names: object, asked: str | None = "m") -> RequestRecord:
    """Return the record of an answer whose chunks carry these names."""
    reader = ResponseReader(Expected(asked))
    chunks = [
        event({"model": name, "choices": [{"delta": {"content": "w"}, "finish_reason": "stop"}]}) for name in names
    ]
    reader.feed(SSE_HEAD + b"".join(map(chunked, [*chunks, DONE])) + LAST_CHUNK, 1)
    return reader.record(0, 0)


@pytest.mark.parametrize("name", ["m", "openai/m", "hosted_vllm/m", "", None, 7, ["m"]])
def test_an_answer_of_the_model_asked_for_or_of_one_that_does_not_say_is_a_good_one(name: object) -> None:
    assert named(name).error is None


@pytest.mark.parametrize("name", ["another", "m2", "2m", "m/another", "M", " m"])
def test_an_answer_of_another_model_has_failed_and_keeps_its_times(name: str) -> None:
    record = named(name, name)
    assert record.error == f"wrong model: {name.strip()} has answered, m was asked for"
    assert len(event_times_us(record)) == 2
    assert named(name, asked=None).error is None


def test_a_name_that_acts_is_told_as_a_short_line() -> None:
    error = named("another\x1b[2J\n" + "x" * 10_000).error
    assert error is not None
    assert error.isprintable()
    assert len(error) < 400


def test_of_a_name_in_front_of_a_path_the_path_is_what_counts() -> None:
    assert named("m", asked="org/m").error is None
    assert named("org2/m", asked="org/m").error is not None


@given(st.binary(max_size=200), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_no_bytes_raise(noise: bytes, at: int, skip: int) -> None:
    record = read(GOOD[:at] + noise, GOOD[at + skip :], eof=True)
    assert len(event_times_us(record)) <= 3
