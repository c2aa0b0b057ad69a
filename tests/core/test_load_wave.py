from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparktui.load import stream as transport
from sparktui.load.kernel import hold_kernel_stamps
from sparktui.load.messages import SLOT_DECODING, SLOT_DONE, SLOT_FAILED, SLOT_PREFILL, SLOT_WAITING, StartWave, Target
from sparktui.load.poll import ReadPoll
from sparktui.load.progress import Gauge
from sparktui.load.pulse import Pulse
from sparktui.load.request import Ask, Prompt, build_request
from sparktui.load.response import ResponseReader
from sparktui.load.wave import Connections, Wave
from sparktui.measure.record import WaveRecord, event_times_us
from tests.scripted_server import (
    DONE,
    LAST_CHUNK,
    ROLE,
    SSE_HEAD,
    Peer,
    ScriptedServer,
    answering,
    chunked,
    delta,
    scripted_server,
    stream,
)

CERTIFICATE = Path(__file__).parent / "data" / "localhost.pem"
LONG_S = 30.0


def order(server: ScriptedServer, n: int, timeout_s: float = LONG_S, prompt: str = "hi") -> StartWave:
    request = build_request(server.url, Ask("m", 4), Prompt(prompt), key="sk-secret")
    return StartWave(Target("localhost", server.port, server.tls), (request,) * n, timeout_s)


async def run(connections: Connections, wave: StartWave) -> WaveRecord:
    return await Wave(wave, connections.to(wave.target, len(wave.requests))).run()


@pytest.fixture(autouse=True, scope="module")
def stamping() -> Iterator[None]:
    """The kernel stamps from the first read on."""
    held = hold_kernel_stamps()
    yield
    if held is not None:
        held.close()


@pytest.fixture(params=["kernel", "user"])
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test once over each kind of connection."""
    own: str = transport.clock_of()
    if request.param == "kernel" and own != "kernel":
        pytest.skip("no kernel stamps on this platform")
    monkeypatch.setattr(transport, "clock_of", lambda target=None: request.param)
    monkeypatch.setattr("sparktui.load.wave.clock_of", transport.clock_of)
    return str(request.param)


@pytest.fixture
def connections() -> Connections:
    return Connections()


def test_this_kernel_stamps_what_arrives() -> None:
    if transport.clock_of() != "kernel":
        pytest.skip("no kernel stamps on this platform")
    held = hold_kernel_stamps()
    assert held is not None
    held.close()


STALL_S = 0.2


@pytest.mark.parametrize("at_once", [1, 3])
async def test_tokens_that_came_while_nobody_could_read_are_doubted_unless_each_has_its_stamp(
    clock: str, connections: Connections, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        assert await peer.request()
        await peer.send(SSE_HEAD + chunked(ROLE))
        await arrived.wait()
        arrived.clear()
        await peer.send(chunked(delta("a") * at_once))
        time.sleep(STALL_S)  # noqa: ASYNC251 - the wave shares this loop, and must not run
        await arrived.wait()
        await peer.send(chunked(delta("b", finish="length")) + chunked(DONE) + LAST_CHUNK)

    async with scripted_server(script) as server:
        wave = Wave(order(server, 1), connections.to(order(server, 1).target, 1))
        feed = wave.slots[0].reader.feed

        def feed_and_tell(reader: ResponseReader, data: bytes, at_ns: int) -> None:
            feed(data, at_ns)
            arrived.set()

        monkeypatch.setattr(ResponseReader, "feed", feed_and_tell)
        record = await wave.run()
        connections.close()
    took = record.duration_us / 1e6
    assert record.requests[0].error is None
    assert record.arrival_error is not None
    doubted = clock == "user" or at_once > 1
    assert (record.arrival_error > 0.5 * STALL_S / took) is doubted


@pytest.mark.parametrize("clock", ["kernel"], indirect=True)
@pytest.mark.parametrize("looked", [True, False])
async def test_a_worker_that_has_so_much_to_read_that_it_cannot_tick_is_not_away(
    clock: str, connections: Connections, monkeypatch: pytest.MonkeyPatch, looked: bool
) -> None:
    assert clock == "kernel"
    for name in ("kernel", "connection"):
        monkeypatch.setattr(f"sparktui.load.{name}.AWAY_NS", 10 * 10**9)
    monkeypatch.setattr(Pulse, "_tick", lambda pulse: setattr(pulse, "ticked_ns", pulse.ticked_ns - 100 * 10**9))
    async with scripted_server(answering(*stream())) as server:
        await run(connections, order(server, 1))
        if not looked:
            monkeypatch.setattr(ReadPoll.of(asyncio.get_running_loop()), "_looked_ns", 0)
        record = await run(connections, order(server, 1))
        connections.close()
    assert record.arrival_error == (0.0 if looked else 1.0)


async def test_all_requests_are_sent_before_any_is_answered(clock: str, connections: Connections) -> None:
    everyone = asyncio.Barrier(8)

    async def script(peer: Peer) -> None:
        assert await peer.request()
        await everyone.wait()
        await peer.answer(*stream(4))

    async with scripted_server(script) as server:
        record = await run(connections, order(server, 8))
        connections.close()
    assert [request.error for request in record.requests] == [None] * 8
    assert [request.slot for request in record.requests] == list(range(8))
    assert all(request.completion_tokens == 4 for request in record.requests)
    assert max(request.sent_us for request in record.requests) <= min(
        request.sent_us + (request.ttfr_us or 0) for request in record.requests
    )
    assert record.clock == clock
    assert (record.lag_p50_us is not None) == (clock == "kernel")


async def test_connections_are_kept_between_waves(clock: str, connections: Connections) -> None:
    async with scripted_server(answering(*stream())) as server:
        for _ in range(3):
            await run(connections, order(server, 4))
        assert len(server.peers) == 4
        connections.close()


async def test_another_target_gets_connections_of_its_own(connections: Connections) -> None:
    async with scripted_server(answering(*stream())) as one, scripted_server(answering(*stream())) as two:
        for server in (one, two):
            record = await run(connections, order(server, 2))
            assert [request.error for request in record.requests] == [None, None]
        assert await asyncio.wait_for(one.peers[0].request(), LONG_S) is None
        connections.close()


async def test_a_connection_closed_while_idle_is_opened_again(clock: str, connections: Connections) -> None:
    async def one_answer(peer: Peer) -> None:
        await peer.request()
        await peer.answer(*stream())

    async with scripted_server(one_answer) as server:
        for _ in range(3):
            record = await run(connections, order(server, 2))
            assert [request.error for request in record.requests] == [None, None]
        connections.close()


async def test_a_kept_connection_that_dies_as_the_request_arrives_is_tried_once_more(
    clock: str, connections: Connections
) -> None:
    async def second_request_is_reset(peer: Peer) -> None:
        await peer.request()
        await peer.answer(*stream())
        if await peer.request() is not None:
            peer.reset()

    async with scripted_server(second_request_is_reset) as server:
        await run(connections, order(server, 2))
        record = await run(connections, order(server, 2))
        assert [request.error for request in record.requests] == [None, None]
        assert len(server.peers) == 4
        connections.close()


async def test_a_new_connection_that_dies_is_a_failure_and_not_tried_again(
    clock: str, connections: Connections
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    async with scripted_server(script) as server:
        record = await run(connections, order(server, 1))
        assert len(server.peers) == 1
    assert record.requests[0].error is not None
    assert record.requests[0].error.startswith("closed early: ")


async def test_a_request_larger_than_the_socket_buffers_arrives_whole(clock: str, connections: Connections) -> None:
    prompt = "x" * 20_000_000

    async def script(peer: Peer) -> None:
        got = await peer.request()
        assert got is not None
        await peer.answer(*stream() if prompt.encode() in got[1] else ())

    async with scripted_server(script) as server:
        record = await run(connections, order(server, 1, prompt=prompt))
        connections.close()
    assert record.requests[0].error is None


async def test_a_refused_connection_fails_its_request_alone(clock: str, connections: Connections) -> None:
    async with scripted_server(answering(*stream())) as server:
        pass
    record = await run(connections, order(server, 2))
    assert [request.error for request in record.requests] == ["connect: Connection refused"] * 2
    assert record.duration_us >= 0


async def test_an_unknown_host_fails_with_its_reason(connections: Connections) -> None:
    wave = StartWave(Target("no-such-host.invalid", 1), (b"x",), LONG_S)
    error = (await run(connections, wave)).requests[0].error
    assert error is not None
    assert error.startswith("connect: ")


async def test_the_deadline_fails_what_is_unfinished_and_keeps_what_came(clock: str, connections: Connections) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if peer.number == 0:
            await peer.answer(*stream())
        else:
            await peer.send(SSE_HEAD + chunked(ROLE) + chunked(delta("a")))
        await peer.gone()

    async with scripted_server(script) as server:
        record = await run(connections, order(server, 2, timeout_s=0.3))
        connections.close()
    errors = sorted(request.error or "" for request in record.requests)
    assert errors == ["", "timeout: not ended within 0.3 s"]
    assert all(request.ttft_us is not None for request in record.requests)


async def test_an_error_event_ends_the_request_though_the_server_goes_on_talking(
    clock: str, connections: Connections
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(SSE_HEAD + chunked(b'data: {"error": {"message": "engine died"}}\n\n'))
        await peer.gone()

    async with scripted_server(script) as server:
        wave_order = order(server, 1)
        wave = Wave(wave_order, connections.to(wave_order.target, 1))
        running = asyncio.create_task(wave.run())
        async with asyncio.timeout(LONG_S / 2):
            while not running.done():
                await wave.decode()
                await asyncio.sleep(0)
        record = await running
    assert record.requests[0].error == "error event: engine died"


async def test_a_key_that_the_server_repeats_is_blanked_out(connections: Connections) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        body = b'{"error": "bad key sk-secret!"}'
        await peer.send(b"HTTP/1.1 401 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async with scripted_server(script) as server:
        record = await run(connections, order(server, 1))
        connections.close()
    assert record.requests[0].error == "http 401: bad key ***!"


async def test_cancelling_closes_the_connections(clock: str, connections: Connections) -> None:
    arrived, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        arrived.set()
        await peer.gone()
        gone.set()

    async with scripted_server(script) as server:
        running = asyncio.create_task(run(connections, order(server, 1)))
        await arrived.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(gone.wait(), LONG_S)


async def test_pictures_follow_each_slot_from_waiting_to_its_end(connections: Connections) -> None:
    steps = [asyncio.Event() for _ in range(4)]

    async def script(peer: Peer) -> None:
        await peer.request()
        for step, data in zip(
            steps, (SSE_HEAD, chunked(ROLE + delta("a")), chunked(delta("b", finish="stop"))), strict=False
        ):
            await step.wait()
            await peer.send(data)
        await steps[3].wait()
        await peer.send(LAST_CHUNK)
        await peer.gone()

    async with scripted_server(script) as server:
        wave_order = order(server, 1)
        wave = Wave(wave_order, connections.to(wave_order.target, 1))
        gauge = Gauge()
        running = asyncio.create_task(wave.run())
        states: list[int] = []
        for step in [None, *steps]:
            if step is not None:
                step.set()
            wanted = len(states)
            while (state := wave.slots[0].state) != (0, 1, 2, 2, 3)[wanted]:
                await wave.decode()
                await asyncio.sleep(0.001)
            states.append(state)
        picture = gauge.picture(wave)
        await running
        connections.close()
    assert states == [SLOT_WAITING, SLOT_PREFILL, SLOT_DECODING, SLOT_DECODING, SLOT_DONE]
    assert (picture.tokens, picture.prefilled, picture.done, picture.failed) == (2, 1, 1, 0)
    assert picture.ttft_p50_ms is not None
    assert picture.itl_p50_ms is not None
    assert picture.ttft_max_ms == picture.ttft_p50_ms
    assert picture.itl_max_ms is not None
    assert picture.itl_max_ms >= picture.itl_p50_ms


async def test_counts_run_on_from_wave_to_wave_and_never_backwards(connections: Connections) -> None:
    gauge = Gauge()
    seen = []
    async with scripted_server(answering(*stream(5))) as server:
        for _ in range(3):
            wave_order = order(server, 2)
            wave = Wave(wave_order, connections.to(wave_order.target, 2))
            await wave.run()
            seen.append(gauge.picture(wave).tokens)
            gauge.add_up(wave)
        connections.close()
    assert seen == [10, 20, 30]


async def test_failed_slots_are_shown_failed(connections: Connections) -> None:
    async with scripted_server(answering(ROLE)) as server:
        wave_order = order(server, 1)
        wave = Wave(wave_order, connections.to(wave_order.target, 1))
        await wave.run()
        connections.close()
    assert wave.slots[0].state == SLOT_FAILED


async def test_kernel_stamps_are_not_late_when_the_worker_is(connections: Connections) -> None:
    if transport.clock_of() != "kernel":
        pytest.skip("no kernel stamps on this platform")
    stall_s = 0.05

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(SSE_HEAD + chunked(delta("a")))
        await asyncio.sleep(0.01)
        await peer.send(chunked(delta("b", finish="stop")))
        # The worker shares this loop, so it cannot read before this is over.
        time.sleep(stall_s)  # noqa: ASYNC251 - the stall is the point
        await asyncio.sleep(0.01)
        await peer.send(chunked(DONE) + LAST_CHUNK)
        await peer.gone()

    async with scripted_server(script) as server:
        record = await run(connections, order(server, 1))
        connections.close()
    first, second = event_times_us(record.requests[0])
    ended = record.requests[0].ended_us
    assert ended is not None
    assert ended - second >= stall_s * 0.9e6
    assert second - first < ended - second
    assert record.lag_p99_us is not None
    assert record.lag_p99_us >= stall_s * 0.9e6


def tls_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


async def test_tls_is_verified_and_stamped_by_the_worker(
    connections: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    monkeypatch.setattr("sparktui.load.user._tls_context", lambda: trusting)
    async with scripted_server(answering(*stream()), tls_context()) as server:
        for _ in range(2):
            record = await run(connections, order(server, 2))
            assert [request.error for request in record.requests] == [None, None]
            assert record.clock == "user"
        assert len(server.peers) == 2
        connections.close()


async def test_a_certificate_nobody_vouches_for_is_refused(connections: Connections) -> None:
    async with scripted_server(answering(*stream()), tls_context()) as server:
        record = await run(connections, order(server, 1))
    error = record.requests[0].error
    assert error is not None
    assert error.startswith("connect: ")
    assert "certificate verify failed" in error
