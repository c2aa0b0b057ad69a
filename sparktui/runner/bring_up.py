"""One topology on its way up: launched, waited for while it says what it does, and asked what it runs with."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from statistics import median

from sparktui.errors import HostError, LaunchError
from sparktui.load.request import Api
from sparktui.runner.journal import Journal
from sparktui.serving.api import Access
from sparktui.serving.engine_log import facts_in, in_words, trouble_in
from sparktui.serving.launch import Deployment
from sparktui.serving.plan import Plan
from sparktui.serving.ready import Engine, wait_ready
from sparktui.serving.tails import last_lines
from sparktui.units import duration

UP_TIMEOUT_S = 10.0
"""For a server that is said to be up already."""
TELL_EVERY_S = 15.0
TAIL_LINES = 2
"""Of every log, while it loads."""


@dataclass(frozen=True, slots=True)
class Up:
    """A topology that serves."""

    engine: Engine
    seconds: float
    """From the first step to the first completion."""
    facts: dict[str, str]
    """What the engine says of itself; a fact it does not tell is not there."""


@dataclass(slots=True)
class BringUp:
    """Brings one topology up and says so."""

    plan: Plan
    deployment: Deployment
    access: Access
    journal: Journal
    api: Api
    timeout_s: float
    earlier_s: tuple[float, ...] = ()
    """How long earlier launches of this topology took."""
    _phase: str = "starting"
    _started: float = 0.0

    async def run(self) -> Up:
        """Launch, and wait until it serves.

        Raises:
            LaunchError: It does not come up; what was started before is still up.
        """
        self._started = time.monotonic()
        telling = asyncio.create_task(self._tell())
        try:
            engine = await self._launch_and_wait()
        except LaunchError as error:
            raise await self._explained(error) from error
        finally:
            telling.cancel()
            await asyncio.wait([telling])  # not awaited itself: a cancellation of this one would pass for its own
        took = time.monotonic() - self._started
        facts = {**_said(engine), **await self._facts()}
        said = in_words(facts)
        text = f"{self.plan.topology}: ready after {duration(took)}{self._against_earlier()}"
        text += f": {said}" if said else ""
        await self.journal.info(self.plan.topology, "ready", text, {"seconds": took, "engine": facts})
        if engine.answers_as is not None:
            text = f"{self.plan.topology}: asked for {self.plan.model}, it answers as {engine.answers_as}"
            await self.journal.warning(self.plan.topology, "other-model", text, {"answers_as": engine.answers_as})
        return Up(engine, took, facts)

    async def _launch_and_wait(self) -> Engine:
        await self.deployment.launch()
        urls = tuple(dict.fromkeys([*(backend.url for backend in self.plan.backends), self.plan.url]))
        servers = [self.access.api(url) for url in urls]
        wait = partial(
            wait_ready, servers, self.plan.model, dead=self.deployment.dead, api=self.api, on_phase=self._enter
        )
        if self.plan.steps:
            return await wait(timeout_s=self.timeout_s)
        return await wait(timeout_s=UP_TIMEOUT_S, if_late="nothing was launched there: start it, or mend its address")

    async def _enter(self, phase: str) -> None:
        self._phase = phase
        await self._say()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            await self._say()

    async def _say(self) -> None:
        took = time.monotonic() - self._started
        text = f"{self.plan.topology}: {self._phase}, {duration(took)}{self._against_earlier()}"
        data = {"seconds": took, "earlier_s": self.earlier_s, "loading_tail": await self._tail()}
        await self.journal.info(self.plan.topology, "loading", text, data)

    async def _tail(self) -> str:
        return last_lines(await self.deployment.log_tails(), TAIL_LINES)

    def _against_earlier(self) -> str:
        if not self.earlier_s or not self.plan.steps:
            return ""
        times = f"{len(self.earlier_s)} earlier launches took" if len(self.earlier_s) > 1 else "the last launch took"
        return f" ({times} {duration(median(self.earlier_s))})"

    async def _facts(self) -> dict[str, str]:
        try:
            return facts_in(await self.deployment.engine_log())
        except HostError:
            return {}

    async def _explained(self, error: LaunchError) -> LaunchError:
        """Add what the logs say of why, where they do."""
        tail = error.log_tail or await self.deployment.log_tails()
        trouble = trouble_in(tail)
        if trouble is None:
            return LaunchError(error.message, error.hint, tail)
        return LaunchError(f"{error.message}: {trouble.what}", trouble.hint, tail)


def _said(engine: Engine) -> dict[str, str]:
    said = {"version": engine.version, "max_model_len": engine.model.max_model_len}
    return {name: str(value) for name, value in said.items() if value is not None}
