"""This machine as a host: an argv is executed as it is, in a session of its own."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from sparktui.errors import HostError
from sparktui.private import users_umask
from sparktui.serving.host import HEAD_BYTES, TAIL_BYTES, Completed
from sparktui.serving.piped import Input, Output

KILL_WAIT_S = 5.0
START_FIELD = 19
"""In /proc/PID/stat, behind the name and its parenthesis: ticks from the boot to the start."""
SAME_S = 0.05


@dataclass(slots=True)
class LocalProcess:
    """A process group on this machine; `started` is when, as `process_started` says."""

    pid: int
    started: float | None
    log: Path
    process: asyncio.subprocess.Process | None = None
    """None for one that another runner started."""

    async def alive(self) -> bool:
        if self.process is not None:
            return self.process.returncode is None
        return self.started is not None and same_process(self.pid, self.started)

    async def signal(self, number: int) -> None:
        if self.process is None and not await self.alive():
            return  # its id may be somebody else's by now; what is left of its group is found by its mark
        with suppress(ProcessLookupError, PermissionError):  # not ours to end: `alive` goes on saying so
            os.killpg(self.pid, number)

    async def log_tail(self) -> str:
        return await asyncio.to_thread(read_tail, self.log)

    async def log_head(self) -> str:
        return await asyncio.to_thread(_read_head, self.log)


class LocalHost:
    """This machine."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout_s: float,
        stdin: bytes = b"",
    ) -> Completed:
        with closing(Output()) as stdout, closing(Output()) as stderr, closing(Input(stdin)) as said:
            process = await _start(argv, env, cwd, stdout.far, stderr.far, said.far)
            await _ended_within(process, argv[0], timeout_s)
            return Completed(process.returncode or 0, stdout.rest(), stderr.rest())

    async def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        cwd: str | None = None,
        log: Path,
    ) -> LocalProcess:
        try:
            with log.open("ab") as file:
                process = await _start(argv, {**(env or {}), **(secrets or {})}, cwd, file.fileno(), file.fileno())
        except OSError as error:
            raise HostError(f"cannot write {log}: {error.strerror}") from error
        return LocalProcess(process.pid, process_started(process.pid), log, process)

    def adopt(self, pid: int, started: float | None, log: Path) -> LocalProcess:
        return LocalProcess(pid, started, log)

    async def keep_log(self, log: Path) -> None:
        """It is here already."""

    async def write(self, path: str, text: str) -> None:
        try:
            await asyncio.to_thread(_write_private, Path.home() / path, text)
        except OSError as error:
            raise HostError(f"cannot write {path}: {error.strerror}") from error

    async def remove(self, path: str) -> None:
        try:
            await asyncio.to_thread((Path.home() / path).unlink, missing_ok=True)
        except OSError as error:
            raise HostError(f"cannot remove {path}: {error.strerror}") from error


def read_tail(path: Path, size: int = TAIL_BYTES) -> str:
    """Return the end of a text file; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read(size).decode(errors="replace")
    except OSError:
        return ""


def _read_head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES).decode(errors="replace")
    except OSError:
        return ""


def process_started(pid: int) -> float | None:
    """Return when a process of this machine was started, so that its id is not mistaken for a later process's.

    In seconds since boot where the kernel counts so (Linux): of a wall clock that is set, every start would be another.
    """
    if not Path("/proc/self/stat").exists():
        try:
            return psutil.Process(pid).create_time()
        except psutil.Error:
            return None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[START_FIELD]) / os.sysconf("SC_CLK_TCK")


def same_process(pid: int, started: float) -> bool:
    """Tell whether a process id still belongs to the process that was started then."""
    now = process_started(pid)
    return now is not None and abs(now - started) < SAME_S


async def _ended_within(process: asyncio.subprocess.Process, name: str, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await process.wait()
    except TimeoutError:
        await _kill(process)
        raise HostError(f"{name} had not ended after {timeout_s:.0f} s", "see what it waits for by hand") from None
    except asyncio.CancelledError:
        await _kill(process)
        raise


async def _start(
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    cwd: str | None,
    stdout: int,
    stderr: int,
    stdin: int = asyncio.subprocess.DEVNULL,
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            env={**os.environ, **env} if env else None,
            cwd=os.path.expanduser(cwd) if cwd else None,  # noqa: ASYNC240 - reads $HOME, no disk
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            umask=users_umask(),
        )
    except OSError as error:
        where = f" in {cwd}" if cwd else ""
        raise HostError(
            f"cannot start {argv[0]}{where}: {error.strerror}", "is it installed and on the PATH?"
        ) from error


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


async def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):  # stuck in a driver: nothing can be done about it from here
        async with asyncio.timeout(KILL_WAIT_S):
            await process.wait()
