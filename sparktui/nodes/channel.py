"""An open line to an agent: its socket on this machine, or a process that relays it from another."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sparktui.errors import HostError
from sparktui.nodes.broken_off import broken_off
from sparktui.nodes.messages import Order, Said, encoded, parse
from sparktui.serving.piped import Output

LINE_LIMIT_BYTES = 32 * 1024**2
LONGEST_SOCKET_PATH = 100
"""In bytes; macOS takes 103, Linux 107."""
OPENED = Path("/proc/self/fd")
"""On Linux a folder that is open here can be gone through by its descriptor."""
CLOSE_S = 2.0


class NoAgentError(HostError):
    """The node can be reached, and no agent listens there."""


class Channel:
    """Lines to and from one agent."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ended: Callable[[], Awaitable[None]]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._ended = ended
        """Waits for the far end's end; raises a HostError where it says that there never was a line."""
        self.reached = False
        """The far end of the line is the agent's socket: who is silent now is the agent, not the way to it."""

    async def receive(self) -> Said | None:
        """Wait for the next line that is one; None when the line has ended.

        Raises:
            HostError: The node cannot be reached.
            NoAgentError: No agent listens there.
        """
        while line := await self._line():
            self.reached = True
            if (said := parse(line)) is not None:
                return said
        await self._ended()
        return None

    def send(self, order: Order) -> None:
        """Say something; on a line that is broken nothing happens, and `receive` tells."""
        if not self._writer.is_closing():
            self._writer.write(encoded(order))

    async def close(self) -> None:
        """Close it; the agent goes on."""
        self._writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._writer.wait_closed()
        with suppress(HostError):
            await self._ended()

    async def _line(self) -> bytes:
        try:
            return await self._reader.readline()
        except (OSError, ValueError):  # reset, or a line beyond all limits
            return b""


async def open_socket(folder: Path) -> Channel:
    """Open a line to the agent of a folder on this machine.

    Raises:
        NoAgentError: No agent listens there.
    """
    try:
        reader, writer = await _connect(folder / "sock")
    except OSError as error:
        raise NoAgentError(f"no agent listens in {folder}: {error.strerror}") from error
    channel = Channel(reader, writer, _nothing)
    channel.reached = True
    return channel


async def _connect(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return await asyncio.open_unix_connection(path, limit=LINE_LIMIT_BYTES)
    with _short(path.parent) as folder:
        return await asyncio.open_unix_connection(folder / path.name, limit=LINE_LIMIT_BYTES)


@contextmanager
def _short(folder: Path) -> Iterator[Path]:
    """Name a folder by a short path, on Linux one that is nowhere on a disk: nothing of it outlives this process."""
    if not OPENED.is_dir():
        with TemporaryDirectory() as above:
            link = Path(above) / "f"
            link.symlink_to(folder)
            yield link
        return
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield OPENED / str(fd)
    finally:
        os.close(fd)


async def open_relay(argv: Sequence[str], node: str) -> Channel:
    """Open a line through a process that relays it: `ssh HOST python3 agent.pyz connect`.

    Raises:
        HostError: The process cannot be started.
    """
    said = Output()  # closed when the process has ended
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=said.far,
            limit=LINE_LIMIT_BYTES,
            start_new_session=True,
        )
    except OSError as error:
        said.close()
        raise HostError(f"cannot start {argv[0]}: {error.strerror}", "is it installed and on the PATH?") from error
    assert process.stdin is not None
    assert process.stdout is not None
    return Channel(process.stdout, process.stdin, lambda: _relay_ended(process, said, node))


async def _relay_ended(process: asyncio.subprocess.Process, said: Output, node: str) -> None:
    """Wait for a relay's end, not for ever, and raise what it ended with."""
    try:
        async with asyncio.timeout(CLOSE_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
    if said.closed:
        return
    words = said.rest()
    said.close()
    if (error := broken_off(node, process.returncode, words)) is not None:
        raise error
    if process.returncode:
        last = (words.strip().splitlines() or ["no reason given"])[-1]
        raise NoAgentError(f"no agent answers on {node}: {last}")


async def _nothing() -> None:
    return None
