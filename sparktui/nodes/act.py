"""Ending what a launch has on this node: marked processes by SIGKILL, containers by the commands given for them.

SIGKILL and nothing gentler: a process that is asked to end first runs, allocates and writes, on a node with seconds.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sparktui.nodes.flight import Entry
from sparktui.nodes.marked import Marked

FIRST_LOOK_S = 0.2
"""How long the first report waits for a look at what has come up since the last one: that look may block."""
ROUND_S = 1.0
ROUNDS = 12
"""How often it is looked for what has come up meanwhile, and a command that failed is tried again."""
QUIET_STDIO = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    (os.POSIX_SPAWN_DUP2, 1, 2),
]
NOT_FOUND = 127
"""What a shell says of a command that is not there."""


@dataclass
class Command:
    """One stop command, started and not waited for."""

    argv: Sequence[str]
    pid: int | None = None
    returncode: int | None = None

    def start(self) -> None:
        """Start it, again where it has failed."""
        self.returncode = None
        try:
            self.pid = os.posix_spawnp(self.argv[0], list(self.argv), os.environ, file_actions=QUIET_STDIO)
        except OSError:
            self.pid, self.returncode = None, NOT_FOUND

    def poll(self) -> int | None:
        """Return its exit status (negative: the signal that ended it), or None while it runs."""
        if self.pid is not None and self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


@dataclass
class Act:
    """One stop of one launch."""

    mark: str
    """Of what is stopped."""
    text: str
    """Why, in a sentence."""
    crossed: float
    """When the reading that crossed the floor was taken, monotonic seconds."""
    marked: Marked
    stop: Sequence[Sequence[str]]
    tell: Callable[[Entry], object]
    """Called from the act's own thread too."""
    wall: float = field(default_factory=time.time)
    reported: Entry | None = None
    """What was told of it last."""
    _killed: set[int] = field(default_factory=set)
    _last: float = 0.0
    """When the last signal was sent, or command started."""

    def strike(self) -> None:
        """Kill what is known, at once."""
        self._kill()

    def follow_up(self) -> None:
        """Start the commands, and go on killing, on a thread."""
        threading.Thread(target=self._go_on, daemon=True).start()

    def _go_on(self) -> None:
        commands = [Command(argv) for argv in self.stop if argv]
        for command in commands:
            command.start()
        self._last = time.monotonic()
        first_look = threading.Thread(target=self._look_and_kill, daemon=True)
        first_look.start()
        first_look.join(FIRST_LOOK_S)
        ms = round((self._last - self.crossed) * 1000, 1)
        self._report(commands, ms)
        left = self._until_gone(commands)
        self._report(commands, ms, done=True)
        for command in commands:
            if command.returncode != 0:
                self._trouble("stop-command", f"`{' '.join(command.argv)}` {_outcome(command.returncode)}")
        if left:
            self._trouble("not-gone", f"still there after SIGKILL: processes {', '.join(map(str, left))}")

    def _until_gone(self, commands: list[Command]) -> list[int]:
        """Kill until nothing is left and every command has done its work, or it is no use; return what is left."""
        left: list[int] = []
        for _ in range(ROUNDS):
            time.sleep(ROUND_S)
            left = self._look_and_kill()
            failed = [command for command in commands if command.poll() != 0]
            if not left and not failed:
                break
            for command in failed:
                if command.returncode is not None:
                    command.start()
        return left

    def _look_and_kill(self) -> list[int]:
        left = self.marked.refresh()
        self._kill()
        return left

    def _kill(self) -> None:
        if killed := self.marked.kill():
            self._last = time.monotonic()
            self._killed.update(killed)

    def _report(self, commands: list[Command], ms: float, *, done: bool = False) -> None:
        ran = [[list(command.argv), command.poll()] for command in commands]
        did = {"ms": ms, "killed": sorted(self._killed), "ran": ran, "done": done}
        self.reported = {"acted": {"t": self.wall, "mark": self.mark, "text": self.text, **did}}
        self.tell(self.reported)

    def _trouble(self, kind: str, text: str) -> None:
        self.tell({"trouble": {"kind": kind, "text": text}})


def _outcome(returncode: int | None) -> str:
    if returncode is None:
        return "has not ended"
    return "cannot be started" if returncode == NOT_FOUND else f"ended with {returncode}"
