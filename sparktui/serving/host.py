"""A command on a node: on this machine, or over the user's own `ssh`. The only place that starts processes on nodes.

No value of a profile ever becomes shell syntax: locally an argv is executed as it is; over ssh, whose far end is always
a shell, every word is quoted.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Protocol

import psutil

from sparktui.errors import HostError

CONNECT_TIMEOUT_S = 5
TAIL_BYTES = 8192
KILL_WAIT_S = 5.0

CD_AND_EXEC = 'case $1 in "~/"*) cd "$HOME/${1#"~/"}";; *) cd "$1";; esac && shift && exec "$@"'
"""Run with the folder as $1 and the argv behind it: neither is ever parsed by the shell."""
SPAWN = 'umask 077 && mkdir -p "$(dirname "$1")" && { setsid "${@:2}" >"$1" 2>&1 </dev/null & echo $!; }'


WRITE = 'umask 077 && mkdir -p "$(dirname "$1")" && cat >"$1"'


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
        """When it was started, where that is known."""

    async def alive(self) -> bool:
        """Tell whether its first process is still there."""

    async def signal(self, number: int) -> None:
        """Send a signal to the whole group; one that is gone is not an error."""

    async def log_tail(self) -> str:
        """Return the last lines it wrote."""


class Host(Protocol):
    """Where commands run."""

    async def run(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = ..., cwd: str | None = ..., timeout_s: float
    ) -> Completed:
        """Run a command to its end.

        Raises:
            HostError: It could not be started, or had not ended in time (it is killed then).
        """

    async def spawn(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = ..., cwd: str | None = ..., log: Path
    ) -> Running:
        """Start a process in a group of its own, its output going to `log`.

        Raises:
            HostError: It could not be started.
        """

    def adopt(self, pid: int, started: float | None) -> Running:
        """Return a process group that an earlier runner started on the node."""

    async def write(self, path: str, text: str) -> None:
        """Write a file that only its owner can read; a relative path is under the login folder.

        Raises:
            HostError: It could not be written.
        """


@dataclass(slots=True)
class LocalProcess:
    """A process group on this machine."""

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
        if self.process is None and not await self.alive() and process_started(self.pid) is not None:
            return  # its id belongs to another process by now
        with suppress(ProcessLookupError, PermissionError):  # not ours to end: `alive` goes on saying so
            os.killpg(self.pid, number)

    async def log_tail(self) -> str:
        return await asyncio.to_thread(read_tail, self.log)


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
        # Files, not pipes: what it leaves running (a daemon, ssh's shared connection) would hold a pipe open.
        with TemporaryFile() as stdout, TemporaryFile() as stderr, TemporaryFile() as said:
            said.write(stdin)
            said.seek(0)
            process = await _start(argv, env, cwd, stdout.fileno(), stderr.fileno(), said.fileno())
            await _ended_within(process, argv[0], timeout_s)
            return Completed(process.returncode or 0, _written(stdout), _written(stderr))

    async def spawn(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None, log: Path
    ) -> LocalProcess:
        try:
            with log.open("ab") as file:
                process = await _start(argv, env, cwd, file.fileno(), file.fileno())
        except OSError as error:
            raise HostError(f"cannot write {log}: {error.strerror}") from error
        return LocalProcess(process.pid, process_started(process.pid), log, process)

    def adopt(self, pid: int, started: float | None) -> LocalProcess:
        return LocalProcess(pid, started, Path(os.devnull))

    async def write(self, path: str, text: str) -> None:
        try:
            await asyncio.to_thread(_write_private, Path.home() / path, text)
        except OSError as error:
            raise HostError(f"cannot write {path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class SshProcess:
    """A process group on another node, known by its id there."""

    host: SshHost
    pid: int
    log: str
    started: float | None = None

    async def alive(self) -> bool:
        return (await self.host.run(["kill", "-0", str(self.pid)], timeout_s=15)).returncode == 0

    async def signal(self, number: int) -> None:
        await self.host.run(["kill", f"-{number}", "--", f"-{self.pid}"], timeout_s=15)

    async def log_tail(self) -> str:
        return (await self.host.run(["tail", "-c", str(TAIL_BYTES), self.log], timeout_s=15)).stdout


@dataclass(frozen=True, slots=True)
class SshHost:
    """A node reached by OpenSSH's own client: the user's config, keys and known hosts hold, and nothing is asked."""

    destination: str
    control_dir: Path
    """Where the one shared connection's socket lives."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        timeout_s: float,
        stdin: bytes = b"",
    ) -> Completed:
        done = await LocalHost().run(self.command(argv, env, cwd), timeout_s=timeout_s, stdin=stdin)
        if done.returncode == 255:
            reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise HostError(
                f"ssh {self.destination}: {reason[0]}", f"make `ssh -o BatchMode=yes {self.destination} true` work"
            )
        return done

    async def spawn(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None, log: Path
    ) -> SshProcess:
        remote_log = f".cache/sparktui/{log.parent.name}-{log.name}"
        inner = _with_env(_in_folder(argv, cwd), env)
        done = await self.run(["bash", "-c", SPAWN, "bash", remote_log, *inner], timeout_s=30)
        if done.returncode != 0 or not done.stdout.strip().isdigit():
            raise HostError(f"cannot start {argv[0]} on {self.destination}: {done.stderr.strip()[-300:]}")
        return SshProcess(self, int(done.stdout), remote_log)

    def adopt(self, pid: int, started: float | None) -> SshProcess:
        return SshProcess(self, pid, os.devnull, started)

    async def write(self, path: str, text: str) -> None:
        done = await self.run(["sh", "-c", WRITE, "sh", path], timeout_s=30, stdin=text.encode())
        if done.returncode != 0:
            raise HostError(f"cannot write {path} on {self.destination}: {done.stderr.strip()[-300:]}")

    def command(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> tuple[str, ...]:
        """Return the local argv that runs `argv` on the node."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": str(CONNECT_TIMEOUT_S),
            "ControlMaster": "auto",
            "ControlPath": f'"{str(self.control_dir).replace("%", "%%")}/%C"',  # split at spaces where not quoted
            "ControlPersist": "60",
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "3",
        }
        flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        return ("ssh", *flags, "--", self.destination, shlex.join(_with_env(_in_folder(argv, cwd), env)))


def read_tail(path: Path, size: int = TAIL_BYTES) -> str:
    """Return the end of a text file; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read(size).decode(errors="replace")
    except OSError:
        return ""


def process_started(pid: int) -> float | None:
    """Return when a process of this machine was started, so that its id is not mistaken for a later process's."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def same_process(pid: int, started: float) -> bool:
    """Tell whether a process id still belongs to the process that was started then."""
    now = process_started(pid)
    return now is not None and abs(now - started) < 1


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


def _written(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


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


def _in_folder(argv: Sequence[str], cwd: str | None) -> list[str]:
    return ["sh", "-c", CD_AND_EXEC, "sh", cwd, *argv] if cwd else list(argv)


def _with_env(argv: Sequence[str], env: Mapping[str, str] | None) -> list[str]:
    return ["env", *(f"{key}={value}" for key, value in env.items()), *argv] if env else list(argv)
