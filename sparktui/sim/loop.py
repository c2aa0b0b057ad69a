"""The engine's step loop on real time: steps end on absolute deadlines, so that late timers do not add up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sparktui.sim.metrics import EngineMetrics
from sparktui.sim.scheduler import Generation, Scheduler, Step

BEHIND_AT_MOST_S = 0.03
"""What is caught up with: timers that fire late. A process held up for longer goes on from there, as a real engine
would: steps rushed through would make a burst of tokens that no engine makes."""


class Stream:
    """A request's tokens as they are made; one slow reader finds several at once and delays nobody."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._taken = 0
        self._waiter: asyncio.Future[None] | None = None

    async def take(self) -> int:
        """Wait for tokens and return how many are new; 0 once all have been taken."""
        generation = self.generation
        while generation.generated == self._taken and not generation.done:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        new = generation.generated - self._taken
        self._taken = generation.generated
        return new

    def wake(self) -> None:
        """Tell the reader that there is a token."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class EngineLoop:
    """Drives a scheduler on the event loop's clock."""

    def __init__(
        self,
        scheduler: Scheduler,
        metrics: EngineMetrics,
        clock: Callable[[], float],
        freezes: Callable[[], bool] = lambda: False,
    ) -> None:
        self._busy_s = 0.0
        self._tokens = 0
        self._step: Step | None = None
        self.frozen = False
        """It will never make another token, though it takes requests."""
        self._scheduler = scheduler
        self._metrics = metrics
        self._clock = clock
        self._freezes = freezes
        self._streams: dict[Generation, Stream] = {}
        self._submitted = asyncio.Event()

    @property
    def busy_s(self) -> float:
        """How long it has been computing, the step in flight included."""
        return self._busy_s + (self._step.duration_s * self._done(self._step) if self._step else 0.0)

    @property
    def tokens(self) -> int:
        """Prompt and generated tokens that went through the model, as far as the step in flight has got."""
        return self._tokens + (int(self._step.tokens * self._done(self._step)) if self._step else 0)

    def _done(self, step: Step) -> float:
        return min(1.0, max(0.0, (self._clock() - step.starts) / step.duration_s))

    def submit(self, generation: Generation, received: float) -> Stream:
        """Queue a request; the stream must be closed with `close`, read to its end or not."""
        self._scheduler.submit(generation, received)
        stream = self._streams[generation] = Stream(generation)
        self._submitted.set()
        return stream

    def close(self, stream: Stream) -> None:
        """Free what a request holds; one that is not done counts as aborted."""
        del self._streams[stream.generation]
        if not stream.generation.done:
            self._scheduler.abort(stream.generation)
            self._metrics.aborted()

    async def run(self) -> None:
        """Step until cancelled, or until it is to be frozen: then only wait for that."""
        free_at = self._clock()
        while not self.frozen:
            start = self._scheduler.next_start(free_at)
            if start is None:
                self._submitted.clear()
                await self._submitted.wait()
            else:
                free_at = await self._run_step(max(start, self._clock() - BEHIND_AT_MOST_S))
            self.frozen = self._freezes()
        await asyncio.get_running_loop().create_future()

    async def _run_step(self, start: float) -> float:
        await self._until(start)
        step = self._scheduler.start(start)
        if step is None:
            return start
        self._step = step
        await self._until(step.ends)
        made = self._scheduler.finish(step)
        self._step = None
        self._busy_s += step.duration_s
        self._tokens += step.tokens
        self._metrics.step(step, made)
        for generation in made:
            self._streams[generation].wake()
        return step.ends

    async def _until(self, deadline: float) -> None:
        await asyncio.sleep(max(0.0, deadline - self._clock()))
