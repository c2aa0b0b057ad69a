"""Whatever an engine's /metrics page is, it is read or refused by an error that says so."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from sparktui.errors import EngineError
from sparktui.measure.metrics_page import MOST, NAMES, parse_metrics
from sparktui.serving.api import EngineApi, new_client
from sparktui.watching.page import read_page
from tests.core.test_load_wave import tls_context
from tests.faults import tried
from tests.scripted_server import Peer, answering, scripted_server
from tests.watching.pages import VLLM

NUMBERS = st.sampled_from(["NaN", "+Inf", "-Inf", "1e400", "-1", "1e300", "0x10", "1_000", "9" * 400, "", "é", "1 2 3"])
LABELS = st.sampled_from(
    ['{le="', '{le="x"}', '{a="\\', "{}", "{,}", '{le="NaN"}', '{tp_rank="0"', "{" * 500, '{a="\x00"}']
)
LINES = st.builds(
    lambda name, labels, value: f"{name}{labels} {value}", st.sampled_from(sorted(NAMES)), LABELS, NUMBERS
)


def read(page: str) -> None:
    with tried.bad_input(), suppress(EngineError):
        figures = parse_metrics(page)
        assert all(value is None or 0 <= value <= 100 * MOST for value in astuple(figures))
    with tried.bad_input(), suppress(EngineError):
        read_page(page)


@given(st.text())
def test_any_text(page: str) -> None:
    read(page)


@given(st.lists(LINES, max_size=5).map("\n".join))
def test_odd_lines_of_known_names(page: str) -> None:
    read(page)


@given(st.integers(0, len(VLLM)), st.integers(0, len(VLLM)), st.one_of(NUMBERS, LABELS, st.text(max_size=3)))
def test_a_real_page_with_a_piece_taken_out_and_another_put_in(start: int, length: int, piece: str) -> None:
    read(VLLM[:start] + piece + VLLM[start + length :])


WRAPPINGS = {
    "nested": '"' + "[" * 100_000,
    "half a character": '"\\ud800"',
    "a quote": '"' + VLLM,
    "byte order mark": "\ufeff" + VLLM,
    "DOS": VLLM.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("how", WRAPPINGS)
def test_odd_wrappings(how: str) -> None:
    read(WRAPPINGS[how])


async def test_a_certificate_nobody_vouches_for_is_refused_beside_the_load_too() -> None:
    async with scripted_server(answering(), tls_context()) as server, new_client() as client:
        with tried.bad_input(), pytest.raises(EngineError, match=r"(?i)certificate verify failed"):
            await EngineApi(server.url, client).models()


async def plain(peer: Peer) -> None:
    """Say in plain HTTP that TLS is not spoken here."""
    await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


async def test_tls_to_a_server_that_speaks_none_is_refused() -> None:
    async with scripted_server(plain) as server, new_client() as client:
        with tried.bad_input(), pytest.raises(EngineError, match=r"(?i)ssl|record"):
            await EngineApi(server.url.replace("http:", "https:"), client).models()
