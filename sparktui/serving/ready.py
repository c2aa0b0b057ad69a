"""Ready, as a user would mean it: all alive, healthy, serving the right model, and one real completion made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sparktui.errors import EngineError, LaunchError, UsageError
from sparktui.load.request import Api
from sparktui.serving.alive import Dead, PatientLook
from sparktui.serving.api import EngineApi, ServedModel, require_model

POLL_S = 0.25
LOOK_EVERY_S = 1.0
"""Whether a process is alive may take a command on another node."""

OnPhase = Callable[[str], Awaitable[None]]
"""Told, in words, what is being waited for."""


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine that is up says of itself."""

    model: ServedModel
    version: str | None
    answers_as: str | None = None
    """The model that it says has answered, where that is not the one it was asked for."""
    simulated: bool = False
    """Whether it, or any engine beside it, is the embedded one."""


async def wait_ready(
    servers: Sequence[EngineApi],
    model: str,
    *,
    dead: Dead,
    timeout_s: float,
    api: Api = "chat",
    on_phase: OnPhase | None = None,
    if_late: str = "the log below says what it was doing; a rank that never joined keeps the others waiting",
) -> Engine:
    """Wait until every server serves the model, and return what the first says of itself.

    Args:
        servers: The engines, and the router in front of them last.
        model: What they must serve.
        dead: Names a process that should be up and is not; looked at while waiting.
        timeout_s: For all of it together.
        api: Through which the first completion is made.
        on_phase: Called when there is something else to wait for.
        if_late: What helps where they are not ready in time.

    Raises:
        LaunchError: One died, serves something else, failed its first completion, or was not ready in time.
    """
    try:
        look = PatientLook(dead)
        async with asyncio.timeout(timeout_s):
            for server in servers:
                await _tell(on_phase, f"waiting for {server.root} to answer")
                await _wait_healthy(server, look)
            await _tell(on_phase, "making a first completion")
            engines = [await _verify(server, model, api) for server in servers]
    except TimeoutError:
        raise LaunchError(f"not ready after {timeout_s:.0f} s: {await _waited_for(servers)}", if_late) from None
    except (EngineError, UsageError) as error:
        raise LaunchError(error.message, error.hint) from error
    other = next((engine.answers_as for engine in engines if engine.answers_as is not None), None)
    return replace(engines[0], answers_as=other, simulated=any(engine.model.simulated for engine in engines))


async def _tell(on_phase: OnPhase | None, phase: str) -> None:
    if on_phase is not None:
        await on_phase(phase)


async def _wait_healthy(server: EngineApi, look: PatientLook) -> None:
    look_at, now = 0.0, asyncio.get_running_loop().time
    while not await server.healthy():
        if now() >= look_at:
            if (title := await look.dead()) is not None:
                raise LaunchError(f"{title} ended before it was ready", "its last lines say why")
            look_at = now() + LOOK_EVERY_S
        await asyncio.sleep(POLL_S)


async def _verify(server: EngineApi, model: str, api: Api) -> Engine:
    served = require_model(await server.models(), model, server.root)
    answered = await server.complete_once(model, api)
    return Engine(served, await server.version(), None if answered == model else answered)


async def _waited_for(servers: Sequence[EngineApi]) -> str:
    for server in servers:
        if not await server.healthy():
            return f"{server.root} does not answer /health"
    return "the first completion has not come back"
