"""Follows every engine and node on its own, so that a slow one delays no other, and tells what is known of all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import httpx

from sparktui.errors import SparktuiError
from sparktui.watching.engine import Engine
from sparktui.watching.fetch import Endpoint, NoFiguresError, fetch
from sparktui.watching.nodes import NodeFollower
from sparktui.watching.picture import Picture
from sparktui.watching.rates import together


class Watcher:
    """Everything that is watched."""

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        nodes: Sequence[NodeFollower] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._engines = [Engine(endpoint) for endpoint in endpoints]
        self._nodes = list(nodes)
        self._clock = clock
        self._wall = wall

    async def run(self, client: httpx.AsyncClient, hz: float) -> None:
        """Follow everything until cancelled.

        Args:
            client: Carries the questions; the caller closes it.
            hz: How often each engine is asked in a second.
        """
        async with asyncio.TaskGroup() as group:
            for engine in self._engines:
                group.create_task(self._follow(client, engine, 1 / hz))
            for node in self._nodes:
                group.create_task(node.run())

    def picture(self) -> Picture:
        """Return what is known now."""
        now, wall = self._clock(), self._wall()
        engines = tuple(engine.now(now) for engine in self._engines)
        return Picture(
            taken=wall,
            now=now,
            engines=engines,
            all=together(engine.figures for engine in engines if not engine.down),
            nodes=tuple(node.now(wall) for node in self._nodes),
        )

    async def _follow(self, client: httpx.AsyncClient, engine: Engine, every_s: float) -> None:
        while True:
            started = self._clock()
            try:
                page = await fetch(client, engine.endpoint)
            except SparktuiError as error:
                engine.silent(error.message, mute=isinstance(error, NoFiguresError))
            else:
                engine.heard(self._clock(), page)
            await asyncio.sleep(max(0.05, every_s - (self._clock() - started)))
