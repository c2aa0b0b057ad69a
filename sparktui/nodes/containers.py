"""The containers of a launch by their ids: a name may be somebody else's once the runner is gone, an id never is."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence

Argv = Sequence[str]

KILL = ("docker", "kill")
LIST = ("docker", "ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}")
LIST_DEADLINE_S = 20.0
LEARN_S, CONFIRM_S = 5.0, 60.0
"""Between looks while a container's id is not known, and once all are: a look takes tens of milliseconds of a core."""


class Containers:
    """What ends a launch's containers, and whether any is left.

    While there is a runner, the names are its own: it may launch one anew, and a stop goes by name, which needs no word
    from docker. Without one, who is known by then is all there is, and is stopped by id.

    Args:
        stop: Commands that stop what no mark reaches. Those that are `docker kill NAME` are looked after here.
    """

    def __init__(self, stop: Sequence[Argv]) -> None:
        self._stop = stop
        self._names = tuple(argv[2] for argv in stop if _is_kill(argv))
        self._ids: dict[str, str | None] = {}
        """By name; None where docker has said that none is running, and no entry before it has said anything."""
        self._alone = False
        self._over = threading.Event()

    def watch(self) -> None:
        """Begin to look after them, until closed: on a thread, for docker may take as long as it likes."""
        if self._names:
            threading.Thread(target=self._watch, daemon=True).start()

    def commands(self) -> list[Argv]:
        """Return what stops those that are left. Never blocks."""
        if not self._alone:
            return list(self._stop)
        left = ((argv, self._ids.get(argv[2], argv[2]) if _is_kill(argv) else "") for argv in self._stop)
        return [(*KILL, which) if which else argv for argv, which in left if which is not None]

    def runner_is_gone(self) -> None:
        """Take whoever gets one of the names from now on for somebody else's."""
        self._alone = True

    def runner_is_back(self) -> None:
        """Take the names for the runner's again."""
        self._alone = False

    def refresh(self) -> None:
        """Ask docker; where it does not answer, what was known stays so. May block."""
        running = _running()
        if running is not None:
            self._ids = {name: self._now(name, running) for name in self._names}

    def close(self) -> None:
        """Stop looking."""
        self._over.set()

    def _now(self, name: str, running: dict[str, str]) -> str | None:
        if not self._alone or name not in self._ids:
            return running.get(name)
        known = self._ids[name]
        return known if known in running.values() else None

    def _watch(self) -> None:
        while not self._over.wait(CONFIRM_S if all(self._ids.get(name) for name in self._names) else LEARN_S):
            self.refresh()


def _is_kill(argv: Argv) -> bool:
    return len(argv) == len(KILL) + 1 and tuple(argv[:2]) == KILL


def _running() -> dict[str, str] | None:
    """Return the ids of the containers that are running, by name; None where docker does not say."""
    try:
        said = subprocess.run(
            LIST, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIST_DEADLINE_S, check=True
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.SubprocessError):
        return None
    rows = (line.partition(" ") for line in said.splitlines())
    return {name: identity for identity, _, names in rows for name in names.split(",")}
