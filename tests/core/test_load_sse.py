from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.load.sse import MAX_EVENT_BYTES, EventTooLargeError, SseSplitter


def split(*pieces: bytes) -> list[tuple[bytes, bytes]]:
    splitter = SseSplitter()
    return [event for piece in pieces for event in splitter.feed(piece)]


@pytest.mark.parametrize(
    ("body", "data"),
    [
        (b"data: {}\n\n", [b"{}"]),
        (b"data: {}\r\n\r\n", [b"{}"]),
        (b"data: {}\r\r", [b"{}"]),
        (b"data:{}\n\n", [b"{}"]),
        (b"data:  {}\n\n", [b" {}"]),
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b": ping\n\ndata: a\n\n", [b"a"]),
        (b"data: a\n: ping\n\n", [b"a"]),
        (b"id: 1\nretry: 5\ndata: a\n\n", [b"a"]),
        (b"data: {\ndata: }\n\n", [b"{\n}"]),
        (b"data\n\n", [b""]),
        (b"\n\n\ndata: a\n\n\n\n", [b"a"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: unfinished\n", []),
        (b"other: x\n\n", []),
    ],
)
def test_events_are_found_whatever_ends_their_lines(body: bytes, data: list[bytes]) -> None:
    assert split(body) == [(b"", d) for d in data]


def test_an_event_name_is_told() -> None:
    assert split(b"event: error\ndata: {}\n\n") == [(b"error", b"{}")]


def test_a_body_without_its_last_blank_line_is_complete_after_flush() -> None:
    splitter = SseSplitter()
    assert splitter.feed(b"data: a\n\ndata: [DONE]") == [(b"", b"a")]
    assert splitter.flush() == [(b"", b"[DONE]")]
    assert splitter.flush() == []


def test_a_line_feed_after_a_carriage_return_of_the_read_before_is_not_a_second_line_end() -> None:
    assert split(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [(b"", b"a\nb")]


def test_a_read_that_looks_whole_may_end_an_event_begun_before() -> None:
    assert split(b"data: a\n", b"data: b\n\n") == [(b"", b"a\nb")]


def test_an_event_without_end_is_refused_before_it_fills_memory() -> None:
    splitter = SseSplitter()
    piece = b"x" * (1 << 20)
    for _ in range(MAX_EVENT_BYTES // len(piece)):
        assert splitter.feed(piece) == []
    with pytest.raises(EventTooLargeError):
        splitter.feed(piece)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=12)
events = st.lists(st.lists(texts, min_size=1, max_size=3), max_size=5)


@given(events, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_where_reads_are_cut_changes_nothing(lines: list[list[str]], end: str, data: st.DataObject) -> None:
    body = "".join("".join(f"data: {line}{end}" for line in event) + end for event in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert split(*pieces) == [(b"", "\n".join(event).encode()) for event in lines]
