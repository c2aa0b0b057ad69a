"""`sparktui serve`: every browser window gets a viewer of its own, as every terminal does."""

from __future__ import annotations

import logging
import secrets
import shlex
import socket
import sys
from html import escape
from importlib.resources import files
from string import Template

import click
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.log import server_logger
from textual_serve.server import Server

from sparktui.errors import UsageError
from sparktui.paths import store_path
from sparktui.private import leave_to_what_is_started
from sparktui.store.reader import Reader
from sparktui.web.gate import ANYWHERE, LOOPBACK, Gate, guarded, seal

MOST_WINDOWS = 8
"""Each is a process of some 60 MB."""
DRIVER = "sparktui.ui.window_driver:WindowDriver"
"""Instead of the one that textual-serve chooses, which outlives a server that was killed."""
SMALLEST_FONT, LARGEST_FONT = 8, 40


class Page(Server):
    """The app behind a gate, with a page that asks no other server for anything."""

    def __init__(self, gate: Gate, command: str) -> None:
        super().__init__(command, gate.host, gate.port, title="sparktui")
        self._gate = gate
        self._windows = 0

    async def _make_app(self) -> web.Application:
        app: web.Application = await super()._make_app()
        app.middlewares.append(guarded(self._gate, self._refuse))
        app.on_response_prepare.append(seal)
        server_logger.addFilter(is_ours)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Keep textual-serve's own words in: nothing listens yet."""

    def say_where(self, _: str) -> None:
        """Say where it is and how to get there."""
        for line in how_to_open(self._gate):
            click.echo(line, err=True)

    async def handle_index(self, request: web.Request) -> web.Response:
        """Return the page; the viewer's socket is at the address that the browser used, whatever forwarded it."""
        font = max(SMALLEST_FONT, min(LARGEST_FONT, _number(request.query.get("fontsize"), 16)))
        scheme = "wss" if request.secure else "ws"
        return _page("index.html", socket=f"{scheme}://{request.host}/ws", font=str(font))

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Run a viewer for one window."""
        if self._windows >= MOST_WINDOWS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_WINDOWS} windows are open: close one")
        self._windows += 1
        try:
            answer: web.WebSocketResponse = await super().handle_websocket(request)
            return answer
        finally:
            self._windows -= 1

    def _refuse(self, why: str) -> web.Response:
        answer = _page("refused.html", why=why, tunnel=_tunnel(self._gate.port))
        answer.set_status(403)
        return answer


def serve(host: str, port: int, campaign: str | None) -> None:
    """Serve the app until Ctrl-C.

    Raises:
        UsageError: There is no such campaign, or the address cannot be listened on.
    """
    if campaign is not None:
        with Reader(store_path()) as reader:
            reader.resolve(campaign)
    leave_to_what_is_started()
    gate = Gate(host, port, secrets.token_urlsafe(24))
    page = Page(gate, viewer_command(campaign))
    try:
        web.run_app(page._make_app(), host=host, port=port, print=page.say_where, access_log=None)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port}: {error.strerror}", "choose another with --port"
        ) from error


def is_ours(record: logging.LogRecord) -> bool:
    """Tell whether a record is worth the owner's terminal: what somebody sent that is no request fills none."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


def viewer_command(campaign: str | None) -> str:
    """Return what runs for each window: textual-serve hands it to a shell, so every word is quoted."""
    words = ["attach", "--", campaign] if campaign is not None else []
    return "exec " + shlex.join(["env", f"TEXTUAL_DRIVER={DRIVER}", sys.executable, "-m", "sparktui", *words])


def how_to_open(gate: Gate) -> list[str]:
    """Return what to do to see the page, from here and from elsewhere."""
    here, *elsewhere = _names(gate.host)
    lines = [
        f"sparktui is at {_address(here, gate)}",
        *(f"and, for others, at {_address(name, gate)}" for name in elsewhere),
        "The token is the key: whoever has it can start and stop races. It is a new one each time.",
    ]
    if gate.host in LOOPBACK:
        return [*lines, f"From another machine: {_tunnel(gate.port)}, then the same address there. Ctrl-C ends it."]
    return [*lines, f"Others can reach this address and read along: it is not encrypted. Safer: {_tunnel(gate.port)}"]


def _names(host: str) -> list[str]:
    """Return what an address that is listened on can be reached by, this machine's own way first."""
    if host in ANYWHERE:
        return ["127.0.0.1", socket.gethostname()]
    return [f"[{host}]" if ":" in host else host]


def _address(name: str, gate: Gate) -> str:
    return f"http://{name}:{gate.port}/?token={gate.token}"


def _tunnel(port: int) -> str:
    return f"ssh -L {port}:127.0.0.1:{port} THIS-NODE"


def _page(name: str, **values: str) -> web.Response:
    text = files("sparktui.web").joinpath(name).read_text(encoding="utf-8")
    safe = {key: escape(value) for key, value in values.items()}
    return web.Response(text=Template(text).substitute(safe), content_type="text/html")


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 4 else otherwise
