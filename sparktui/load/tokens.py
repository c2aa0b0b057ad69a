"""The server's own token counts: vLLM's `/tokenize`, or `usage` of one-token completions where that is missing."""

from __future__ import annotations

import contextlib
from typing import Any

import httpx

from sparktui.errors import EngineError
from sparktui.load.completion import message_in
from sparktui.load.exchange import NoAnswerError, exchange
from sparktui.load.prompts import Method, TokenCounter
from sparktui.load.request import Api, Prompt, api_url, bearer, root_of, said, without_key

_TIMEOUT_S = 60.0
_MOST_BYTES = 64 * 2**20
"""`/tokenize` answers with every token's number."""
_PROBE = Prompt(user="Note")
_KEY_REFUSED = (401, 403)


class NoCountError(EngineError):
    """This server has no such count; another way may work."""


class _Asker:
    """Posts JSON and tells the ways it can go wrong apart."""

    def __init__(self, client: httpx.AsyncClient, key: str | None) -> None:
        self._client = client
        self._key = key
        self._headers = {} if key is None else {"Authorization": bearer(key)}

    async def post(self, url: str, body: dict[str, object]) -> dict[str, Any]:
        try:
            response = await exchange(
                self._client, url, body=body, headers=self._headers, deadline_s=_TIMEOUT_S, most_bytes=_MOST_BYTES
            )
            answer = response.json() if 200 <= response.status < 300 else None
        except NoAnswerError as error:
            raise EngineError(f"{url} cannot be reached: {error}.") from error
        except ValueError as error:
            raise NoCountError(f"{url} did not answer with JSON.") from error
        if isinstance(answer, dict):
            return answer
        problem = f"{url} answered {response.status}: {message_in(without_key(response.content, self._key))}"
        if response.status in _KEY_REFUSED:
            raise EngineError(problem, "Check the API key: it is in the variable or the file that the profile names.")
        raise NoCountError(problem)


class TokenizeCounter:
    """Asks `/tokenize`, which renders the chat template as the serving endpoint does and runs nothing."""

    method: Method = "tokenize"

    def __init__(self, ask: _Asker, url: str, model: str, api: Api) -> None:
        self._ask = ask
        self._url = f"{root_of(url)}/tokenize"
        self._api = api
        self._body: dict[str, object] = {"model": model}
        if api == "chat":
            self._body["add_generation_prompt"] = True

    async def count(self, prompt: Prompt) -> int:
        """Return the tokens in a prompt, template included."""
        answer = await self._ask.post(self._url, {**self._body, **said(prompt, self._api)})
        # llama.cpp has a /tokenize of another kind, without a count.
        return _positive(answer.get("count"), self._url)


class UsageCounter:
    """Runs the prompt for one token and reads `usage.prompt_tokens`."""

    method: Method = "usage"

    def __init__(self, ask: _Asker, url: str, model: str, api: Api) -> None:
        self._ask = ask
        self._url = api_url(url, api)
        self._api = api
        self._model = model

    async def count(self, prompt: Prompt) -> int:
        """Return the tokens in a prompt, template included."""
        body: dict[str, object] = {"model": self._model, **said(prompt, self._api), "max_tokens": 1}
        answer = await self._ask.post(self._url, body)
        usage = answer.get("usage")
        return _positive(usage.get("prompt_tokens") if isinstance(usage, dict) else None, self._url)


async def find_counter(
    client: httpx.AsyncClient, url: str, model: str, *, api: Api = "chat", key: str | None = None
) -> TokenCounter | None:
    """Return the best counter that a server has, None where it has none.

    Args:
        client: Carries the questions; the caller closes it.
        url: The base address of an engine; of a backend, where a router in front has no `/tokenize`.
        model: What requests ask for.
        api: What requests are sent to.
        key: The API key.

    Raises:
        EngineError: If the server cannot be reached or refuses the key.
        UsageError: If the address or the key is not usable.
    """
    ask = _Asker(client, key)
    for counter in (TokenizeCounter(ask, url, model, api), UsageCounter(ask, url, model, api)):
        with contextlib.suppress(NoCountError):
            await counter.count(_PROBE)
            return counter
    return None


def _positive(count: object, url: str) -> int:
    if isinstance(count, int) and count > 0:
        return count
    raise NoCountError(f"{url} gave no token count.")
