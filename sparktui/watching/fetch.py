"""Asks one endpoint for its /metrics page: by a deadline, no more than a page, and following nobody elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httpx

from sparktui.errors import EngineError
from sparktui.load.request import bearer, root_of
from sparktui.measure.metrics_page import MAX_PAGE_CHARACTERS
from sparktui.watching.page import Page, read_page

DEADLINE_S = 4.0
ALL_FAILED = "All connection attempts failed"
"""What the client says of a port on which nobody listens."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server to be watched."""

    name: str
    url: str
    """Its base address, with or without `/v1`."""
    key: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The address without a path."""
        return root_of(self.url)


class NoFiguresError(EngineError):
    """A server answers, and not with a page that its figures can be read from."""


async def fetch(client: httpx.AsyncClient, endpoint: Endpoint) -> Page:
    """Return what an endpoint says of itself now.

    Raises:
        NoFiguresError: It answers, but not with a page that can be read; the message says why, briefly.
        EngineError: It does not answer, or not in time.
    """
    headers = {"Authorization": bearer(endpoint.key)} if endpoint.key else {}
    try:
        async with asyncio.timeout(DEADLINE_S):
            text = await _text(client, f"{endpoint.address}/metrics", headers)
    except TimeoutError:
        raise EngineError(f"no answer within {DEADLINE_S:.0f} s") from None
    except httpx.ConnectError as error:
        raise EngineError(_unreached(str(error))) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EngineError(str(error) or type(error).__name__) from error
    try:
        return await asyncio.to_thread(read_page, text)
    except EngineError as error:
        raise NoFiguresError(error.message, error.hint) from error


async def _text(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> str:
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code != httpx.codes.OK:
            raise NoFiguresError(_refused(response.status_code))
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > MAX_PAGE_CHARACTERS:
                raise NoFiguresError("its /metrics page does not end")
    return body.decode("utf-8", "replace")


def _unreached(said: str) -> str:
    """Say that nobody answers, and what to look at; the client's own words only where they say more than that."""
    why = "" if said in ("", ALL_FAILED) else f" ({said})"
    return f"nothing answers there{why}: is it up, and is that its address and port?"


def _refused(status: int) -> str:
    if status == httpx.codes.NOT_FOUND:
        return "it has no /metrics page; SGLang needs --enable-metrics, llama.cpp --metrics"
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return f"/metrics answered {status}: it wants another API key"
    return f"/metrics answered {status}"
