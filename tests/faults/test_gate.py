"""Who is let in, whatever a request's head says: nobody without the token, and no header breaks the answer."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from sparktui.web.gate import LOOPBACK, Gate
from tests.faults import tried

TOKEN = "correct-horse"
GATES = st.sampled_from([Gate(host, 8765, TOKEN) for host in ("127.0.0.1", "0.0.0.0", "::1", "spark.lan")])
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30)
HALVES = st.characters(categories=["Cs"])
"""What aiohttp makes of bytes that are not UTF-8."""
TEXT = st.one_of(LATIN, st.text(st.one_of(HALVES, st.characters(min_codepoint=256)), max_size=30))
ODD_HOSTS = (
    "[",
    "[::1",
    "]",
    "127.0.0.1:x",
    "localhost:8765",
    "[::1%25lo]:1",
    "a@127.0.0.1",
    "//",
    "[v1.x]",
    "127.0.0.1:0",
)
HOSTS = st.one_of(TEXT, st.sampled_from(ODD_HOSTS))
ORIGINS = st.one_of(st.none(), TEXT, HOSTS.map("http://{}".format), st.just("null"))
COOKIES = st.one_of(st.none(), TEXT, TEXT.map("sparktui-8765={}".format), st.just("sparktui-8765=correct-horse2"))
TOKENS = st.one_of(LATIN.map(quote), st.sampled_from(["%ff", "%00", "%", "+", "correct-hors", "CORRECT-HORSE"]))


@given(GATES, HOSTS, ORIGINS, COOKIES, TOKENS)
def test_nobody_comes_in_without_the_token(
    gate: Gate, host: str, origin: str | None, cookie: str | None, token: str
) -> None:
    given_ = {"Host": host, "Origin": origin, "Cookie": cookie}
    headers = {name: value for name, value in given_.items() if value is not None}
    with tried.bad_input():
        request = make_mocked_request("GET", f"/?token={token}", headers=headers)
        assert not gate.opens(request)
        assert gate.refusal(request)


@given(HOSTS, ORIGINS)
def test_with_the_token_no_other_page_comes_in(host: str, origin: str | None) -> None:
    gate = Gate("127.0.0.1", 8765, TOKEN)
    headers = {"Host": host, "Cookie": f"{gate.cookie}={TOKEN}"} | ({"Origin": origin} if origin is not None else {})
    with tried.bad_input():
        request = make_mocked_request("GET", f"/?token={TOKEN}", headers=headers)
        gate.opens(request)
        refused = gate.refusal(request)
    assert refused or origin is None or origin.partition("//")[2].startswith(host)
    assert refused or any(name in host.lower() for name in LOOPBACK)


@given(st.one_of(TEXT, st.sampled_from([f"{TOKEN}\udcff", "\ud800", "\udcc3\udca9"])))
def test_a_token_that_is_no_text_is_not_the_token(given_: str) -> None:
    with tried.bad_input():
        assert not Gate("127.0.0.1", 8765, TOKEN)._known(given_)
