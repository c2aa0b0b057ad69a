"""What is there after `sparktui stop` and should not be: processes, listening ports, files."""

from __future__ import annotations

import re
import time
from collections.abc import Collection
from pathlib import Path

import psutil

from tests.faults.matrix.processes import others
from tests.runner.campaigns import Owner

GRACE_S = 1.0
"""A helper that has seen its pipe close is on its way out."""
KEPT = re.compile(r"sparktui\.db(-wal|-shm)?|runner\.lock|ssh|run(/\d+(/(started|[\w.-]+\.log))?)?")
"""What stays on purpose: the store, the lock's file, an empty folder for sockets, and the logs of each campaign."""


def leftovers(owner: Owner, viewers: Collection[int], ports: Collection[int]) -> list[str]:
    """Return what is left, in words.

    Args:
        owner: Whose data folder.
        viewers: Processes that were not started by a campaign.
        ports: On which something of this data folder has listened.
    """
    deadline = time.monotonic() + GRACE_S
    while (there := others(owner, viewers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = [f"process {process.pid}: {' '.join(process.info['cmdline'] or [])}" for process in there]
    return left + _open_ports(owner, ports) + _files(owner.home / "data", KEPT) + _files(owner.home / "tmp", None)


def _open_ports(owner: Owner, ports: Collection[int]) -> list[str]:
    ours = {process.pid for process in owner.processes_found()}
    return [
        f"port {connection.laddr.port} is open"
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port in ports
        and (connection.pid is None or connection.pid in ours)
    ]


def _files(folder: Path, kept: re.Pattern[str] | None) -> list[str]:
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob("*"))]
    return [f"file {name} in {folder.name}" for name in names if kept is None or not kept.fullmatch(name)]
