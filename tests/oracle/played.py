"""Plays a script to both sides: the bytes to our recorder, and to llama-benchy's client under a clock we hold."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from types import SimpleNamespace, TracebackType
from typing import Any, Self

from sparktui.load.response import ResponseReader
from sparktui.measure.record import RequestRecord, WaveRecord
from tests.oracle.scripts import Cell, Script
from tests.oracle.wheels import LlamaBenchy

EPOCH_NS = 1_000_000_000
"""Our clock's time at the start of a wave; theirs begins at zero."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REFUSAL = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nnope"


def recorded(cell: Cell) -> list[WaveRecord]:
    """Return what our client records of a cell."""
    return [
        WaveRecord(
            started_at=0.0,
            duration_us=1,
            clock="kernel",
            requests=tuple(_record(slot, script) for slot, script in enumerate(wave)),
        )
        for wave in cell.waves
    ]


def reported(benchy: LlamaBenchy, cell: Cell) -> Any:
    """Return what llama-benchy reports of a cell: its `BenchmarkRun`."""
    results = benchy.results.BenchmarkResults()
    results.add(
        model="m",
        pp=cell.pp,
        tg=16,
        depth=cell.depth,
        concurrency=cell.concurrency,
        run_results=[[_their_result(benchy, script) for script in wave] for wave in cell.waves],
        latency=cell.latency_s,
        expected_pp_tokens=cell.pp + cell.depth,
        save_total_throughput_timeseries=True,
        save_all_throughput_timeseries=True,
    )
    return results.runs[0]


def _record(slot: int, script: Script) -> RequestRecord:
    reader = ResponseReader()
    reader.sent_ns = EPOCH_NS + script.sent_us * 1000
    if script.fails == "http 500":
        reader.feed(REFUSAL, reader.sent_ns + script.ended_us * 1000)
        return reader.record(slot, EPOCH_NS)
    *bodies, (ended_us, tail) = script.bodies()
    reader.feed(HEAD, reader.sent_ns + 1)
    for at_us, body in bodies:
        reader.feed(_http_chunk(body), reader.sent_ns + at_us * 1000)
    ended_ns = reader.sent_ns + ended_us * 1000
    if script.fails == "cut off":
        reader.eof(ended_ns)
    else:
        reader.feed((_http_chunk(tail) if tail else b"") + b"0\r\n\r\n", ended_ns)
    return reader.record(slot, EPOCH_NS)


def _http_chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def _their_result(benchy: LlamaBenchy, script: Script) -> Any:
    clock = _Clock(script.sent_us)
    benchy.client.__dict__.update(time=SimpleNamespace(perf_counter=clock.now), print=lambda *_: None)
    client = benchy.client.LLMClient("http://server/v1", "key", "m")
    return _without_a_loop(client.run_generation(_Session(script, clock), "", "prompt", 16, False))


def _without_a_loop(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("it waited")


class _Clock:
    """Reads whole microseconds as seconds."""

    def __init__(self, now_us: int) -> None:
        self.now_us = now_us

    def now(self) -> float:
        return self.now_us / 1e6


class _Session:
    """The one method of an aiohttp session that their client calls; also the response and its content."""

    def __init__(self, script: Script, clock: _Clock) -> None:
        self._script = script
        self._clock = clock
        self.status = 500 if script.fails == "http 500" else 200
        self.content = self

    def post(self, *_: object, **__: object) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        return None

    async def text(self) -> str:
        return "nope"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield line by line, each with its read's time."""
        async for body in self.iter_any():
            for line in body.splitlines(keepends=True):
                yield line

    async def iter_any(self) -> AsyncIterator[bytes]:
        *bodies, (ended_us, tail) = self._script.bodies()
        for at_us, body in bodies:
            self._clock.now_us = self._script.sent_us + at_us
            yield body
        self._clock.now_us = self._script.sent_us + ended_us
        if self._script.fails == "cut off":
            raise ConnectionError("the payload is not complete")
        if tail:
            yield tail
