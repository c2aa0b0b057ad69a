from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from sparktui.load.frames import encode, read_report
from sparktui.load.link import LoadWorker, WaveCancelledError, WorkerError
from sparktui.load.messages import Cancel, FromWorker, Progress, Quit, Ready, Refused, StartWave, Target, WaveDone
from sparktui.load.request import Ask, Prompt, build_request, target_of
from sparktui.load.stream import clock_of
from tests.scripted_server import (
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
from tests.sim_engine import SimEngine

LIMIT_S = 30.0


def order(server: ScriptedServer, n: int = 2, timeout_s: float = LIMIT_S) -> StartWave:
    request = build_request(server.url, Ask("m", 4), Prompt("hi"), key="sk-secret")
    return StartWave(Target("127.0.0.1", server.port), (request,) * n, timeout_s)


async def hold(peer: Peer) -> None:
    """Begin to answer, and never end."""
    await peer.request()
    await peer.send(SSE_HEAD + chunked(ROLE) + chunked(delta("a")))
    await peer.gone()


def test_the_process_imports_nothing_of_the_screen_the_store_or_the_control_plane() -> None:
    code = (
        "import sys, sparktui.load.worker;"
        "bad = {'httpx', 'textual', 'rich', 'pydantic', 'sqlite3'} & set(sys.modules);"
        "sys.exit(' '.join(bad) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


class TestProcess:
    """The worker by its frames alone."""

    async def start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        argv = (sys.executable, "-m", "sparktui.load.worker")
        return await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe)

    async def read(self, process: asyncio.subprocess.Process) -> FromWorker | None:
        assert process.stdout is not None
        return await asyncio.wait_for(read_report(process.stdout), LIMIT_S)

    def write(self, process: asyncio.subprocess.Process, data: bytes) -> None:
        assert process.stdin is not None
        process.stdin.write(data)

    async def end(self, process: asyncio.subprocess.Process) -> tuple[int, bytes]:
        _, err = await asyncio.wait_for(process.communicate(), LIMIT_S)
        assert process.returncode is not None
        return process.returncode, err

    async def test_it_says_that_it_is_up_and_quits_when_told(self) -> None:
        process = await self.start()
        assert await self.read(process) == Ready(process.pid, clock_of())
        self.write(process, encode(Quit()))
        assert await self.end(process) == (0, b"")

    async def test_it_ends_with_its_runner_in_the_middle_of_a_wave(self) -> None:
        async with scripted_server(hold) as server:
            process = await self.start()
            await self.read(process)
            self.write(process, encode(order(server)))
            while not (isinstance(report := await self.read(process), Progress) and report.active == 2):
                pass
            assert process.stdin is not None
            process.stdin.close()
            ended = asyncio.create_task(self.end(process))
            done, _ = await asyncio.wait([ended], timeout=5)
            assert done
            assert ended.result() == (0, b"")

    async def test_ctrl_c_is_the_runners_to_answer(self) -> None:
        process = await self.start()
        await self.read(process)
        process.send_signal(signal.SIGINT)
        self.write(process, encode(Quit()))
        assert await self.end(process) == (0, b"")

    async def test_what_is_no_order_ends_it_with_one_line(self) -> None:
        process = await self.start()
        await self.read(process)
        self.write(process, b"\x03\x00\x00\x00abc")
        code, err = await self.end(process)
        assert code == 1
        assert err.startswith(b"not an order: ")
        assert err.count(b"\n") == 1

    async def test_a_second_wave_and_an_empty_one_are_refused(self) -> None:
        async with scripted_server(hold) as server:
            process = await self.start()
            await self.read(process)
            self.write(process, encode(StartWave(Target("127.0.0.1", server.port), (), LIMIT_S)))
            assert await self.read(process) == Refused("a wave without requests")
            self.write(process, encode(order(server)) + encode(order(server)))
            while isinstance(report := await self.read(process), Progress):
                pass
            assert report == Refused("a wave is already in flight")
            self.write(process, encode(Quit()))
            assert await self.end(process) == (0, b"")

    async def test_cancel_without_a_wave_is_no_answer_to_the_next(self) -> None:
        async with scripted_server(answering(*stream())) as server:
            process = await self.start()
            await self.read(process)
            self.write(process, encode(Cancel()) + encode(order(server)))
            while isinstance(report := await self.read(process), Progress):
                pass
            assert isinstance(report, WaveDone)
            self.write(process, encode(Quit()))
            assert await self.end(process) == (0, b"")


class TestLink:
    """The worker as the runner sees it."""

    async def test_a_wave_comes_back_whole_with_a_last_picture_that_agrees(self) -> None:
        pictures: list[Progress] = []
        async with scripted_server(answering(*stream(6))) as server, LoadWorker.start() as worker:
            assert worker.clock == clock_of()
            for wave in (1, 2):
                record = await worker.run(order(server, 3), pictures.append)
                assert [request.completion_tokens for request in record.requests] == [6, 6, 6]
                assert (pictures[-1].tokens, pictures[-1].prefilled) == (18 * wave, 3 * wave)
                assert (pictures[-1].done, pictures[-1].failed) == (3, 0)
        assert record.clock == clock_of()
        assert record.worker_cpu is not None

    async def test_a_cancelled_wave_raises_and_the_worker_goes_on(self) -> None:
        async with (
            scripted_server(hold) as slow,
            scripted_server(answering(*stream())) as fast,
            LoadWorker.start() as worker,
        ):
            going = asyncio.Event()
            run = asyncio.create_task(worker.run(order(slow), lambda _: going.set()))
            await going.wait()
            await worker.cancel()
            with pytest.raises(WaveCancelledError):
                await run
            assert len((await worker.run(order(fast))).requests) == 2

    async def test_cancelling_the_waiting_task_gives_the_wave_up(self) -> None:
        async with (
            scripted_server(hold) as slow,
            scripted_server(answering(*stream())) as fast,
            LoadWorker.start() as worker,
        ):
            going = asyncio.Event()
            run = asyncio.create_task(worker.run(order(slow), lambda _: going.set()))
            await going.wait()
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            assert len((await worker.run(order(fast))).requests) == 2

    async def test_a_worker_that_is_killed_is_an_error_and_not_a_wait(self) -> None:
        async with scripted_server(hold) as server, LoadWorker.start() as worker:
            run = asyncio.create_task(worker.run(order(server), lambda _: os.kill(worker.pid, signal.SIGKILL)))
            with pytest.raises(WorkerError, match=r"died \(exit code -9\)"):
                await run
            with pytest.raises(WorkerError, match=r"died|gone"):
                await worker.run(order(server))

    async def test_a_worker_that_is_stuck_is_killed_after_its_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sparktui.load.link.MARGIN_S", 0.0)
        monkeypatch.setattr("sparktui.load.link.CONNECT_TIMEOUT_S", 0.2)
        async with scripted_server(hold) as server, LoadWorker.start() as worker:
            os.kill(worker.pid, signal.SIGSTOP)
            with pytest.raises(WorkerError, match="did not answer"):
                await worker.run(order(server, timeout_s=0.2))

    async def test_tokens_that_came_while_it_was_stopped_are_doubted(self) -> None:
        began, go_on = asyncio.Event(), asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(SSE_HEAD + chunked(ROLE) + chunked(delta("a")))
            began.set()
            await go_on.wait()
            await peer.send(b"".join(map(chunked, stream())) + LAST_CHUNK)

        async with scripted_server(script) as server, LoadWorker.start() as worker:
            run = asyncio.create_task(worker.run(order(server, 1)))
            await began.wait()
            os.kill(worker.pid, signal.SIGSTOP)
            began_s = time.monotonic()
            go_on.set()
            await asyncio.sleep(0.3)  # the time that it misses, not one that is waited for
            os.kill(worker.pid, signal.SIGCONT)
            record = await run
        missed = 0.3 / (time.monotonic() - began_s)
        assert record.arrival_error is not None
        assert record.arrival_error > 0.5 * missed

    async def test_its_last_words_are_in_the_error(self) -> None:
        async with LoadWorker.start() as worker:
            assert worker._process.stdin is not None
            worker._process.stdin.write(b"\x03\x00\x00\x00abc")
            with pytest.raises(WorkerError, match="not an order"):
                await worker.run(StartWave(Target("127.0.0.1", 1), (b"x",), LIMIT_S))

    async def test_a_deadline_is_in_the_record_and_no_error(self) -> None:
        async with scripted_server(hold) as server, LoadWorker.start() as worker:
            record = await worker.run(order(server, timeout_s=0.2))
            assert {request.error for request in record.requests} == {"timeout: not ended within 0.2 s"}

    async def test_against_the_embedded_engine(self, shared_engine: SimEngine) -> None:
        requests = tuple(
            build_request(shared_engine.url, Ask(shared_engine.model, 32), Prompt(f"{i} words to begin with"))
            for i in range(16)
        )
        async with LoadWorker.start() as worker:
            record = await worker.run(StartWave(target_of(shared_engine.url), requests, LIMIT_S))
        for request in record.requests:
            assert (request.error, request.completion_tokens, request.token_source) == (None, 32, "token_ids")
            assert len(request.events) == 4 * 32
