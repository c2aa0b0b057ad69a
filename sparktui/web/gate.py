"""Who may look at the served app: whoever has the token, from the page itself, by a name that is this machine's.

A loopback port is open to every user of the machine and, through a browser, to every page they visit. So the token is
asked for there too, `Origin` has to be the page's own, and a name that merely resolves to this machine is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self' ws: wss:; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Gate:
    """What a request has to bring.

    Args:
        host: The address that is listened on.
        port: Its port: a cookie is sent to every port of a host, so each port has its own.
        token: What the printed address ends with.
    """

    host: str
    port: int
    token: str

    @property
    def cookie(self) -> str:
        """The cookie that holds the token once it was given."""
        return f"sparktui-{self.port}"

    def refusal(self, request: web.Request) -> str | None:
        """Return why a request is not answered, in one sentence, or None."""
        if not self._named(request.host):
            return f"This page is not served under the name {request.host!r}."
        origin = request.headers.get("Origin")
        if origin is not None and _netloc(origin) != request.host:
            return "Another page asked for this one."
        if not self._known(request.cookies.get(self.cookie)):
            return "The address is not complete: it ends with a token."
        return None

    def opens(self, request: web.Request) -> bool:
        """Tell whether a request brings the token in its address."""
        return self._named(request.host) and self._known(request.query.get("token"))

    def _named(self, host: str) -> bool:
        if not host.isascii():  # no browser sends such a name, and the page could not repeat it
            return False
        name = _hostname(host)
        return self.host in ANYWHERE or name == self.host or (self.host in LOOPBACK and name in LOOPBACK)

    def _known(self, given: str | None) -> bool:
        return given is not None and secrets.compare_digest(_bytes(given), _bytes(self.token))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # what a request holds that is not UTF-8 has become half characters


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # a bracket that nothing closes
        return None


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def guarded(gate: Gate, refuse: Callable[[str], web.Response]) -> Middleware:
    """Return the middleware that lets through what the gate does, and turns a token in an address into a cookie."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if gate.opens(request):
            answer = web.Response(status=303, headers={"Location": _here(request.rel_url.raw_path)})
            answer.set_cookie(gate.cookie, gate.token, httponly=True, samesite="Strict")
            return answer
        if (why := gate.refusal(request)) is not None:
            return refuse(why)
        return await handler(request)

    return middleware


async def seal(_: web.Request, answer: web.StreamResponse) -> None:
    """Put the headers on an answer that is about to be sent: on each, also those that no handler made."""
    answer.headers.update(HEADERS)


def _here(path: str) -> str:
    """Return a path that a browser looks for on this server: `//name` and `/\\name` are other servers."""
    return "/" + path.lstrip("/\\")
