"""The runner's side of the load worker: spawn it, give it waves, and tell plainly when it dies or goes silent."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable

from sparktui.errors import EngineError, SparktuiError
from sparktui.load.frames import FrameError, encode, read_report
from sparktui.load.messages import (
    Cancel,
    FromWorker,
    Progress,
    Quit,
    Ready,
    Refused,
    Start,
    ToWorker,
    WaveCancelled,
    WaveDone,
)
from sparktui.load.slot import CONNECT_TIMEOUT_S
from sparktui.measure.record import Clock, WaveRecord

READY_TIMEOUT_S = 60.0
"""A cold start from a slow disk on a busy node; a warm one takes 0.2 s."""
MARGIN_S = 30.0
"""How long after a wave's own deadline its record may take."""
STOP_TIMEOUT_S = 5.0
_KEPT_STDERR_BYTES = 4000
_READ_AHEAD_BYTES = 1 << 20


class WorkerError(EngineError):
    """The load worker died, refused or went silent."""


class WaveCancelledError(SparktuiError):
    """The wave was given up on request; there is no record of it."""


class LoadWorker:
    """One load process; runs one wave or pool run at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.clock: Clock = "user"
        """Whose receive stamps plain http connections will have."""
        self._process = process
        self._reports: asyncio.Queue[FromWorker | FrameError | None] = asyncio.Queue()
        self._said = b""
        self._pumps = [asyncio.create_task(self._pump_reports()), asyncio.create_task(self._pump_stderr())]
        self._running = False

    @classmethod
    @contextlib.asynccontextmanager
    async def start(cls) -> AsyncIterator[LoadWorker]:
        """Spawn a worker for the time of a `with` block.

        Raises:
            WorkerError: If it does not come up.
        """
        worker = await cls.open()
        try:
            yield worker
        finally:
            await worker.close()

    @classmethod
    async def open(cls) -> LoadWorker:
        """Spawn a worker that the caller closes.

        Raises:
            WorkerError: If it does not come up.
        """
        # -P: a file called socket.py in the user's folder must not become part of the worker.
        argv = (sys.executable, "-P", "-m", "sparktui.load.worker")
        pipe = asyncio.subprocess.PIPE
        worker = cls(
            await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe, limit=_READ_AHEAD_BYTES)
        )
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                report = await worker._next()
        except TimeoutError:
            await worker.close()
            raise worker._error(f"did not come up within {READY_TIMEOUT_S:.0f} s") from None
        except BaseException:
            await worker.close()
            raise
        if isinstance(report, Ready):
            worker.clock = report.clock
        return worker

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    async def run(self, order: Start, on_progress: Callable[[Progress], None] | None = None) -> WaveRecord:
        """Run a wave, or a pool run, to its end.

        Cancelling the task that waits here gives the wave up and leaves the worker ready for the next.

        Raises:
            WaveCancelledError: If `cancel` was called meanwhile.
            WorkerError: If the worker died, refused, or did not answer in time.
        """
        if self._running:
            raise WorkerError("The load worker already runs a wave.")
        self._running = True
        limit_s = order.limit_s + 2 * CONNECT_TIMEOUT_S + MARGIN_S
        try:
            async with asyncio.timeout(limit_s):
                await self._send(order)
                return await self._outcome(on_progress)
        except TimeoutError:
            self._kill()
            raise self._error(f"did not answer within {limit_s:.0f} s") from None
        except asyncio.CancelledError:
            await self._give_up()
            raise
        finally:
            self._running = False

    async def cancel(self) -> None:
        """Give up the wave in flight, if there is one; `run` then raises WaveCancelledError."""
        if self._running:
            await self._send(Cancel())

    async def close(self) -> None:
        """End the worker, kindly if it listens."""
        assert self._process.stdin is not None
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                with contextlib.suppress(WorkerError):
                    await self._send(Quit())
                self._process.stdin.close()
                await self._process.wait()
        except TimeoutError:
            self._kill()
            await self._process.wait()
        await asyncio.gather(*self._pumps)

    async def _outcome(self, on_progress: Callable[[Progress], None] | None) -> WaveRecord:
        while True:
            match await self._next():
                case Progress() as picture:
                    if on_progress is not None:
                        on_progress(picture)
                case WaveDone(record):
                    return record
                case WaveCancelled():
                    raise WaveCancelledError("The wave was given up.")
                case Refused(reason):
                    raise WorkerError(f"The load worker refused the wave: {reason}.")

    async def _give_up(self) -> None:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await self._send(Cancel())
                await self._outcome(None)
        except TimeoutError:
            self._kill()
        except asyncio.CancelledError:
            self._kill()
            raise
        except SparktuiError:
            pass  # Given up as asked, or dead; the next call tells.

    async def _send(self, order: ToWorker) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(encode(order))
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError):
            raise self._error("has gone") from None

    async def _next(self) -> FromWorker:
        report = await self._reports.get()
        if isinstance(report, FrameError):
            self._kill()
            raise self._error(f"sent what cannot be read ({report})")
        if report is None:
            self._reports.put_nowait(None)
            await self._process.wait()
            await self._pumps[1]
            raise self._error(f"died (exit code {self._process.returncode})")
        return report

    async def _pump_reports(self) -> None:
        assert self._process.stdout is not None
        try:
            while (report := await read_report(self._process.stdout)) is not None:
                self._reports.put_nowait(report)
        except FrameError as error:
            self._reports.put_nowait(error)
        self._reports.put_nowait(None)

    async def _pump_stderr(self) -> None:
        assert self._process.stderr is not None
        while said := await self._process.stderr.read(_KEPT_STDERR_BYTES):
            self._said = (self._said + said)[-_KEPT_STDERR_BYTES:]

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def _error(self, what: str) -> WorkerError:
        tail = self._said.decode("utf-8", "replace").strip()
        return WorkerError(f"The load worker {what}." + (f" It said:\n{tail}" if tail else ""))
