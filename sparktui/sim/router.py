"""A simulated LiteLLM in front of several engines, with its simple-shuffle: each request to one picked at random.

`python -m sparktui.sim.router --port 4000 --model NAME --backend gf1=http://127.0.0.1:8001 --backend gf2=...`
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
from dataclasses import dataclass, field

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sparktui.sim.serve import ClosingStream, listen, serve
from sparktui.sim.upstream import UpstreamError, post

LITELLM_ADDED_MS = 26.0
"""What the published benchmark shows LiteLLM to add to a request's first token."""
HEALTH_TIMEOUT_S = 2.0

log = logging.getLogger("sparktui.sim")


@dataclass(frozen=True, slots=True)
class Backend:
    """One engine behind the router."""

    id: str
    url: str

    @property
    def headers(self) -> dict[str, str]:
        """How LiteLLM says which backend answered."""
        return {"x-litellm-model-id": self.id, "x-litellm-model-api-base": f"{self.url}/v1"}


@dataclass(slots=True)
class RouterApp:
    """The endpoints of one router."""

    model: str
    backends: tuple[Backend, ...]
    added_s: float
    rng: random.Random = field(default_factory=random.Random)

    def routes(self) -> Starlette:
        """Return the ASGI application; LiteLLM has neither /tokenize nor /metrics, so nor has this."""
        return Starlette(
            routes=[
                Route("/health/liveliness", self.alive),
                Route("/health/readiness", self.alive),
                Route("/health", self.health),
                Route("/v1/models", self.models),
                Route("/v1/chat/completions", self.forward, methods=["POST"]),
                Route("/v1/completions", self.forward, methods=["POST"]),
            ]
        )

    async def alive(self, _: Request) -> Response:
        """200 as long as the router runs."""
        return _json("I'm alive!")

    async def health(self, _: Request) -> Response:
        """Which backends answer."""
        async with httpx.AsyncClient(timeout=HEALTH_TIMEOUT_S) as client:
            states = await asyncio.gather(*(_is_healthy(client, backend) for backend in self.backends))
        entries = [({"model": self.model, "api_base": f"{backend.url}/v1"}) for backend in self.backends]
        healthy = [entry for entry, state in zip(entries, states, strict=True) if state]
        unhealthy = [entry for entry, state in zip(entries, states, strict=True) if not state]
        counts = {"healthy_count": len(healthy), "unhealthy_count": len(unhealthy)}
        return _json({"healthy_endpoints": healthy, "unhealthy_endpoints": unhealthy, **counts})

    async def models(self, _: Request) -> Response:
        """The one model served."""
        card = {"id": self.model, "object": "model", "created": 0, "owned_by": "sparktui (SIMULATED)"}
        return _json({"object": "list", "data": [card]})

    async def forward(self, request: Request) -> Response:
        """Pass a request on and its answer back, unchanged."""
        due = asyncio.get_running_loop().time() + self.added_s
        body = await request.body()
        backend = self.rng.choice(self.backends)
        await asyncio.sleep(due - asyncio.get_running_loop().time())
        try:
            upstream = await post(backend.url, request.url.path, body)
        except UpstreamError as error:
            return _json(_failure(backend, error), 500, backend.headers)
        headers = backend.headers | {"content-type": upstream.content_type}
        return ClosingStream(upstream.body(), upstream.close, upstream.status, headers)


async def _is_healthy(client: httpx.AsyncClient, backend: Backend) -> bool:
    try:
        return (await client.get(f"{backend.url}/health")).status_code == 200
    except httpx.HTTPError:
        return False


def _failure(backend: Backend, error: UpstreamError) -> object:
    message = f"litellm.InternalServerError: {backend.id}: {error}"
    return {"error": {"message": message, "type": "internal_server_error", "param": None, "code": "500"}}


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _backend(text: str) -> Backend:
    name, equals, url = text.partition("=")
    if not (name and equals and url.startswith("http://")):
        raise argparse.ArgumentTypeError(f"expected ID=http://host:port, got {text!r}")
    return Backend(name, url.rstrip("/"))


def main(argv: list[str] | None = None) -> int:
    """Run the router; return the exit code."""
    parser = argparse.ArgumentParser(prog="sparktui.sim.router", description="A SIMULATED LiteLLM.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--backend", type=_backend, action="append", required=True, metavar="ID=URL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--added-ms", type=float, default=LITELLM_ADDED_MS)
    options = parser.parse_args(argv)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s [SIMULATED] %(message)s")
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        log.error("Cannot listen on %s:%d: %s", options.host, options.port, error.strerror)
        return 1
    rng = random.Random(f"router-{options.seed}")  # noqa: S311 - the same every time, on purpose
    app = RouterApp(options.model, tuple(options.backend), options.added_ms / 1000, rng)
    log.info("LiteLLM stand-in: simple-shuffle over %s", ", ".join(backend.id for backend in options.backend))
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(serve(app.routes(), listener))
    return 0


if __name__ == "__main__":
    sys.exit(main())
