"""A command on a node, whichever node it is: the one seam through which anything is started, read or ended there.

No value of a profile ever becomes shell syntax: locally an argv is executed as it is; over ssh, whose far end is always
a shell, every word is quoted. Secrets go into a process's environment and into no argv, neither here nor there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

TAIL_BYTES = 8192
HEAD_BYTES = 1 << 20
"""Of a log: an engine says what it runs with in its first lines."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended."""

    returncode: int
    stdout: str
    stderr: str


class Running(Protocol):
    """A process group that stays up on a node."""

    @property
    def pid(self) -> int:
        """Its group's id on the node."""

    @property
    def started(self) -> float | None:
        """What tells it from a later process of the same id, on that node; None where that is not known."""

    async def alive(self) -> bool:
        """Tell whether its first process is still there."""

    async def signal(self, number: int) -> None:
        """Send a signal to the whole group; one that is gone is not an error."""

    async def log_tail(self) -> str:
        """Return the last lines it wrote."""

    async def log_head(self) -> str:
        """Return what it wrote first."""


class Host(Protocol):
    """Where commands run."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = ...,
        cwd: str | None = ...,
        timeout_s: float,
        stdin: bytes = ...,
    ) -> Completed:
        """Run a command to its end.

        Raises:
            HostError: It could not be started, or had not ended in time (it is killed then).
        """

    async def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = ...,
        secrets: Mapping[str, str] | None = ...,
        cwd: str | None = ...,
        log: Path,
    ) -> Running:
        """Start a process in a group of its own, its output going to `log`.

        Args:
            argv: What to start.
            env: Added to the node's own environment.
            secrets: Added too, and seen in no argv; no value may hold a line break.
            cwd: Where to start it; a leading `~/` is the login folder there.
            log: Where its output is kept on this machine, at the latest after `keep_log`.

        Raises:
            HostError: It could not be started.
        """

    def adopt(self, pid: int, started: float | None, log: Path) -> Running:
        """Return a process group that an earlier runner spawned on the node with that log."""

    async def keep_log(self, log: Path) -> None:
        """Bring what went to a log here, where it is not here already, and leave nothing of it on the node.

        Raises:
            HostError: The node cannot be asked.
        """

    async def write(self, path: str, text: str) -> None:
        """Write a file that only its owner can read; a relative path is under the login folder.

        Raises:
            HostError: It could not be written.
        """

    async def remove(self, path: str) -> None:
        """Remove a file that `write` wrote; one that is gone is not an error.

        Raises:
            HostError: It could not be removed.
        """
