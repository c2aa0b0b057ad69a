"""The processes of one data folder, by what they are."""

from __future__ import annotations

from collections.abc import Collection

import psutil

from tests.faults.matrix.plan import Target
from tests.runner.campaigns import Owner

MODULES: dict[Target, str] = {
    "runner": "sparktui.runner",
    "worker": "sparktui.load.worker",
    "agent": "sparktui.nodes.agent",
    "engine": "sparktui.sim.engine",
    "router": "sparktui.sim.router",
}


def of_kind(owner: Owner, target: Target) -> list[psutil.Process]:
    """Return the processes of one kind, oldest first."""
    found = [process for process in owner.processes_found() if MODULES[target] in (process.info["cmdline"] or [])]
    return sorted(found, key=lambda process: process.pid)


def others(owner: Owner, known: Collection[int]) -> list[psutil.Process]:
    """Return every process but those with known ids."""
    return [process for process in owner.processes_found() if process.pid not in known]


def listening(owner: Owner) -> set[int]:
    """Return the ports on which anything of this data folder listens now."""
    pids = {process.pid for process in owner.processes_found()}
    return {
        connection.laddr.port
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.pid in pids
    }
