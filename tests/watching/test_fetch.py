"""Servers that misbehave are told by name, within the deadline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from sparktui.errors import EngineError
from sparktui.serving.api import new_client
from sparktui.watching import fetch as fetching
from sparktui.watching.fetch import Endpoint, NoFiguresError, fetch
from sparktui.watching.lines import document, plain_lines
from sparktui.watching.page import Page
from sparktui.watching.watcher import Watcher
from tests.scripted_server import Peer, Script, scripted_server
from tests.watching.pages import answering, asked, llama_cpp, response, sglang

SECRET = "sk-not-to-be-seen"


async def fetched(url: str, key: str | None = None) -> Page:
    async with new_client() as client:
        return await fetch(client, Endpoint("it", url, key))


async def told(script: Script) -> str:
    async with scripted_server(script) as server:
        with pytest.raises(EngineError) as error:
            await fetched(server.url)
    return error.value.message


def saying(data: bytes) -> Script:
    async def script(peer: Peer) -> None:
        await asked(peer)
        await peer.send(data)

    return script


async def drip(peer: Peer) -> None:
    """Send the head, then a byte at a time for ever."""
    await asked(peer)
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not peer.writer.is_closing():
        await peer.send(b"1\r\n#\r\n")
        await asyncio.sleep(0.02)


async def endless(peer: Peer) -> None:
    """Send as fast as it goes, for ever."""
    await asked(peer)
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not peer.writer.is_closing():
        await peer.send(b"10000\r\n" + b"#" * 65536 + b"\r\n")


async def silent(peer: Peer) -> None:
    await peer.gone()


@pytest.mark.parametrize("script", [drip, silent])
async def test_a_server_that_does_not_come_to_an_end_is_given_up(
    script: Callable[[Peer], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "DEADLINE_S", 0.3)
    assert "no answer within" in await told(script)


async def test_a_page_without_end_is_cut_off() -> None:
    assert await told(endless) == "its /metrics page does not end"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (response("no", "404 Not Found"), "it has no /metrics page"),
        (response("no", "401 Unauthorized"), "another API key"),
        (response("", "302 Found", "Location: http://elsewhere.invalid/metrics"), "answered 302"),
        (response("busy", "503 Service Unavailable"), "answered 503"),
        (response("<html>hello</html>"), "holds no figures of vLLM, SGLang or llama.cpp"),
        (response("\ufffd\x00\x1b[31m"), "holds no figures"),
        (b"what?\r\n\r\n", ""),
        (b"", "disconnected"),
    ],
)
async def test_another_answer_is_an_engine_error_that_says_which(answer: bytes, said: str) -> None:
    assert said in await told(saying(answer))


async def test_nobody_there_is_an_engine_error_that_says_what_to_look_at() -> None:
    with pytest.raises(EngineError, match="is it up, and is that its address and port") as error:
        await fetched("http://127.0.0.1:1")
    assert not isinstance(error.value, NoFiguresError)


async def test_a_server_that_answers_without_figures_is_not_down() -> None:
    async with scripted_server(saying(response("no", "404 Not Found"))) as server:
        watcher = Watcher([Endpoint("it", server.url)])
        async with new_client() as client:
            following = asyncio.create_task(watcher.run(client, 20.0))
            await until(lambda: watcher.picture().engines[0].mute)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    (line,) = plain_lines(watcher.picture())
    assert "no figures: it has no /metrics page" in line
    (engine,) = json.loads(json.dumps(document(watcher.picture())))["engines"]
    assert (engine["up"], engine["decode_tps"], "no /metrics" in engine["error"]) == (True, None, True)


async def test_the_key_is_sent_and_shown_nowhere() -> None:
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.reader.readuntil(b"\r\n\r\n"))
        await peer.send(response(f"{SECRET}", "401 Unauthorized"))

    async with scripted_server(script) as server:
        endpoint = Endpoint("it", server.url, SECRET)
        with pytest.raises(EngineError) as error:
            await fetched(server.url, SECRET)
    assert f"Bearer {SECRET}".encode() in heads[0]
    assert SECRET not in f"{error.value.message}{error.value.hint}{endpoint!r}"


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not happened():  # noqa: ASYNC110 - another task's doing
            await asyncio.sleep(0.01)


async def test_a_slow_endpoint_delays_no_other_and_one_that_comes_back_is_shown_again() -> None:
    page = [llama_cpp(generated=10, running=1)]
    async with scripted_server(answering(lambda: page[0])) as well, scripted_server(silent) as ill:
        watcher = Watcher([Endpoint("well", well.url), Endpoint("ill", ill.url)])
        async with new_client() as client:
            following = asyncio.create_task(watcher.run(client, 20.0))
            await until(lambda: not watcher.picture().engines[0].down)
            page[0] = "<html>restarting</html>"
            await until(lambda: "no figures" in watcher.picture().engines[0].down)
            page[0] = llama_cpp(generated=3)
            await until(lambda: watcher.picture().engines[0].restarts == 1)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        picture = watcher.picture()
    assert picture.engines[1].down
    lines = list(plain_lines(picture))
    assert len(lines) == 3
    assert "began anew" in lines[0]
    assert "down: not asked yet" in lines[1] or "down: no answer" in lines[1]
    assert " all " in lines[2]


async def test_as_data_what_is_not_known_is_null_and_every_value_can_be_read_again() -> None:
    async with scripted_server(answering(lambda: sglang(generated=7, ttft=[("0.1", 1), ("+Inf", 1)]))) as server:
        watcher = Watcher([Endpoint("it", server.url), Endpoint("gone", "http://127.0.0.1:1")])
        async with new_client() as client:
            following = asyncio.create_task(watcher.run(client, 20.0))
            await until(lambda: not watcher.picture().engines[0].down)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        read = json.loads(json.dumps(document(watcher.picture()), allow_nan=False))
    up, gone = read["engines"]
    assert (up["up"], up["error"], up["running"], round(up["kv_pct"])) == (True, None, 5, 28)
    assert (gone["up"], gone["running"], gone["decode_tps"], gone["ttft_p50_ms"]) == (False, None, None, None)
    assert gone["error"]
