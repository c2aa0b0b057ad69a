"""Ready, as a user would mean it: all alive, healthy, serving the right model, and one real completion made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sparktui.errors import EngineError, LaunchError, UsageError
from sparktui.load.request import Api
from sparktui.serving.api import EngineApi, ServedModel, require_model

POLL_S = 0.25

Dead = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine that is up says of itself."""

    model: ServedModel
    version: str | None


async def wait_ready(
    servers: Sequence[EngineApi],
    model: str,
    *,
    dead: Dead,
    timeout_s: float,
    api: Api = "chat",
) -> Engine:
    """Wait until every server serves the model, and return what the first says of itself.

    Args:
        dead: Names a process that should be up and is not; looked at while waiting.

    Raises:
        LaunchError: One died, serves something else, failed its first completion, or was not ready in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            for server in servers:
                await _wait_healthy(server, dead)
            engines = [await _verify(server, model, api) for server in servers]
    except TimeoutError:
        raise LaunchError(
            f"not ready after {timeout_s:.0f} s: {await _unhealthy(servers)} does not answer /health",
            "the log below says what it was doing; a rank that never joined keeps the others waiting",
        ) from None
    except (EngineError, UsageError) as error:
        raise LaunchError(error.message, error.hint) from error
    return engines[0]


async def _wait_healthy(server: EngineApi, dead: Dead) -> None:
    while not await server.healthy():
        if (title := await dead()) is not None:
            raise LaunchError(f"{title} ended before it was ready", "its last lines say why")
        await asyncio.sleep(POLL_S)


async def _verify(server: EngineApi, model: str, api: Api) -> Engine:
    served = require_model(await server.models(), model, server.root)
    await server.complete_once(model, api)
    return Engine(served, await server.version())


async def _unhealthy(servers: Sequence[EngineApi]) -> str:
    for server in servers:
        if not await server.healthy():
            return server.root
    return servers[0].root
