"""A topology on its way up can be ended at any moment, and says truly what it waited for."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from sparktui.errors import HostError, LaunchError
from sparktui.runner.bring_up import BringUp
from sparktui.serving import alive, ready
from sparktui.serving.api import EngineApi, ServedModel
from sparktui.serving.plan import Plan
from sparktui.serving.ready import Engine, wait_ready


async def test_a_cancellation_that_comes_while_the_last_word_is_said_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    speaking, spoken = asyncio.Event(), asyncio.Event()

    async def up(_: BringUp) -> Engine:
        await asyncio.sleep(0)
        return Engine(ServedModel("m"), None)

    async def tell(_: BringUp) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            speaking.set()
            await spoken.wait()

    monkeypatch.setattr(BringUp, "_launch_and_wait", up)
    monkeypatch.setattr(BringUp, "_tell", tell)
    nothing = cast(Any, None)
    bringing = asyncio.create_task(BringUp(Plan("solo", "m", "", ()), nothing, nothing, nothing, "chat", 1.0).run())
    await speaking.wait()
    bringing.cancel()
    spoken.set()
    with pytest.raises(asyncio.CancelledError):
        await bringing


class Slow:
    """A server that is healthy, and never completes."""

    root = "http://gf2:8000"

    async def healthy(self) -> bool:
        return True

    async def models(self) -> tuple[ServedModel, ...]:
        return (ServedModel("m"),)

    async def complete_once(self, model: str, api: str) -> None:
        await asyncio.Event().wait()


async def test_a_first_completion_that_does_not_come_back_is_not_blamed_on_the_health_check() -> None:
    async def nobody() -> None:
        return None

    with pytest.raises(LaunchError, match="the first completion has not come back"):
        await wait_ready([cast(EngineApi, Slow())], "m", dead=nobody, timeout_s=0.05)


class Loading(Slow):
    """A server that is healthy once its node has been asked three times, and completes."""

    def __init__(self) -> None:
        self.asked = 0

    async def healthy(self) -> bool:
        return self.asked >= 3

    async def complete_once(self, model: str, api: str) -> None:
        return None

    async def version(self) -> None:
        return None

    async def not_answered(self) -> None:
        self.asked += 1
        raise HostError("ssh gf2: the connection was lost")


async def test_a_connection_that_breaks_while_a_model_loads_does_not_end_the_launch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ready, "POLL_S", 0)
    monkeypatch.setattr(ready, "LOOK_EVERY_S", 0)
    server = Loading()
    found = await wait_ready([cast(EngineApi, server)], "m", dead=server.not_answered, timeout_s=30)
    assert found.model.id == "m"


async def test_a_node_that_is_gone_while_a_model_loads_ends_the_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alive, "UNREACHABLE_AFTER_S", 0)
    server = Loading()
    with pytest.raises(LaunchError, match="a node cannot be reached any more: ssh gf2: the connection was lost"):
        await wait_ready([cast(EngineApi, server)], "m", dead=server.not_answered, timeout_s=30)
