"""The simulated engine's HTTP face: OpenAI's endpoints as vLLM serves them, marked SIMULATED."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import sparktui
from sparktui.serving.embedded import OWNER
from sparktui.sim import text
from sparktui.sim.answer import Answer
from sparktui.sim.loop import EngineLoop
from sparktui.sim.metrics import EngineMetrics
from sparktui.sim.protocol import (
    ChatRequest,
    CompletionRequest,
    Json,
    RefusedError,
    TokenizeRequest,
    decode,
    length_limit,
)
from sparktui.sim.scheduler import Finish, Generation
from sparktui.sim.serve import ClosingStream

VERSION = f"{sparktui.__version__}+simulated"
NATURAL_LENGTH = (256, 1024)
"""Where an answer that is free to stop does so, in tokens."""
EVENT_STREAM = {"content-type": "text/event-stream; charset=utf-8"}
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class EngineApp:
    """The endpoints of one engine."""

    model: str
    seed: int
    max_model_len: int
    loop: EngineLoop
    metrics: EngineMetrics
    clock: Callable[[], float]
    loaded: bool = False

    def routes(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                Route("/health", self.health),
                Route("/version", self.version),
                Route("/metrics", self.metrics_page),
                Route("/v1/models", self._served(self.models)),
                Route("/tokenize", self._served(self.tokenize), methods=["POST"]),
                Route("/v1/chat/completions", self._served(self.chat), methods=["POST"]),
                Route("/v1/completions", self._served(self.completions), methods=["POST"]),
            ]
        )

    async def health(self, _: Request) -> Response:
        """200 once the model is loaded."""
        return Response(status_code=200 if self.loaded else 503)

    async def version(self, _: Request) -> Response:
        """The version, which says that it is simulated."""
        return _json({"version": VERSION})

    async def metrics_page(self, _: Request) -> Response:
        """The Prometheus page."""
        return Response(self.metrics.page(), media_type=METRICS_TYPE)

    async def models(self, _: Request) -> Response:
        """The one model served."""
        card: Json = {"id": self.model, "object": "model", "created": int(time.time()), "owned_by": OWNER}
        card |= {"root": self.model, "parent": None, "max_model_len": self.max_model_len}
        return _json({"object": "list", "data": [card]})

    async def tokenize(self, request: Request) -> Response:
        """Token ids of a prompt or of messages."""
        tokens = decode(await request.body(), TokenizeRequest, self.model).tokens()
        counts: Json = {"count": len(tokens), "max_model_len": self.max_model_len, "tokens": tokens}
        return _json(counts | {"token_strs": None})

    async def chat(self, request: Request) -> Response:
        """A chat completion."""
        received = self.clock()
        return await self._answer(request, decode(await request.body(), ChatRequest, self.model), received)

    async def completions(self, request: Request) -> Response:
        """A text completion."""
        received = self.clock()
        return await self._answer(request, decode(await request.body(), CompletionRequest, self.model), received)

    async def _answer(self, http: Request, request: ChatRequest | CompletionRequest, received: float) -> Response:
        prompt = request.tokens()
        limit = length_limit(request, len(prompt), self.max_model_len)
        length, finish = self._length(request, prompt, limit)
        stream = self.loop.submit(Generation(prompt, length, finish), received)
        answer = Answer(request, self.model, stream, text.say(self.seed, prompt))
        if request.stream:
            return ClosingStream(answer.events(), lambda: self.loop.close(stream), 200, EVENT_STREAM)
        try:
            return await _unless_gone(http, answer)
        finally:
            self.loop.close(stream)

    def _length(self, request: ChatRequest | CompletionRequest, prompt: list[int], limit: int) -> tuple[int, Finish]:
        if request.ignore_eos:
            return limit, "length"
        rng = random.Random(hash((self.seed, tuple(prompt), "length")))  # noqa: S311 - the same every time, on purpose
        natural = max(request.min_tokens, rng.randint(*NATURAL_LENGTH))
        return (natural, "stop") if natural < limit else (limit, "length")

    def _served(self, endpoint: Endpoint) -> Endpoint:
        async def served(request: Request) -> Response:
            try:
                if not self.loaded:
                    raise RefusedError("The model is still loading.", status=503, kind="ServiceUnavailableError")
                return await endpoint(request)
            except RefusedError as error:
                return _json(error.body, error.status)

        return served


async def _unless_gone(http: Request, answer: Answer) -> Response:
    """Return the whole answer; a client that goes away first gets nothing, and its slot is free at once."""
    whole = asyncio.ensure_future(answer.whole())
    gone = asyncio.ensure_future(_disconnected(http))
    try:
        await asyncio.wait((whole, gone), return_when=asyncio.FIRST_COMPLETED)
        return _json(whole.result()) if whole.done() else Response(status_code=499)
    finally:
        for task in (whole, gone):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone


async def _disconnected(http: Request) -> None:
    while (await http.receive())["type"] != "http.disconnect":
        pass


def _json(body: Json, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
