from __future__ import annotations

import json

import pytest

from sparktui.errors import UsageError
from sparktui.load.messages import StartWave, Target
from sparktui.load.request import Ask, Prompt, RequestBuilder, api_url, build_request, root_of, target_of
from sparktui.profile.model import Sampling, Workload

KEY = "sk-very-secret"


def parts(raw: bytes) -> tuple[list[str], dict[str, object]]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return head.decode().split("\r\n"), json.loads(body)


def test_a_chat_request_is_complete() -> None:
    raw = build_request("http://gf1:8000", Ask("m", 128), Prompt("hello é"), key=KEY)
    head, body = parts(raw)
    assert head == [
        "POST /v1/chat/completions HTTP/1.1",
        "Host: gf1:8000",
        "User-Agent: sparktui",
        "Accept: text/event-stream",
        "Accept-Encoding: identity",
        "Content-Type: application/json",
        f"Content-Length: {len(raw.partition(bytes([13, 10, 13, 10]))[2])}",
        f"Authorization: Bearer {KEY}",
    ]
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "hello é"}],
        "max_tokens": 128,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_token_ids": True,
        "min_tokens": 128,
        "ignore_eos": True,
    }


def test_a_completions_request_carries_one_text() -> None:
    head, body = parts(build_request("http://gf1", Ask("m", 1, api="completions"), Prompt("b", system="a")))
    assert head[0] == "POST /v1/completions HTTP/1.1"
    assert body["prompt"] == "a b"
    assert "messages" not in body


def test_what_is_not_asked_for_is_not_sent_and_further_keys_win() -> None:
    ask = Ask("m", 8, exact_tg=False, token_ids=False, temperature=0.0, extra_body={"max_tokens": 9, "top_k": 1})
    _, body = parts(build_request("http://gf1", ask, Prompt("u", system="s")))
    assert body == {
        "model": "m",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "max_tokens": 9,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "top_k": 1,
    }


def test_a_workload_says_what_to_ask_for() -> None:
    workload = Workload(pp=16, tg=7, api="completions", sampling=Sampling(exact_tg=False, temperature=0.5))
    builder = RequestBuilder("https://gf1/v1", "m", workload)
    head, body = parts(builder.build(Prompt("p")))
    assert builder.target == Target("gf1", 443, tls=True)
    assert head[0] == "POST /v1/completions HTTP/1.1"
    assert (body["max_tokens"], body["temperature"], "min_tokens" in body) == (7, 0.5, False)


@pytest.mark.parametrize(
    ("url", "target", "root"),
    [
        ("http://gf1:8000", Target("gf1", 8000), "http://gf1:8000"),
        ("http://gf1:8000/", Target("gf1", 8000), "http://gf1:8000"),
        ("http://gf1:8000/v1", Target("gf1", 8000), "http://gf1:8000"),
        ("http://gf1:8000/v1/", Target("gf1", 8000), "http://gf1:8000"),
        ("http://gf1", Target("gf1", 80), "http://gf1"),
        ("https://gf1/proxy/v1", Target("gf1", 443, tls=True), "https://gf1/proxy"),
        ("http://[::1]:8000/v1", Target("::1", 8000), "http://[::1]:8000"),
    ],
)
def test_base_addresses_with_and_without_v1(url: str, target: Target, root: str) -> None:
    assert target_of(url) == target
    assert root_of(url) == root
    assert api_url(url, "chat") == f"{root}/v1/chat/completions"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("gf1:8000", "http://"),
        ("ftp://gf1", "http://"),
        ("http://", "names no host"),
        ("http://:8000", "names no host"),
        ("http://gf1:port", "not a usable address"),
        ("http://gf1:99999", "not a usable address"),
        ("http://gf1:0", "port 0"),
        ("http://[::1", "not a usable address"),
        ("http://gf1/v1?x=1", "query"),
        ("http://gf1/v1/chat/completions", "one API"),
        ("http://g f1/", "space"),
        ("http://gf1..local", "not a usable address"),
        ("http://spärk", "not a usable address"),
        ("http://xn--.de", "not a usable address"),
        ("http://xn--a", "not a usable address"),
        ("http://xn--e28h.de", "not a usable address"),
    ],
)
def test_an_address_that_cannot_be_used_says_why_and_what_would_do(url: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        target_of(url)
    assert "http://gf1:8000" in caught.value.hint


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="user name or password") as caught:
        target_of("http://me:hunter2@gf1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "  ", "a b", "a\r\nX-Evil: 1", "schlüssel"])
def test_a_key_no_header_can_carry_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_request("http://gf1", Ask("m", 1), Prompt("p"), key=key)
    assert not key.strip() or key not in str(caught.value)


def test_a_key_read_from_a_file_may_end_with_its_line() -> None:
    assert (
        f"Authorization: Bearer {KEY}"
        in parts(build_request("http://gf1", Ask("m", 1), Prompt("p"), key=f"{KEY}\n"))[0]
    )


def test_no_repr_shows_the_key() -> None:
    builder = RequestBuilder("http://gf1", "m", Workload(), KEY)
    raw = builder.build(Prompt("p"))
    assert KEY.encode() in raw
    for shown in (builder, StartWave(builder.target, (raw,), 1.0)):
        assert KEY not in repr(shown)
        assert KEY not in str(shown)
