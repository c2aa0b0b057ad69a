"""What another user of the machine, and the network, can see of a campaign while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.runner.campaigns import Owner

LOOPBACK = ("127.0.0.1", "::1")


@dataclass
class Seen:
    """Everything that was there at some moment of a campaign."""

    modules: set[str] = field(default_factory=set)
    """Which of our processes were met."""
    argvs: set[str] = field(default_factory=set)
    listening: set[tuple[str, str]] = field(default_factory=set)
    """By the module that listens, and the address it listens on."""
    open_paths: dict[str, int] = field(default_factory=dict)
    """Files and folders that somebody else has any right to, with their modes."""

    def look(self, owner: Owner) -> None:
        """Look once."""
        for process in owner.processes_found():
            try:
                self._look_at(process)
            except psutil.Error:
                continue  # it ended meanwhile
        self.look_at_files(owner.home / "data")

    def look_at_files(self, home: Path) -> None:
        """Look at every file and folder below one."""
        for path in (home, *home.rglob("*")):
            try:
                mode = path.lstat().st_mode & 0o777
            except FileNotFoundError:
                continue
            if mode & 0o077:
                self.open_paths[str(path.relative_to(home.parent))] = mode

    def _look_at(self, process: psutil.Process) -> None:
        argv = process.cmdline()
        module = argv[argv.index("-m") + 1] if "-m" in argv else Path(argv[0]).name if argv else ""
        self.modules.add(module)
        self.argvs.add(" ".join(argv))
        for connection in process.net_connections("inet"):
            udp = not connection.raddr and connection.type.name == "SOCK_DGRAM"
            if connection.status == psutil.CONN_LISTEN or udp:
                self.listening.add((module, connection.laddr.ip))
