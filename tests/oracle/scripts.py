"""Made-up servers' answers, written once and played twice: to our recorder and to llama-benchy's own client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

Kind = Literal["role", "content", "reasoning", "reasoning_content", "tool", "empty", "error"]
Ids = Literal["all", "some", "none"]
"""Which events carry `token_ids`; where only some do, the first with text does not."""
Usage = Literal["none", "last", "last with an empty choice", "every event"]

_TEXT = ("content", "reasoning", "reasoning_content")
_SHOWN: dict[Kind, dict[str, object]] = {
    "role": {"role": "assistant", "content": ""},
    "content": {"content": "a word"},
    "reasoning": {"reasoning": "hm"},
    "reasoning_content": {"reasoning_content": "hm"},
    "tool": {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
    "empty": {"content": ""},
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    at_us: int
    """Arrival, from the send."""
    kind: Kind
    tokens: int


@dataclass(frozen=True, slots=True)
class Script:
    """One request and how it went."""

    sent_us: int
    events: tuple[Event, ...]
    ended_us: int
    ids: Ids
    usage: Usage
    prompt_tokens: int
    completion_tokens: int
    done: bool = True
    """Whether `[DONE]` is sent."""
    fails: Literal["http 500", "cut off"] | None = None

    def bodies(self) -> list[tuple[int, bytes]]:
        """Return what arrives when, the last at the end of the body; servers send no usage after an error."""
        found = [(event.at_us, _sse(self._chunk(number, event))) for number, event in enumerate(self.events)]
        broke = any(event.kind == "error" for event in self.events)
        tail = b"" if broke or self.usage in ("none", "every event") else _sse(self._last_usage())
        if self.done:
            tail += b"data: [DONE]\n\n"
        return [*found, (self.ended_us, tail)]

    def _chunk(self, number: int, event: Event) -> dict[str, object]:
        if event.kind == "error":
            return {"error": {"message": "out of memory", "code": 500}}
        choice: dict[str, object] = {"index": 0, "delta": _SHOWN[event.kind]}
        if self.ids == "all" or (self.ids == "some" and event != self._first_with_text):
            choice["token_ids"] = list(range(event.tokens))
        chunk: dict[str, object] = {"choices": [choice]}
        if self.usage == "every event":
            so_far = sum(earlier.tokens for earlier in self.events[: number + 1])
            chunk["usage"] = {"prompt_tokens": self.prompt_tokens, "completion_tokens": so_far}
        return chunk

    @property
    def _first_with_text(self) -> Event | None:
        return next((event for event in self.events if event.kind in _TEXT), None)

    def _last_usage(self) -> dict[str, object]:
        usage = {"prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens}
        choices = [{"index": 0, "delta": {}, "finish_reason": "length"}]
        return {"choices": choices if self.usage == "last with an empty choice" else [], "usage": usage}


def _sse(chunk: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


_STREAMED: tuple[Kind, ...] = (
    "content",
    "content",
    "content",
    "content",
    "reasoning",
    "reasoning_content",
    "tool",
    "empty",
)


def _gap_us(random: Random) -> int:
    """Draw the time between two events: often none, and at times exactly what a window is long."""
    return random.choice((0, random.randint(1, 100), random.randint(1_000, 60_000), 250_000, 1_000_000))


def _events(random: Random) -> tuple[Event, ...]:
    now_us = random.randint(1, 3_000_000)
    events = [Event(now_us, "role", 0)] if random.random() < 0.5 else []
    at_once = random.randint(0, 5)
    for _ in range(random.randint(0, random.choice((0, 2, 12, 40)))):
        now_us += _gap_us(random)
        events.append(Event(now_us, random.choice(_STREAMED), random.choice((1, 1, 1, at_once))))
    if random.random() < 0.1:
        events.append(Event(now_us + _gap_us(random), "error", 0))
    return tuple(events)


def script(random: Random, expected_prompt_tokens: int) -> Script:
    """Make up a request of any outcome."""
    events = _events(random)
    last_us = events[-1].at_us if events else random.randint(1, 1_000_000)
    true_count = sum(event.tokens for event in events)
    broke = any(event.kind == "error" for event in events)
    return Script(
        sent_us=random.randint(0, 5_000),
        events=events,
        ended_us=last_us + _gap_us(random),
        ids=random.choice(("all", "all", "none", "none", "some")),
        usage=random.choice(("none", "last", "last", "last with an empty choice", "every event")),
        prompt_tokens=random.choice((0, *[round(expected_prompt_tokens * random.uniform(0.7, 1.3))] * 4)),
        completion_tokens=random.choice((true_count, random.randint(0, 60))),
        done=random.random() < 0.75,
        fails=None if broke else random.choice((*[None] * 10, "http 500", "cut off")),
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's waves and how it was asked for."""

    concurrency: int
    pp: int
    depth: int
    latency_s: float
    waves: tuple[tuple[Script, ...], ...]


def cell(random: Random, concurrency: int) -> Cell:
    """Make up a cell of a few waves."""
    pp, depth = random.randint(1, 3_000), random.choice((0, 0, 500, 4_096))
    return Cell(
        concurrency=concurrency,
        pp=pp,
        depth=depth,
        latency_s=random.choice((0.0, 0.0023, 0.4)),
        waves=tuple(tuple(script(random, pp + depth) for _ in range(concurrency)) for _ in range(random.randint(1, 4))),
    )


def good(cell: Cell) -> Cell:
    """Return the cell as it would have been if nothing had failed."""
    return replace(cell, waves=tuple(tuple(_healed(script) for script in wave) for wave in cell.waves))


def _healed(script: Script) -> Script:
    events: Sequence[Event] = [event for event in script.events if event.kind != "error"]
    return replace(script, events=tuple(events), done=True, fails=None)
