"""Continuous batching with chunked prefill, first come first served: vLLM V1's scheduler, simplified.

It owns no clock: whoever drives it says what time it is, so tests are exact and a wave can be played without waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sparktui.sim.model import StepModel
from sparktui.sim.prefix import BLOCK_TOKENS, PrefixCache, blocks_for

Finish = Literal["length", "stop"]


@dataclass(slots=True, eq=False)
class Generation:
    """One request on its way through the engine."""

    prompt: Sequence[int]
    length: int
    """Tokens it will generate."""
    finish: Finish = "length"
    received: float = 0.0
    arrives: float = 0.0
    """When the scheduler may first see it."""
    scheduled: float | None = None
    """When its first step started."""
    first_token: float | None = None
    last_token: float | None = None
    computed: int = 0
    """Prompt tokens in the KV cache, those found in the prefix cache included."""
    cached: int = 0
    generated: int = 0
    aborted: bool = False

    @property
    def decoding(self) -> bool:
        """Whether the whole prompt is in the KV cache."""
        return self.computed == len(self.prompt)

    @property
    def done(self) -> bool:
        """Whether the last token has been made."""
        return self.generated >= self.length


@dataclass(frozen=True, slots=True)
class Limits:
    """What one engine can take at once."""

    step_tokens: int = 8192
    """vLLM's `max_num_batched_tokens`."""
    max_num_seqs: int = 256
    kv_tokens: int = 1_000_000
    prefix_caching: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """One forward pass: who takes part in it, from when to when."""

    starts: float
    ends: float
    decodes: tuple[Generation, ...]
    chunks: tuple[tuple[Generation, int], ...]
    """Who prefills, and how many tokens of its prompt."""

    @property
    def prompt_tokens(self) -> int:
        """How many prompt tokens the step computes."""
        return sum(tokens for _, tokens in self.chunks)

    @property
    def tokens(self) -> int:
        """How many tokens go through the model, prompt or generated."""
        return self.prompt_tokens + len(self.decodes)

    @property
    def duration_s(self) -> float:
        """How long the step takes."""
        return self.ends - self.starts


class StepNoise(Protocol):
    """What step times are multiplied by."""

    def factor(self, now: float) -> float:
        """Return the factor for a step starting at `now`."""


@dataclass(slots=True)
class Scheduler:
    """The queues of one engine."""

    model: StepModel
    limits: Limits = field(default_factory=Limits)
    noise: StepNoise | None = None
    running: list[Generation] = field(default_factory=list)
    waiting: deque[Generation] = field(default_factory=deque)
    prefix: PrefixCache = field(init=False)
    _arriving: deque[Generation] = field(default_factory=deque)
    _last_arrival: float = float("-inf")
    _reserved_blocks: int = 0

    def __post_init__(self) -> None:
        self.prefix = PrefixCache(self.total_blocks)

    @property
    def total_blocks(self) -> int:
        """How many blocks the KV cache has."""
        return self.limits.kv_tokens // BLOCK_TOKENS

    @property
    def kv_usage(self) -> float:
        """The share of the KV cache that running requests fill, 0 to 1."""
        used = sum(blocks_for(generation.computed + generation.generated) for generation in self.running)
        return used / self.total_blocks

    def submit(self, generation: Generation, now: float) -> None:
        """Take a request that came in at `now`; it reaches the queue after the once-only overhead.

        Raises ValueError for one that the whole KV cache could not hold.
        """
        if _reservation(generation) > self.total_blocks:
            raise ValueError(f"{len(generation.prompt)} + {generation.length} tokens do not fit into the KV cache")
        generation.received = now
        generation.arrives = max(now + self.model.overhead, self._last_arrival + self.model.arrival_gap)
        self._last_arrival = generation.arrives
        self._arriving.append(generation)

    def abort(self, generation: Generation) -> None:
        """Drop a request wherever it is; a step in flight goes on without it."""
        generation.aborted = True
        if generation in self.running:
            self._leave(generation)
        elif generation in self.waiting:
            self.waiting.remove(generation)
        elif generation in self._arriving:
            self._arriving.remove(generation)

    def next_start(self, free_at: float) -> float | None:
        """Return when the next step can start on an engine free from `free_at`; None with nothing to do."""
        if self.running or self.waiting:
            return free_at
        return max(free_at, self._arriving[0].arrives) if self._arriving else None

    def start(self, now: float) -> Step | None:
        """Form the step that starts at `now`; None where there is nothing to compute."""
        self._arrive(now)
        decodes = tuple(generation for generation in self.running if generation.decoding)
        chunks = self._chunks(self.limits.step_tokens - len(decodes), now)
        if not decodes and not chunks:
            return None
        duration = self.model.step_s(sum(tokens for _, tokens in chunks), len(decodes))
        if self.noise is not None:
            duration *= self.noise.factor(now)
        return Step(now, now + duration, decodes, tuple(chunks))

    def finish(self, step: Step) -> list[Generation]:
        """Apply a step that has ended; return those that made a token in it, in slot order."""
        made = [generation for generation in step.decodes if not generation.aborted]
        for generation, tokens in step.chunks:
            generation.computed += tokens
            if generation.decoding and not generation.aborted:
                made.append(generation)
                if self.limits.prefix_caching:
                    self.prefix.store(generation.prompt)
        for generation in made:
            self._emit(generation, step.ends)
        return made

    def _arrive(self, now: float) -> None:
        while self._arriving and self._arriving[0].arrives <= now:
            self.waiting.append(self._arriving.popleft())

    def _chunks(self, budget: int, now: float) -> list[tuple[Generation, int]]:
        chunks = []
        for generation in self.running:
            if budget > 0 and not generation.decoding:
                tokens = min(budget, len(generation.prompt) - generation.computed)
                chunks.append((generation, tokens))
                budget -= tokens
        while budget > 0 and self.waiting and self._fits(self.waiting[0]):
            generation = self._admit(now)
            tokens = min(budget, len(generation.prompt) - generation.computed)
            chunks.append((generation, tokens))
            budget -= tokens
        return chunks

    def _fits(self, generation: Generation) -> bool:
        blocks = self._reserved_blocks + _reservation(generation)
        return len(self.running) < self.limits.max_num_seqs and blocks <= self.total_blocks

    def _admit(self, now: float) -> Generation:
        generation = self.waiting.popleft()
        generation.scheduled = now
        if self.limits.prefix_caching:
            generation.cached = generation.computed = self.prefix.lookup(generation.prompt)
        self._reserved_blocks += _reservation(generation)
        self.running.append(generation)
        return generation

    def _emit(self, generation: Generation, now: float) -> None:
        generation.generated += 1
        generation.last_token = now
        if generation.first_token is None:
            generation.first_token = now
        if generation.done:
            self._leave(generation)

    def _leave(self, generation: Generation) -> None:
        self.running.remove(generation)
        self._reserved_blocks -= _reservation(generation)


def _reservation(generation: Generation) -> int:
    # Room for the whole answer is set aside on admission, so nothing is ever preempted.
    return blocks_for(len(generation.prompt) + generation.length)
