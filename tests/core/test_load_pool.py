from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import median

import pytest

from sparktui.load import stream as transport
from sparktui.load.frames import encode
from sparktui.load.kernel import hold_kernel_stamps
from sparktui.load.link import LoadWorker, WaveCancelledError, WorkerError
from sparktui.load.messages import SLOT_DECODING, SLOT_DONE, Progress, StartPool, Target
from sparktui.load.pool import Pool
from sparktui.load.progress import Gauge
from sparktui.load.request import Ask, Prompt, build_request
from sparktui.load.wave import Connections
from sparktui.measure.pool import steady_window
from sparktui.measure.record import WaveRecord
from tests.scripted_server import (
    ROLE,
    SSE_HEAD,
    Peer,
    ScriptedServer,
    answering,
    chunked,
    delta,
    event,
    scripted_server,
    stream,
)

LONG_S = 30.0


def order(server: ScriptedServer, slots: int, turns: int, timeout_s: float = LONG_S) -> StartPool:
    requests = tuple(
        tuple(build_request(server.url, Ask("m", 4), Prompt(f"{slot} {turn}")) for turn in range(turns))
        for slot in range(slots)
    )
    return StartPool(Target("localhost", server.port), requests, timeout_s)


async def run(pool: StartPool) -> WaveRecord:
    connections = Connections()
    try:
        return await Pool(pool, connections.to(pool.target, len(pool.slots))).run()
    finally:
        connections.close()


@pytest.fixture(autouse=True, scope="module")
def stamping() -> Iterator[None]:
    """The kernel stamps from the first read on."""
    held = hold_kernel_stamps()
    yield
    if held is not None:
        held.close()


@pytest.fixture(autouse=True, params=["kernel", "user"])
def clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each test once over each kind of connection."""
    own: str = transport.clock_of()
    if request.param == "kernel" and own != "kernel":
        pytest.skip("no kernel stamps on this platform")
    monkeypatch.setattr(transport, "clock_of", lambda target=None: request.param)
    monkeypatch.setattr("sparktui.load.wave.clock_of", transport.clock_of)
    return str(request.param)


async def test_every_slot_does_its_turns_in_order_on_one_kept_connection(clock: str) -> None:
    bodies: dict[int, list[bytes]] = {}

    async def script(peer: Peer) -> None:
        while (got := await peer.request()) is not None:
            bodies.setdefault(peer.number, []).append(got[1])
            await peer.answer(*stream(5))

    async with scripted_server(script) as server:
        record = await run(order(server, 3, 4))
        assert len(server.peers) == 3
    assert [(r.slot, r.seq) for r in record.requests] == [(slot, turn) for slot in range(3) for turn in range(4)]
    assert all(r.error is None and r.completion_tokens == 5 for r in record.requests)
    assert all(b"%d" % turn in body for of_one in bodies.values() for turn, body in enumerate(of_one))
    assert all(len(of_one) == 4 for of_one in bodies.values())
    assert record.clock == clock
    assert steady_window(record.requests) is None or record.duration_us > 0


async def test_a_slot_sends_its_next_request_while_another_is_still_at_its_first() -> None:
    """Turn by turn the second slot goes on; the first is held until the second has done all of its own."""
    all_done = asyncio.Event()

    async def script(peer: Peer) -> None:
        answered = 0
        while (got := await peer.request()) is not None:
            if b'"0 0"' in got[1]:
                await all_done.wait()
            await peer.answer(*stream())
            answered += 1
            if b'"1 3"' in got[1]:
                all_done.set()

    async with scripted_server(script) as server:
        async with asyncio.timeout(LONG_S):
            record = await run(order(server, 2, 4))
    assert [r.error for r in record.requests] == [None] * 8
    first = record.requests[0]
    assert first.ended_us is not None
    assert all(r.sent_us < first.sent_us + first.ended_us for r in record.requests if r.slot == 1)


async def test_a_failed_request_is_recorded_and_its_slot_goes_on() -> None:
    async def script(peer: Peer) -> None:
        while (got := await peer.request()) is not None:
            if b'"0 1"' in got[1]:
                await peer.send(SSE_HEAD + chunked(ROLE) + chunked(event({"error": {"message": "out of blocks"}})))
                return
            await peer.answer(*stream())

    async with scripted_server(script) as server:
        pool = order(server, 2, 4)
        connections = Connections()
        going = Pool(pool, connections.to(pool.target, 2))
        running = asyncio.create_task(going.run())
        while not running.done():
            await going.decode()
            await asyncio.sleep(0.001)
        record = await running
        connections.close()
    errors = {(r.slot, r.seq): r.error for r in record.requests if r.error}
    assert errors == {(0, 1): "error event: out of blocks"}
    assert len(record.requests) == 8


async def test_a_server_that_closes_after_every_answer_is_connected_to_anew() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(*stream())

    async with scripted_server(script) as server:
        record = await run(order(server, 2, 3))
        assert len(server.peers) == 6
    assert [r.error for r in record.requests] == [None] * 6


async def test_a_request_that_does_not_end_fails_alone_at_its_own_deadline() -> None:
    async def script(peer: Peer) -> None:
        while (got := await peer.request()) is not None:
            if b'"0 1"' in got[1]:
                await peer.send(SSE_HEAD + chunked(ROLE) + chunked(delta("a")))
                await peer.gone()
                return
            await peer.answer(*stream())

    async with scripted_server(script) as server:
        record = await run(order(server, 2, 3, timeout_s=0.3))
    errors = {(r.slot, r.seq): r.error for r in record.requests if r.error}
    assert errors == {(0, 1): "timeout: not ended within 0.3 s"}
    assert record.requests[1].ttft_us is not None


async def test_a_server_that_is_gone_fails_every_turn_and_ends() -> None:
    async with scripted_server(answering(*stream())) as server:
        pass
    async with asyncio.timeout(LONG_S):
        record = await run(order(server, 2, 3))
    assert [r.error for r in record.requests] == ["connect: Connection refused"] * 6
    assert record.duration_us >= 0


async def test_pictures_count_every_turn_and_show_each_slots_present_request() -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.answer(*stream(6))
        await peer.request()
        await peer.send(SSE_HEAD + chunked(ROLE) + chunked(delta("a", ids=[1])))
        await go_on.wait()
        await peer.send(b"".join(map(chunked, stream(5)[2:])) + b"0\r\n\r\n")
        await peer.gone()

    async with scripted_server(script) as server:
        pool = order(server, 2, 2)
        connections = Connections()
        going, gauge = Pool(pool, connections.to(pool.target, 2)), Gauge()
        running = asyncio.create_task(going.run())
        async with asyncio.timeout(LONG_S):
            while (picture := gauge.picture(going)).active < 2 or picture.done < 2:
                await going.decode()
                await asyncio.sleep(0.001)
        assert picture.slots == bytes([SLOT_DECODING] * 2)
        assert (picture.done, picture.failed, picture.prefilled, picture.tokens) == (2, 0, 4, 14)
        go_on.set()
        await running
        last = gauge.picture(going)
        gauge.add_up(going)
        connections.close()
    assert last.slots == bytes([SLOT_DONE] * 2)
    assert (last.done, last.prefilled, last.tokens) == (4, 4, 22)


async def test_cancelling_closes_what_is_in_flight() -> None:
    gone = asyncio.Event()
    arrived = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        arrived.set()
        await peer.gone()
        gone.set()

    async with scripted_server(script) as server:
        running = asyncio.create_task(run(order(server, 1, 3)))
        await arrived.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(gone.wait(), LONG_S)


class TestWorker:
    """A pool run in the load process."""

    async def test_a_pool_run_comes_back_whole_and_a_wave_may_follow(self) -> None:
        pictures: list[Progress] = []
        async with scripted_server(answering(*stream(6))) as server, LoadWorker.start() as worker:
            record = await worker.run(order(server, 4, 5), pictures.append)
            assert len(record.requests) == 20
            assert all(r.error is None for r in record.requests)
            assert (pictures[-1].done, pictures[-1].tokens, pictures[-1].prefilled) == (20, 120, 20)
            again = await worker.run(order(server, 4, 2), pictures.append)
            assert len(again.requests) == 8
            assert pictures[-1].tokens == 168

    async def test_a_pool_run_can_be_given_up(self) -> None:
        async def hold(peer: Peer) -> None:
            await peer.request()
            await peer.gone()

        async with scripted_server(hold) as server, LoadWorker.start() as worker:
            going = asyncio.Event()
            running = asyncio.create_task(worker.run(order(server, 2, 3), lambda _: going.set()))
            await going.wait()
            await worker.cancel()
            with pytest.raises(WaveCancelledError):
                await running

    @pytest.mark.parametrize("slots", [(), ((),), ((b"x",), ())])
    async def test_slots_without_a_request_are_refused(self, slots: tuple[tuple[bytes, ...], ...]) -> None:
        async with LoadWorker.start() as worker:
            with pytest.raises(WorkerError, match="without requests"):
                await worker.run(StartPool(Target("127.0.0.1", 1), slots, LONG_S))


def test_an_order_never_shows_its_requests() -> None:
    pool = StartPool(Target("gf1", 1), ((b"Authorization: Bearer sk-secret",),), 1.0)
    assert "sk-secret" not in repr(pool)
    assert b"sk-secret" in encode(pool)
    assert pool.limit_s == 1.0


async def test_the_next_request_is_sent_at_once() -> None:
    """Between a slot's requests it mostly waits for answers, hardly ever for itself."""
    async with scripted_server(answering(*stream(4))) as server:
        began = time.monotonic()
        record = await run(order(server, 1, 40))
        took_us = (time.monotonic() - began) * 1e6
    pauses = [
        later.sent_us - (earlier.sent_us + (earlier.ended_us or 0))
        for earlier, later in zip(record.requests, record.requests[1:], strict=False)
    ]
    assert all(pause >= 0 for pause in pauses)
    assert median(pauses) < took_us / len(record.requests) / 2  # one stall of the machine is no pause of ours
