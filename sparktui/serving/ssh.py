"""A node reached by OpenSSH's own client: the user's config, keys and known hosts hold, and nothing is asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sparktui.errors import HostError
from sparktui.nodes.broken_off import broken_off
from sparktui.serving.host import HEAD_BYTES, TAIL_BYTES, Completed
from sparktui.serving.local import LocalHost

CONNECT_TIMEOUT_S = 5
SHORT_S = 15.0
"""For a command that only looks or signals."""
LOG_TIMEOUT_S = 60.0
MAX_LOG_BYTES = 32 * 1024**2

PLAIN = re.compile(r"[A-Za-z0-9_@%+:,./-]+")
"""Needs no quotes in any shell; a leading `=` does in zsh."""
CD_AND_EXEC = 'case $1 in "~") cd;; "~/"*) cd "$HOME/${1#"~/"}";; *) cd "$1";; esac && shift && exec "$@"'
"""Run with the folder as $1 and the argv behind it: neither is ever parsed by the shell."""
SPAWN = """
while IFS= read -r pair; do export "$pair"; done
log=$1; shift
(umask 077 && mkdir -p "$(dirname "$log")" && rm -f "$log" && : >"$log") || exit
setsid "$@" >>"$log" 2>&1 </dev/null & pid=$!
stat=$(cat "/proc/$pid/stat") || exit
set -- ${stat##*) }
echo "$pid ${20}"
"""
"""Reads secrets from stdin; prints the group's id and its start in clock ticks since boot (field 22 of its stat)."""
SPAWNED = re.compile(r"([1-9][0-9]{0,8}) ([0-9]{1,20})")
ALIVE = """
stat=$(cat "/proc/$1/stat" 2>/dev/null) || exit 1
wanted=$2; set -- ${stat##*) }
[ "$1" != Z ] && { [ -z "$wanted" ] || [ "$wanted" = "${20}" ]; }
"""
SIGNAL = """
pid=$1 wanted=$2 number=$3
stat=$(cat "/proc/$pid/stat" 2>/dev/null) || exit 0
set -- ${stat##*) }
[ -z "$wanted" ] || [ "$wanted" = "${20}" ] || exit 0
kill -s "$number" -- "-$pid" 2>/dev/null
exit 0
"""
"""Of a leader that is gone the group may be somebody else's, after a reboot: what it has left is found by its mark. One
of the same id that started at another time is somebody else."""
WRITE = 'umask 077 && mkdir -p "$(dirname "$1")" && cat >"$1"'


@dataclass(frozen=True, slots=True)
class SshProcess:
    """A process group on another node, known by its id there; `started` is in that node's clock ticks since boot."""

    host: SshHost
    pid: int
    log: Path
    """Where its log is brought to; on the node it is under the login folder."""
    started: float | None

    async def alive(self) -> bool:
        return (await self._look(ALIVE, str(self.pid), self._wanted)).returncode == 0

    async def signal(self, number: int) -> None:
        await self._look(SIGNAL, str(self.pid), self._wanted, str(number))

    async def log_tail(self) -> str:
        return (await self.host.run(["tail", "-c", str(TAIL_BYTES), _on_node(self.log)], timeout_s=SHORT_S)).stdout

    async def log_head(self) -> str:
        return (
            await self.host.run(["head", "-c", str(HEAD_BYTES), _on_node(self.log)], timeout_s=LOG_TIMEOUT_S)
        ).stdout

    @property
    def _wanted(self) -> str:
        return "" if self.started is None else f"{self.started:.0f}"

    async def _look(self, script: str, *arguments: str) -> Completed:
        return await self.host.run(["sh", "-c", script, "sh", *arguments], timeout_s=SHORT_S)


@dataclass(frozen=True, slots=True)
class SshHost:
    """One node, over one shared connection."""

    destination: str
    control_dir: Path
    """Where the shared connection's socket lives."""

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
        if (error := broken_off(self.destination, done.returncode, done.stderr)) is not None:
            raise error
        return done

    async def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        cwd: str | None = None,
        log: Path,
    ) -> SshProcess:
        inner = _with_env(_in_folder(argv, cwd), env)
        pairs = "".join(f"{name}={value}\n" for name, value in (secrets or {}).items())
        done = await self.run(["sh", "-c", SPAWN, "sh", _on_node(log), *inner], timeout_s=30, stdin=pairs.encode())
        last = (done.stdout.splitlines() or [""])[-1]  # what a login shell says of its own comes before
        if done.returncode != 0 or not (spawned := SPAWNED.fullmatch(last)):
            raise HostError(f"cannot start {argv[0]} on {self.destination}: {done.stderr.strip()[-300:]}")
        return SshProcess(self, int(spawned[1]), log, float(spawned[2]))

    def adopt(self, pid: int, started: float | None, log: Path) -> SshProcess:
        return SshProcess(self, pid, log, started)

    async def keep_log(self, log: Path) -> None:
        there = _on_node(log)
        written = await self.run(["tail", "-c", str(MAX_LOG_BYTES), there], timeout_s=LOG_TIMEOUT_S)
        if written.returncode == 0:
            await asyncio.to_thread(_append, log, written.stdout)
            await self.run(["rm", "-f", there], timeout_s=SHORT_S)

    async def write(self, path: str, text: str) -> None:
        done = await self.run(["sh", "-c", WRITE, "sh", path], timeout_s=30, stdin=text.encode())
        if done.returncode != 0:
            raise HostError(f"cannot write {path} on {self.destination}: {done.stderr.strip()[-300:]}")

    async def remove(self, path: str) -> None:
        done = await self.run(["rm", "-f", "--", path], timeout_s=SHORT_S)
        if done.returncode != 0:
            raise HostError(f"cannot remove {path} on {self.destination}: {done.stderr.strip()[-300:]}")

    def command(
        self, argv: Sequence[str], env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> tuple[str, ...]:
        """Return the local argv that runs `argv` on the node."""
        return self._ssh((), " ".join(map(quoted, _with_env(_in_folder(argv, cwd), env))))

    async def leave(self) -> None:
        """Let go of the shared connection: it ends with the last command on it, this process's or another's."""
        with suppress(HostError):
            await LocalHost().run(self._ssh(("-O", "stop")), timeout_s=SHORT_S)

    def _ssh(self, more: Sequence[str], *command: str) -> tuple[str, ...]:
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
        return ("ssh", *flags, *more, "--", self.destination, *command)


def quoted(word: str) -> str:
    """Return a word quoted for whatever login shell the node has: sh, bash, zsh and fish take it back alike.

    Quotes and backslashes stand outside of quotes: fish, unlike sh, knows escapes between single quotes.
    """
    parts = re.findall(r"[^'\\]+|['\\]", word)
    return "".join(part if PLAIN.fullmatch(part) else _quoted_part(part) for part in parts) or "''"


def _quoted_part(part: str) -> str:
    return f"\\{part}" if part in ("'", "\\") else f"'{part}'"


def _on_node(log: Path) -> str:
    """Return where a log lies on the node: named after the campaign's folder and its own name here."""
    return f".cache/sparktui/{log.parent.name}-{log.name}"


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _in_folder(argv: Sequence[str], cwd: str | None) -> list[str]:
    return ["sh", "-c", CD_AND_EXEC, "sh", cwd, *argv] if cwd else list(argv)


def _with_env(argv: Sequence[str], env: Mapping[str, str] | None) -> list[str]:
    return ["env", *(f"{key}={value}" for key, value in env.items()), *argv] if env else list(argv)
