"""The control plane of a serving engine: what is asked beside the timed streams. Every call has a deadline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean

import httpx

from sparktui.errors import EngineError, UsageError
from sparktui.load.exchange import Answer, NoAnswerError, exchange
from sparktui.load.request import Api, Prompt, api_url, bearer, root_of, said, without_key
from sparktui.serving.embedded import OWNER

TIMEOUT_S = 10.0
ENGINE_HEALTH = "/health"
ROUTER_HEALTH = "/health/liveliness"
"""LiteLLM's /health asks every backend for a completion; this says only that the proxy is up."""
COMPLETION_TIMEOUT_S = 120.0
"""A first completion may compile kernels."""
LATENCY_PROBES = 3
MOST_BYTES = 16 * 2**20
"""Of an answer: a busy engine's /metrics page has some hundred kilobytes."""
MOST_NAME = 200
MOST_ID = 1000
"""Of a model's name: some are served under the path of their folder."""
MOST_LISTED = 20
MOST_TOKENS = 2**40
"""No context is as long; what a server says beyond it is not known."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One line of `/v1/models`."""

    id: str
    max_model_len: int | None = None
    simulated: bool = False
    """Whether it is the embedded engine's: what that answers is no measurement."""


class EngineApi:
    """One server, by its base URL.

    Raises:
        UsageError: The URL is no usable http or https address, or no header can carry the key.
    """

    def __init__(
        self, url: str, client: httpx.AsyncClient, key: str | None = None, *, health: str = ENGINE_HEALTH
    ) -> None:
        self.root = root_of(url)
        self._health = health
        self._client = client
        self._key = key
        self._headers = {"Authorization": bearer(key)} if key else {}

    async def healthy(self) -> bool:
        """Tell whether it answers its health check; a server without one is asked for its models instead."""
        for path in (self._health, "/v1/models"):
            try:
                response = await self._get(path)
            except EngineError:
                return False
            if response.status != 404:
                return response.status == 200
        return False

    async def models(self) -> tuple[ServedModel, ...]:
        """Return what it serves.

        Raises:
            EngineError: It did not answer, or not with a list of models.
        """
        response = await self._get("/v1/models")
        if response.status != 200:
            raise EngineError(f"{self.root}/v1/models answered {response.status}", "is this an OpenAI-compatible API?")
        try:
            return tuple(_served(entry) for entry in response.json()["data"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EngineError(
                f"{self.root}/v1/models does not list models", "is this an OpenAI-compatible API?"
            ) from error

    async def version(self) -> str | None:
        """Return what the engine calls itself, where it says."""
        try:
            body = (await self._get("/version")).json()
        except (EngineError, ValueError):
            return None
        return _name(body.get("version")) if isinstance(body, dict) else None

    async def latency_us(self) -> float | None:
        """Return how long an idle server takes to answer for its models, until the body is read; None of no answer.

        The mean of three, one after another: llama-benchy's latency mode `api`. Whatever status answers counts.
        """
        taken_us = []
        for _ in range(LATENCY_PROBES):
            started = time.perf_counter()
            with suppress(EngineError):
                await self._get("/v1/models")
                taken_us.append((time.perf_counter() - started) * 1e6)
        return fmean(taken_us) if taken_us else None

    async def complete_once(self, model: str, api: Api = "chat") -> str | None:
        """Have one token generated: the proof that it serves, through the API that will be measured.

        Returns:
            The model that it says has answered; None where it does not say.

        Raises:
            EngineError: It did not.
        """
        body = {"model": model, "max_tokens": 1, **said(Prompt("Hello"), api)}
        try:
            response = await self._ask(api_url(self.root, api), body, COMPLETION_TIMEOUT_S)
        except NoAnswerError as error:
            raise EngineError(f"{self.root}: a first completion failed: {error}") from error
        if response.status != 200:
            answer = without_key(response.content, self._key).decode("utf-8", "replace")
            raise EngineError(f"{self.root}: a first completion answered {response.status}: {_short(answer)}")
        return _model_in(response)

    async def metrics_page(self) -> str | None:
        """Return the /metrics page, or None where there is none."""
        try:
            response = await self._get("/metrics")
        except EngineError:
            return None
        return response.text if response.status == 200 else None

    async def _get(self, path: str) -> Answer:
        try:
            return await self._ask(self.root + path, None, TIMEOUT_S)
        except NoAnswerError as error:
            raise EngineError(f"{self.root} does not answer: {error}", "is it up, and is the URL right?") from error

    async def _ask(self, url: str, body: dict[str, object] | None, deadline_s: float) -> Answer:
        return await exchange(
            self._client, url, body=body, headers=self._headers, deadline_s=deadline_s, most_bytes=MOST_BYTES
        )


@dataclass(frozen=True, slots=True)
class Access:
    """How the servers of one topology are reached: the key goes where requests go, and nowhere else."""

    client: httpx.AsyncClient
    url: str
    key: str | None = None
    routed: bool = False
    """Whether `url` is a router in front of the engines."""

    def key_for(self, url: str) -> str | None:
        """Return the key for a server, None for one that is not given it."""
        return self.key if url == self.url else None

    def api(self, url: str) -> EngineApi:
        """Return the control plane of a server."""
        health = ROUTER_HEALTH if self.routed and url == self.url else ENGINE_HEALTH
        return EngineApi(url, self.client, self.key_for(url), health=health)


def require_model(served: tuple[ServedModel, ...], model: str, url: str) -> ServedModel:
    """Return the model from what a server serves; one that lists nothing is taken at its word when it is asked.

    Raises:
        UsageError: It is not among them; the message lists what is.
    """
    if not served:
        return ServedModel(model)
    for entry in served:
        if entry.id == model:
            return entry
    names = ", ".join(_short(entry.id, MOST_NAME) for entry in served[:MOST_LISTED])
    more = f" and {len(served) - MOST_LISTED} more" if len(served) > MOST_LISTED else ""
    raise UsageError(f"{url} does not serve {model!r}; it serves {names}{more}", "name one of these as the model")


def new_client() -> httpx.AsyncClient:
    """Return a client for engines on the owner's own network: no proxy from the environment gets in between."""
    return httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S, follow_redirects=False)


def _model_in(answer: Answer) -> str | None:
    try:
        said = answer.json()
    except ValueError:
        return None
    return _name(said.get("model")) if isinstance(said, dict) else None


def _name(value: object) -> str | None:
    return value[:MOST_NAME] if isinstance(value, str) and value else None


def _id(value: object) -> str:
    """Return a model's name, whole: it is what requests ask for."""
    if not isinstance(value, str) or not 0 < len(value) <= MOST_ID:
        raise ValueError("a model without a name")
    return value


def _served(entry: Mapping[str, object]) -> ServedModel:
    return ServedModel(_id(entry["id"]), _length(entry.get("max_model_len")), entry.get("owned_by") == OWNER)


def _length(value: object) -> int | None:
    return value if isinstance(value, int) and 0 < value < MOST_TOKENS else None


def _short(text: str, limit: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
