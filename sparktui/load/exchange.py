"""One question to a server and its whole answer: by a deadline, however slowly it comes, and no more than may be."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx


class NoAnswerError(Exception):
    """There is no whole answer; the text says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    content: bytes

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Decode the body.

        Raises:
            ValueError: It is no JSON.
        """
        try:
            return json.loads(self.content)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


async def exchange(
    client: httpx.AsyncClient,
    url: str,
    *,
    body: dict[str, object] | None = None,
    headers: dict[str, str],
    deadline_s: float,
    most_bytes: int,
) -> Answer:
    """Ask, and return the answer; `client` follows no redirect.

    Args:
        client: Carries the question.
        url: Whom to ask.
        body: Posted as JSON; without one the URL is got.
        headers: Sent with it.
        deadline_s: From the question to the answer's last byte: a server that sends a byte at a time is not waited for.
        most_bytes: Of the answer's body.

    Raises:
        NoAnswerError: The server cannot be reached, speaks no HTTP, or its answer does not come to an end.
    """
    method = "GET" if body is None else "POST"
    try:
        async with (
            asyncio.timeout(deadline_s),
            client.stream(method, url, json=body, headers=headers, timeout=deadline_s) as response,
        ):
            return Answer(response.status_code, await _whole(response, most_bytes))
    except TimeoutError:
        raise NoAnswerError(f"no answer within {deadline_s:.0f} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswerError(str(error) or type(error).__name__) from error


async def _whole(response: httpx.Response, most_bytes: int) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > most_bytes:
            raise NoAnswerError(f"an answer of more than {most_bytes // 2**20} MiB")
    return bytes(body)
