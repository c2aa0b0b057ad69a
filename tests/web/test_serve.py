"""The app in a browser: who is let in, what the page asks for, and a viewer for each window that ends with it."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession, CookieJar, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestServer, unused_port
from textual_serve.server import Server

from sparktui.errors import UsageError
from sparktui.web.gate import HEADERS, Gate
from sparktui.web.serve import MOST_WINDOWS, Page, how_to_open, serve, viewer_command
from tests.ui.viewing import recorded

TOKEN = "correct-horse"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestServer]:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    page = Page(Gate("127.0.0.1", 8765, TOKEN), viewer_command(None))
    server = TestServer(await page._make_app())
    async with server:
        yield server


@pytest.fixture
async def browser(server: TestServer) -> AsyncIterator[ClientSession]:
    async with ClientSession(str(server.make_url("/")), cookie_jar=CookieJar(unsafe=True)) as browser:
        yield browser


async def test_without_the_token_a_page_says_how_to_come_in(browser: ClientSession) -> None:
    for path in ("/", "/ws", "/static/js/textual.js", "/?token=wrong", "/?token="):
        async with browser.get(path) as answer:
            assert answer.status == 403
            text = await answer.text()
            assert "ssh -L 8765:127.0.0.1:8765" in text
            assert TOKEN not in text


async def test_the_token_becomes_a_cookie_that_scripts_cannot_read_and_leaves_the_address(
    browser: ClientSession,
) -> None:
    async with browser.get(f"/?token={TOKEN}", allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/"
        cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    async with browser.get("/") as answer:
        assert answer.status == 200


async def test_the_page_asks_no_other_server_for_anything(browser: ClientSession, server: TestServer) -> None:
    async with browser.get(f"/?token={TOKEN}") as answer:
        text = await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert re.findall(r"(?:https?|wss?)://[^\"' ]+", text) == [f"ws://127.0.0.1:{server.port}/ws"]
    assert "default-src 'self'" in policy


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "[fe80::1]"])
async def test_a_name_that_only_resolves_to_this_machine_is_refused(browser: ClientSession, name: str) -> None:
    async with browser.get(f"/?token={TOKEN}", headers={"Host": name}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "path", ["//evil.example/", "///evil.example", "/\\evil.example/", "/%5Cevil.example/", "//%5Cevil.example/"]
)
async def test_the_token_leads_nowhere_else(server: TestServer, path: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    request = f"GET {path}?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert " 303 " in answer.splitlines()[0]
    assert re.search(r"^Location: /(%5C)?evil\.example/?\r$", answer, re.MULTILINE)


async def test_every_answer_has_the_headers_that_keep_it_in_its_place(browser: ClientSession) -> None:
    seen = {}
    for path in ("/?token=wrong", f"/?token={TOKEN}", "/", "/not/there", "/static/not/there", "/static/js/textual.js"):
        async with browser.get(path, allow_redirects=False) as answer:
            seen[path] = answer.status
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
    async with browser.post("/") as answer:
        assert answer.status == 405
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert list(seen.values()) == [403, 303, 200, 404, 404, 200]


@pytest.mark.parametrize("token", ["correct-harse", "Correct-horse", "correct-hors", "\u00e9" * 13])
async def test_only_the_token_itself_opens(browser: ClientSession, token: str) -> None:
    async with browser.get("/", params={"token": token}) as answer:
        assert answer.status == 403
    async with browser.get("/", headers={"Cookie": f"sparktui-8765={token}"}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "odd", [b"\xff", b"\x80", b"\xed\xb2\x80", b"\xc3\xa9", b"\xe2\x84\x80", b"%ED%B2%80", b'"\\377"']
)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
@pytest.mark.parametrize(
    ("path", "header"),
    [
        (b"/", b"Cookie: sparktui-8765=%b"),
        (b"/", b"Cookie: %b=1"),
        (b"/", b"Origin: http://%b"),
        (b"/", b"X-Forwarded-Host: %b"),
        (b"/%b", b"X: 1"),
        (b"/?token=%b", b"X: 1"),
        (b"/?fontsize=%b", b"Cookie: sparktui-8765=correct-horse"),
        (b"/", b"Cookie: sparktui-8765=correct-horse\r\nHost: %b"),
    ],
)
async def test_no_bytes_in_a_request_are_an_error_of_the_server(
    caplog: pytest.LogCaptureFixture, host: str, path: bytes, header: bytes, odd: bytes
) -> None:
    lines = [b"GET " + path + b" HTTP/1.1", header, b"Connection: close"]
    if b"Host" not in header:
        lines.append(b"Host: 127.0.0.1")
    request = b"\r\n".join(lines).replace(b"%b", odd) + b"\r\n\r\n"
    async with TestServer(await Page(Gate(host, 8765, TOKEN), viewer_command(None))._make_app()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request)
        status = (await reader.readline()).split()[1]
        writer.close()
    assert int(status) < 500
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("origin", ["null", "", "file://", "http://evil.example", "http://127.0.0.1:1"])
async def test_no_other_page_is_let_in_with_the_owners_cookie(browser: ClientSession, origin: str) -> None:
    async with browser.get(f"/?token={TOKEN}"):
        pass
    async with browser.get("/", headers={"Origin": origin}) as answer:
        assert answer.status == 403


async def test_a_strange_name_is_refused_with_the_token_and_with_the_cookie(browser: ClientSession) -> None:
    async with browser.get(f"/?token={TOKEN}", headers={"Host": "evil.example"}, allow_redirects=False) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
    given = {"Host": "evil.example", "Cookie": f"sparktui-8765={TOKEN}"}
    async with browser.get("/", headers=given) as answer:
        assert answer.status == 403
        assert "not served under the name" in await answer.text()


async def test_a_forwarded_port_is_let_in_and_gets_a_socket_address_of_its_own(browser: ClientSession) -> None:
    async with browser.get(f"/?token={TOKEN}"):
        pass
    async with browser.get("/", headers={"Host": "localhost:4242"}) as answer:
        assert "ws://localhost:4242/ws" in await answer.text()


async def test_another_page_cannot_open_a_viewer_with_the_owners_cookie(browser: ClientSession) -> None:
    async with browser.get(f"/?token={TOKEN}"):
        pass
    with pytest.raises(WSServerHandshakeError):
        await browser.ws_connect("/ws", headers={"Origin": "http://evil.example"})


async def test_a_window_gets_a_viewer_that_ends_with_it(browser: ClientSession) -> None:
    async with browser.get(f"/?token={TOKEN}"):
        pass
    before = set(psutil.Process().children(recursive=True))
    drawn = b""
    async with asyncio.timeout(60), browser.ws_connect("/ws?width=100&height=30") as window:
        while b"Launch" not in drawn:
            message = await window.receive()
            assert message.type is WSMsgType.BINARY
            drawn += message.data
        viewers = set(psutil.Process().children(recursive=True)) - before
        assert viewers
    _, alive = await asyncio.to_thread(psutil.wait_procs, viewers, timeout=30)
    assert not alive


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Have `sparktui serve` run as an owner would; nothing of it is left, however a test ends."""
    argv = [sys.executable, "-m", "sparktui", "serve", "--port", str(unused_port())]
    environment = {**os.environ, "SPARKTUI_HOME": str(home)}
    process = await asyncio.create_subprocess_exec(*argv, env=environment, stderr=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_viewers_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    async with asyncio.timeout(60), served(tmp_path) as server, ClientSession(cookie_jar=CookieJar(unsafe=True)) as me:
        assert server.stderr is not None
        address = (await server.stderr.readline()).decode().split()[-1]
        async with me.get(address):
            pass
        async with me.ws_connect(address.partition("?")[0] + "ws") as window:
            await window.receive()
            viewers = psutil.Process(server.pid).children(recursive=True)
            assert viewers
            server.kill()
            await server.wait()
            _, alive = await asyncio.to_thread(psutil.wait_procs, viewers, timeout=30)
            for viewer in alive:
                viewer.kill()
            assert not alive


async def test_there_are_only_so_many_windows(browser: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    async def window(_: object, request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for _ in answer:
            pass
        return answer

    monkeypatch.setattr(Server, "handle_websocket", window)
    async with browser.get(f"/?token={TOKEN}"):
        pass
    windows = [await browser.ws_connect("/ws") for _ in range(MOST_WINDOWS)]
    async with browser.get("/ws") as answer:
        assert answer.status == 503
        assert "close one" in await answer.text()
    await windows.pop().close()
    windows.append(await browser.ws_connect("/ws"))
    for one in windows:
        await one.close()


def test_what_it_prints_says_how_to_get_there_and_warns_of_a_public_address() -> None:
    at_home = "\n".join(how_to_open(Gate("127.0.0.1", 8765, TOKEN)))
    assert f"http://127.0.0.1:8765/?token={TOKEN}" in at_home
    assert "not encrypted" not in at_home
    anywhere = "\n".join(how_to_open(Gate("0.0.0.0", 8765, TOKEN)))
    assert "not encrypted" in anywhere
    assert f"http://127.0.0.1:8765/?token={TOKEN}" in anywhere
    assert f"for others, at http://{socket.gethostname()}:8765/?token={TOKEN}" in anywhere


def test_a_campaign_that_there_is_not_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    recorded(tmp_path)
    monkeypatch.setattr("sparktui.web.serve.web.run_app", lambda app, **_: app.close())
    serve("127.0.0.1", 8765, "1")
    with pytest.raises(UsageError, match="no campaign 99") as refused:
        serve("127.0.0.1", 8765, "99")
    assert refused.value.exit_code == 2
