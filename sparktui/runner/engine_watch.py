"""Reads the engines' own /metrics beside the load: queue, KV cache and token counters, backend by backend."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, fields

from sparktui.errors import SparktuiError
from sparktui.measure.metrics_page import parse_metrics
from sparktui.measure.server_figures import ServerFigures
from sparktui.serving.api import Access, EngineApi
from sparktui.serving.plan import Backend
from sparktui.store.writer import Writer

POLL_S = 1.0
SETTLE_S = 2.0
"""A counter may move for a moment after the last answer has arrived."""

AT_ONCE_S = 1.0


@dataclass(frozen=True, slots=True)
class Counters:
    """Token counters summed over all backends; None where a backend has none."""

    prompt_tokens: int | None = None
    generation_tokens: int | None = None
    prefix_queries: int | None = None
    prefix_hits: int | None = None

    @property
    def prefix(self) -> tuple[int, int] | None:
        """Prompt tokens found in the prefix cache, and those looked up in it."""
        hits, queries = self.prefix_hits, self.prefix_queries
        return None if hits is None or queries is None else (hits, queries)

    def since(self, before: Counters) -> Counters:
        """Return how far each has moved; one that went back was reset and says nothing."""
        return Counters(*(_moved(getattr(before, f.name), getattr(self, f.name)) for f in fields(self)))


class EngineWatch:
    """The engines behind one topology."""

    def __init__(self, backends: tuple[Backend, ...], access: Access) -> None:
        self._apis = {backend.node: access.api(backend.url) for backend in backends}

    async def poll(self, writer: Writer, sweep: int) -> None:
        """Store what every engine says, once a second, until cancelled."""
        while True:
            started = time.monotonic()
            look, at = (
                await self.read(),
                time.time(),
            )  # one moment for all: a slow disk must not part what belongs together
            for name, figures in look.items():
                if figures is not None:
                    await writer.add_server_sample(sweep, name, figures, at)
            await asyncio.sleep(max(0.1, POLL_S - (time.monotonic() - started)))

    async def read(self) -> dict[str, ServerFigures | None]:
        """Return what every engine says now; None for one without metrics."""
        return {name: await _figures(api) for name, api in self._apis.items()}

    async def counters(self) -> Counters:
        """Return the token counters now."""
        every = list((await self.read()).values())
        return Counters(*(_total([getattr(one, f.name) if one else None for one in every]) for f in fields(Counters)))

    async def counters_now(self) -> Counters:
        """Return the token counters as far as they are told at once: a wave waits for them to be stored."""
        try:
            async with asyncio.timeout(AT_ONCE_S):
                return await self.counters()
        except TimeoutError:
            return Counters()

    async def settled_counters(self) -> Counters:
        """Return the token counters once two looks in a row agree."""
        deadline = time.monotonic() + SETTLE_S
        before = await self.counters()
        while time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            now = await self.counters()
            if now == before:
                break
            before = now
        return before


async def _figures(api: EngineApi) -> ServerFigures | None:
    page = await api.metrics_page()
    if page is None:
        return None
    try:
        return parse_metrics(page)
    except SparktuiError:
        return None


def _moved(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None or after < before else after - before


def _total(values: list[float | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(sum(known)) if known and len(known) == len(values) else None
