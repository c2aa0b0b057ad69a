"""The load process: `python -m sparktui.load.worker`, ordered by frames on stdin, reporting by frames on stdout.

Nothing of the screen, the store or the control plane is imported here: what shares this process shares its clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import sys
from collections.abc import Iterator

from sparktui.load.frames import FrameError, encode, read_order
from sparktui.load.kernel import hold_kernel_stamps
from sparktui.load.messages import (
    Cancel,
    FromWorker,
    Progress,
    Quit,
    Ready,
    Refused,
    Start,
    StartPool,
    WaveCancelled,
    WaveDone,
)
from sparktui.load.pool import Pool
from sparktui.load.progress import Gauge, InFlight
from sparktui.load.wave import Connections, Wave

PICTURE_EVERY_S = 0.25
_MAX_UNREAD_BYTES = 1 << 20
"""A runner this far behind gets no more pictures until it has caught up; results always wait for it."""
_WANTED_FILES = 65536


class Worker:
    """Obeys one order at a time."""

    def __init__(self, orders: asyncio.StreamReader, reports: asyncio.WriteTransport) -> None:
        self._orders = orders
        self._reports = reports
        self._connections = Connections()
        self._gauge = Gauge()
        self._wave: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        """Obey until told to quit, or until the runner has gone."""
        held = hold_kernel_stamps()
        self._report(Ready(pid=os.getpid(), clock="kernel" if held else "user"))
        try:
            while not isinstance(order := await read_order(self._orders), Quit | None):
                if isinstance(order, Start):
                    self._start(order)
                else:
                    await self._cancel(order)
        finally:
            await self._stop()
            self._connections.close()
            if held is not None:
                held.close()

    def _start(self, order: Start) -> None:
        if self._wave is not None and not self._wave.done():
            self._report(Refused("a wave is already in flight"))
        elif order.empty:
            self._report(Refused("a wave without requests"))
        else:
            self._wave = asyncio.get_running_loop().create_task(self._run(order))
            self._wave.add_done_callback(self._fall_with)

    async def _cancel(self, _: Cancel) -> None:
        if self._wave is not None and not self._wave.done():
            await self._stop()
            self._report(WaveCancelled())

    async def _stop(self) -> None:
        if self._wave is not None and not self._wave.done():
            self._wave.cancel()
            await asyncio.wait([self._wave])

    async def _run(self, order: Start) -> None:
        wave = self._prepared(order)
        with _no_collections():
            pictures = asyncio.get_running_loop().create_task(self._picture(wave))
            try:
                record = await wave.run()
            finally:
                pictures.cancel()
                await asyncio.wait([pictures])
                last = self._gauge.picture(wave)
                self._gauge.add_up(wave)
        self._report(last)
        self._report(WaveDone(record))

    def _prepared(self, order: Start) -> InFlight:
        if isinstance(order, StartPool):
            return Pool(order, self._connections.to(order.target, len(order.slots)))
        return Wave(order, self._connections.to(order.target, len(order.requests)))

    async def _picture(self, wave: InFlight) -> None:
        while True:
            await asyncio.sleep(PICTURE_EVERY_S)
            await wave.decode()
            self._report(self._gauge.picture(wave))

    def _report(self, message: FromWorker) -> None:
        if isinstance(message, Progress) and self._reports.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            return
        self._reports.write(encode(message))

    def _fall_with(self, wave: asyncio.Task[None]) -> None:
        # A bug in a wave must end the process, loudly, and not leave the runner waiting.
        error = None if wave.cancelled() else wave.exception()
        if isinstance(error, Exception):
            self._orders.set_exception(error)


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the garbage collector out of a wave."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _main() -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin.buffer)
    reports, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout.buffer)
    try:
        await Worker(orders, reports).serve()
    finally:
        reports.close()
    # Not by returning: a name lookup in flight sits in a thread that cannot be cancelled, and would be waited for.
    os._exit(0)


def main() -> None:
    """Run the worker; it ends with 0, or with 1 and a line or a traceback on stderr."""
    # Ctrl-C reaches the whole process group; the runner decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _raise_file_limit()
    # What is there by now stays: the collection before each wave need not look at it.
    gc.freeze()
    try:
        asyncio.run(_main())
    except FrameError as error:
        print(f"not an order: {error}", file=sys.stderr)  # noqa: T201 - its runner reads it there
        sys.exit(1)


if __name__ == "__main__":
    main()
