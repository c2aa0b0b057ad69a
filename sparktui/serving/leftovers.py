"""What is left of a topology on a node: processes that carry its mark, and containers of its name.

A process group is not all that a launch leaves: engines and Ray put processes into sessions of their own. What they do
not shed is the environment they were started with, so every step is started with a mark in it.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from sparktui.serving.host import Host
from sparktui.serving.whole import END, whole
from sparktui.visible import visible

MARK_ENV = "SPARKTUI_LAUNCH"
KEEP_ENV = {"SPT_NOENV": "1"}
"""Keeps setproctitle, which engines use, from overwriting the environment that the mark is in."""
LOOK_TIMEOUT_S = 30.0

FIND = f"""
grep -lzxF -e "$1" /proc/[0-9]*/environ 2>/dev/null
[ $? -le 2 ] && echo "{END}"
"""
"""An environment is lines ended by NUL; zombies have none. 2 is grep's word for other users', which cannot be read."""
DESCRIBE = f"""
for pid; do
    if line=$(tr '\\000-\\037\\177' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || [ -e "/proc/$pid" ]; then
        echo "$pid $line"
    fi
done
echo "{END}"
"""
"""A command line may hold line breaks, and what a terminal would obey."""
CONTAINERS = """
command -v docker >/dev/null 2>&1 || { echo "$2"; exit; }
docker ps --all --filter "$1" --format '{{.ID}} {{.Status}}' && echo "$2"
"""
KILL = 'kill -s "$@"'
"""Not the login shell's own `kill`: zsh's knows signals by name only."""
FOUND = re.compile(r"/proc/([1-9][0-9]{0,8})/environ")
"""A number that a process can have; what else a node says is signalled by nobody."""
CONTAINER = re.compile(r"[0-9a-f]{6,64} .*")


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of ours that is still there."""

    node: str
    what: str
    remove: str
    """The command that removes it, to be typed on that node."""

    def __str__(self) -> str:
        return f"{self.what} on {self.node} (remove it with: {self.remove})"


async def marked_pids(host: Host, mark: str, name: str = MARK_ENV) -> tuple[int, ...]:
    """Return the processes of a node that carry a mark in the variable of that name.

    Raises:
        HostError: The node cannot be asked, or does not say all.
    """
    done = await host.run(["sh", "-c", FIND, "sh", f"{name}={mark}"], timeout_s=LOOK_TIMEOUT_S)
    found = (FOUND.fullmatch(line) for line in whole(done, "the processes that carry a mark"))
    return tuple(sorted({int(one[1]) for one in found if one}))


async def signal_all(host: Host, pids: tuple[int, ...], number: int) -> None:
    """Send a signal to some processes of a node; those that are gone meanwhile are no error.

    Raises:
        HostError: The node cannot be asked, or does not say all.
    """
    if pids:
        words = (str(number), "--", *map(str, pids))
        await host.run(["sh", "-c", KILL, "sh", *words], timeout_s=LOOK_TIMEOUT_S)


async def processes_left(host: Host, node: str, mark: str) -> list[Leftover]:
    """Return what still carries a mark on a node, each with its command line.

    Raises:
        HostError: The node cannot be asked, or does not say all.
    """
    pids = await marked_pids(host, mark)
    if not pids:
        return []
    done = await host.run(["sh", "-c", DESCRIBE, "sh", *map(str, pids)], timeout_s=LOOK_TIMEOUT_S)
    named = dict(line.split(" ", 1) for line in whole(done, "what is left", node) if " " in line)
    return [
        Leftover(node, f"process {pid} ({visible(named[pid].strip()[:80])})", f"kill -{int(signal.SIGKILL)} {pid}")
        for pid in map(str, pids)
        if pid in named
    ]


async def containers_left(host: Host, node: str, name: str) -> list[Leftover]:
    """Return the container of a name on a node, running or not; none where Docker is not there.

    Raises:
        HostError: The node cannot be asked, or does not say all.
    """
    done = await host.run(["sh", "-c", CONTAINERS, "sh", f"name=^/?{name}$", END], timeout_s=LOOK_TIMEOUT_S)
    lines = whole(done, f"whether there is a container {name}", node)
    found = [line.strip() for line in lines if CONTAINER.fullmatch(line)]  # no word of a login shell's own
    return [Leftover(node, f"container {name} ({visible(line)})", f"docker rm -f {name}") for line in found]
