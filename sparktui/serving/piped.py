"""What goes into a command and comes out of it: through pipes, since a temporary file needs a disk that has space.

A pipe is open for as long as anybody holds it: what a command leaves running (a daemon, ssh's shared connection) has it
from its parent. So the end that is waited for is the process's, not the pipe's.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from sparktui.errors import HostError

MOST_BYTES = 128 * 1024**2
"""Of one command's output; what comes after is read, so that the command can end, and dropped."""
CHUNK_BYTES = 1 << 16
LATE_BYTES = 1 << 20
"""Of what is there after the end: as much as a pipe holds. A daemon may write faster than anybody reads."""


class Output:
    """One of a command's two streams; `far`, the end that the command gets, is open here too: no read meets an end."""

    def __init__(self) -> None:
        self._near, self.far = _pipe()
        self._read = bytearray()
        self.closed = False
        os.set_blocking(self._near, False)
        asyncio.get_running_loop().add_reader(self._near, self._take)

    def close(self) -> None:
        """Let go of it; what is still written to it is nobody's."""
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().remove_reader(self._near)
            os.close(self._near)
            os.close(self.far)

    def rest(self) -> str:
        """Return everything that was written, with what is still in the pipe; waits for nothing."""
        late = 0
        while late < LATE_BYTES and (size := self._take()):
            late += size
        return self._read.decode(errors="replace")

    def _take(self) -> int:
        try:
            chunk = os.read(self._near, CHUNK_BYTES)
        except BlockingIOError:
            return 0
        self._read += chunk[: MOST_BYTES - len(self._read)]
        return len(chunk)


class Input:
    """What a command reads; it may end without reading it."""

    def __init__(self, said: bytes) -> None:
        self._left = memoryview(said)
        self.far, self._near = _pipe()
        self._open = True
        os.set_blocking(self._near, False)
        asyncio.get_running_loop().add_writer(self._near, self._give)

    def close(self) -> None:
        """Let go of it, read or not."""
        self._end()
        os.close(self.far)

    def _give(self) -> None:
        with suppress(BlockingIOError):
            self._left = self._left[os.write(self._near, self._left[:CHUNK_BYTES]) :]
        if not self._left:
            self._end()

    def _end(self) -> None:
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_writer(self._near)
            os.close(self._near)


def _pipe() -> tuple[int, int]:
    try:
        return os.pipe()
    except OSError as error:
        raise HostError(f"cannot make a pipe to a command: {error.strerror}", "see `ulimit -n`") from error
