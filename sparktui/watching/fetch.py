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


async def fetch(client: httpx.AsyncClient, endpoint: Endpoint) -> Page:
    """Return what an endpoint says of itself now.

    Raises:
        EngineError: It does not answer in time, or not with a page that can be read; the message says which, briefly.
    """
    headers = {"Authorization": bearer(endpoint.key)} if endpoint.key else {}
    try:
        async with asyncio.timeout(DEADLINE_S):
            text = await _text(client, f"{endpoint.address}/metrics", headers)
    except TimeoutError:
        raise EngineError(f"no answer within {DEADLINE_S:.0f} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EngineError(str(error) or type(error).__name__) from error
    return await asyncio.to_thread(read_page, text)


async def _text(client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> str:
    async with client.stream("GET", url, headers=headers) as response:
        if response.status_code != httpx.codes.OK:
            raise EngineError(_refused(response.status_code))
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > MAX_PAGE_CHARACTERS:
                raise EngineError("its /metrics page does not end")
    return body.decode("utf-8", "replace")


def _refused(status: int) -> str:
    if status == httpx.codes.NOT_FOUND:
        return "it has no /metrics page; SGLang needs --enable-metrics, llama.cpp --metrics"
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return f"/metrics answered {status}: it wants another API key"
    return f"/metrics answered {status}"
