"""The lines of llama-benchy's progress stream, gathered by request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from sparktui.errors import ImportFileError
from sparktui.importing.known import Count, Level, Positive
from sparktui.importing.text import as_json

SCHEMA = "llama-benchy-progress.v1"
LONGEST_S = 2000.0
"""Between two events of a stream: what an int32 of microseconds holds."""
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]
WallClock = Annotated[float, msgspec.Meta(ge=0, le=1e11)]


class Line(msgspec.Struct):
    """One line; which fields it has depends on its type, and unknown ones are ignored."""

    schema: str
    type: str
    ts: WallClock
    llama_benchy_version: str | None = None
    latency_s: Positive | None = None
    mode: str | None = None
    status: str | None = None
    request_id: int | None = None
    model: str | None = None
    prompt_size: Count | None = None
    response_size: Count | None = None
    context_size: Count | None = None
    concurrency: Level | None = None
    run_index: Count | None = None
    ttfr_s: Seconds | None = None
    ttft_s: Seconds | None = None
    count: Count | None = None
    estimated: bool = False
    total_tokens: Count | None = None
    prompt_tokens: Count | None = None
    decode_seconds: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Which wave of which cell a request belongs to."""

    depth: int
    pp: int
    tg: int
    concurrency: int
    run: int


@dataclass(slots=True)
class Stream:
    """One request, as far as it has been read."""

    place: Place
    started: float
    line: int
    response: Line | None = None
    first: Line | None = None
    tokens: list[Line] = field(default_factory=list)
    end: Line | None = None

    @property
    def sent(self) -> float:
        """When it was sent: a wave's starts are all written before any is sent, so the first response tells better."""
        if self.response is None or self.response.ttfr_s is None:
            return self.started
        return self.response.ts - self.response.ttfr_s


@dataclass(slots=True)
class Run:
    """The whole file, as far as it has been read."""

    name: str
    version: str | None = None
    model: str | None = None
    latency: Line | None = None
    status: str | None = None
    started: float | None = None
    ended: float | None = None
    streams: dict[int, Stream] = field(default_factory=dict)


def gather(raw: bytes, name: str) -> Run:
    """Return what a stream says, request by request.

    Raises:
        ImportFileError: A line is wrong, or does not fit those before it.
    """
    run = Run(name)
    for number, text in enumerate(raw.splitlines(), 1):
        if text.strip():
            _take(run, number, as_json(text, Line, f"{name}, line {number}"))
    return run


def _take(run: Run, number: int, line: Line) -> None:
    if line.schema != SCHEMA:
        raise ImportFileError(f"{run.name}, line {number}: the schema is {line.schema[:40]!r}, not {SCHEMA}")
    run.started = line.ts if run.started is None else run.started
    run.ended = line.ts
    match line.type:
        case "header":
            run.version = line.llama_benchy_version
        case "latency_measured":
            run.latency = line
        case "bench_complete":
            run.status = line.status
        case "request_start":
            _start(run, number, line)
        case "request_first_response" | "request_first_token" | "tokens" | "request_end":
            _go_on(run, number, line)


def _start(run: Run, number: int, line: Line) -> None:
    wanted = (line.context_size, line.prompt_size, line.response_size, line.concurrency, line.run_index)
    if line.request_id is None or any(value is None for value in wanted):
        raise ImportFileError(f"{run.name}, line {number}: a request_start without its sizes, run or id")
    if line.request_id in run.streams:
        raise ImportFileError(f"{run.name}, line {number}: request {line.request_id} starts twice")
    if run.model not in (None, line.model):
        raise ImportFileError(f"{run.name}, line {number}: another model than before: import one at a time")
    run.model = line.model
    run.streams[line.request_id] = Stream(Place(*(int(value or 0) for value in wanted)), line.ts, number)


def _go_on(run: Run, number: int, line: Line) -> None:
    stream = run.streams.get(-1 if line.request_id is None else line.request_id)
    if stream is None:
        raise ImportFileError(f"{run.name}, line {number}: request {line.request_id} has not started")
    if line.type == "tokens":
        stream.tokens.append(line)
        return
    part = {"request_first_response": "response", "request_first_token": "first", "request_end": "end"}[line.type]
    if getattr(stream, part) is not None:
        raise ImportFileError(f"{run.name}, line {number}: a second {line.type} of request {line.request_id}")
    setattr(stream, part, line)
