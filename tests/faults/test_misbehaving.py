"""Against every server that misbehaves, each request ends within its deadline and each failure has a kind."""

from __future__ import annotations

import asyncio
import re
import resource
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from sparktui.errors import SparktuiError
from sparktui.load import stream as transport
from sparktui.load import tokens
from sparktui.load.kernel import hold_kernel_stamps
from sparktui.load.messages import StartWave, Target
from sparktui.load.request import Ask, Prompt, build_request
from sparktui.load.wave import Connections, Wave
from sparktui.measure.cell import cell_figures
from sparktui.measure.record import WaveRecord
from sparktui.measure.taint import taint
from sparktui.serving import api
from sparktui.serving.api import EngineApi, new_client
from tests.core.test_load_wave import CERTIFICATE, tls_context
from tests.faults import tried
from tests.faults.misbehaving import (
    ANSWERS,
    CUT,
    ERROR,
    STREAMS,
    answer,
    endless,
    reset_at_once,
    resetting,
    saying,
    unread,
)
from tests.scripted_server import SSE_HEAD, Script, ScriptedServer, scripted_server

DEADLINE_S = 0.6
GRACE_S = 4.0
"""On a machine that does other things."""
LARGEST_GROWTH_KIB = 200 * 1024


@pytest.fixture(autouse=True, scope="module")
def stamping() -> Iterator[None]:
    held = hold_kernel_stamps()
    yield
    if held is not None:
        held.close()


@pytest.fixture(params=["kernel", "user"])
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "kernel" and transport.clock_of() != "kernel":
        pytest.skip("no kernel stamps on this platform")
    monkeypatch.setattr(transport, "clock_of", lambda target=None: request.param)
    monkeypatch.setattr("sparktui.load.wave.clock_of", transport.clock_of)
    return str(request.param)


async def measured(server: ScriptedServer) -> WaveRecord:
    """Send two requests as the load worker would, decoding in between."""
    request = build_request(server.url, Ask("m", 4), Prompt("hi"))
    order = StartWave(Target("localhost", server.port, server.tls), (request,) * 2, DEADLINE_S)
    connections = Connections()
    wave = Wave(order, connections.to(order.target, 2))
    running = asyncio.create_task(wave.run())
    while not running.done():
        await wave.decode()
        await asyncio.sleep(0.005)
    connections.close()
    return await running


@pytest.mark.parametrize("what", STREAMS)
async def test_a_request_ends_within_its_deadline_as_a_failure_of_a_kind(clock: str, what: str) -> None:
    script, kinds = STREAMS[what]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with scripted_server(script) as server:
        began = time.monotonic()
        with tried.bad_input():
            async with asyncio.timeout(DEADLINE_S + GRACE_S):
                record = await measured(server)
        assert time.monotonic() - began < DEADLINE_S + GRACE_S
    errors = [request.error for request in record.requests]
    assert all(error is not None and re.match(kinds, error) for error in errors), errors
    assert all(error is not None and len(error) < 600 and error.isprintable() for error in errors)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST_GROWTH_KIB
    figures = cell_figures([record])
    assert figures.errors == 2
    assert sum(figures.error_kinds.values()) == 2
    assert "2 of 2 requests failed" in (taint([record], pp=1, tg=4) or "")


NO_TLS: dict[str, tuple[Script, str]] = {
    "plain HTTP": (saying(answer("400 Bad Request", ERROR)), "connect"),
    "another protocol": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "connect"),
    "an alert": (saying(b"\x15\x03\x01\x00\x02\x02\x28"), "connect"),
    "nothing at all": (saying(), "connect"),
    "a reset": (reset_at_once, "connect"),
    "silence": (unread, "connect|timeout"),
    "a record without end": (endless(b"\x16\x03\x03\x40\x00" + b"x" * 1000, b""), "connect"),
}
"""What answers where TLS was to be spoken."""


@pytest.mark.parametrize("what", NO_TLS)
async def test_what_is_no_tls_fails_the_request_within_its_deadline(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparktui.load.slot.CONNECT_TIMEOUT_S", DEADLINE_S)
    script, kinds = NO_TLS[what]
    async with scripted_server(script) as server:
        request = build_request(server.url.replace("http:", "https:"), Ask("m", 4), Prompt("hi"))
        order = StartWave(Target("localhost", server.port, True), (request,), DEADLINE_S)
        connections = Connections()
        wave = Wave(order, connections.to(order.target, 1))
        with tried.bad_input():
            async with asyncio.timeout(DEADLINE_S + GRACE_S):
                record = await wave.run()
        connections.close()
    (error,) = [request.error for request in record.requests]
    assert error is not None
    assert re.match(kinds, error), error
    assert error.isprintable()


async def test_a_tls_stream_that_is_cut_off_is_no_whole_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    served = tls_context()
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    monkeypatch.setattr("sparktui.load.user._tls_context", lambda: trusting)
    async with scripted_server(resetting(SSE_HEAD, CUT), served) as server:
        with tried.bad_input():
            async with asyncio.timeout(DEADLINE_S + GRACE_S):
                record = await measured(server)
    assert all((request.error or "").startswith("closed early") for request in record.requests)


Call = Callable[[EngineApi], Awaitable[object]]
CALLS: dict[str, Call] = {
    "healthy": lambda engine: engine.healthy(),
    "models": lambda engine: engine.models(),
    "version": lambda engine: engine.version(),
    "latency_us": lambda engine: engine.latency_us(),
    "complete_once": lambda engine: engine.complete_once("m"),
    "metrics_page": lambda engine: engine.metrics_page(),
}


@pytest.mark.parametrize("what", ANSWERS)
async def test_a_question_beside_the_load_is_answered_or_fails_within_its_deadline(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(api, "COMPLETION_TIMEOUT_S", 0.3)
    monkeypatch.setattr(tokens, "_TIMEOUT_S", 0.3)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with scripted_server(ANSWERS[what]()) as server, new_client() as client:
        engine = EngineApi(server.url, client)
        for call in CALLS.values():
            with tried.bad_input():
                async with asyncio.timeout(3 * 0.3 + GRACE_S):
                    await answered(call(engine))
        with tried.bad_input():
            async with asyncio.timeout(2 * 0.3 + GRACE_S):
                await answered(tokens.find_counter(client, server.url, "m"))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LARGEST_GROWTH_KIB


async def answered(call: Awaitable[object]) -> None:
    """Wait for an answer, or for an error that says what is wrong."""
    with suppress(SparktuiError):
        await call
