"""Where campaigns have their processes on two nodes that the real ssh reaches, and leave nothing there either."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from tests.faults.matrix.node_programs import LITELLM, PORT, ROUTER_PORT, VLLM, install
from tests.faults.matrix.plan import Target
from tests.faults.matrix.processes import MODULES
from tests.faults.matrix.site import Site
from tests.runner.campaigns import profile_with
from tests.two_nodes import TestNode, TwoNodes, is_listener, two_nodes
from tests.waiting import wait_until

GRACE_S = 3.0
"""Within which sshd notices that nobody is at the other end any more."""
SSHD_PORT = 22
FLOORS = {"refuse_gib": 0.5, "warn_gib": 0.5, "loading_stop_gib": 0.5, "serving_stop_gib": 0.5}
"""The nodes have this machine's memory, and others use it too."""
SSH: tuple[Target, ...] = ("ssh-master", "ssh-link", "ssh-command")


@contextmanager
def over_ssh(home: Path) -> Iterator[OverSsh]:
    """Make two nodes, and a data folder beside them."""
    with TemporaryDirectory(prefix="spt-", dir="/var/tmp") as folder, two_nodes(Path(folder), apart=True) as nodes:
        install(Path(folder) / "programs")
        yield OverSsh(home, nodes, Path(folder) / "programs")


class OverSsh(Site):
    """This machine with the data folder, and both nodes."""

    def __init__(self, home: Path, nodes: TwoNodes, programs: Path) -> None:
        super().__init__(home, {"PATH": nodes.path})
        self.nodes = (nodes.first, nodes.second)
        self._programs = programs

    def profile(self) -> str:
        """Return the profile of its campaigns."""
        gf1, gf2 = ({"host": node.name, "address": node.address} for node in self.nodes)
        router = {"executable": str(self._programs / LITELLM), "port": ROUTER_PORT}
        shuffle: dict[str, Any] = {"kind": "replicas", "nodes": ["gf1", "gf2"], "router": router}
        vllm = {"launcher": "vllm", "executable": str(self._programs / VLLM), "port": PORT, "load_seconds": None}
        return profile_with(
            nodes={"gf1": gf1, "gf2": gf2},
            model={"weights_gib": None},
            serving=vllm,
            memory={"floors": FLOORS},
            topologies={"cluster-tp2": None, "shuffle": shuffle},
            workload={"runs": 4, "warmup_waves": 1},
        )

    def of_kind(self, target: Target) -> list[psutil.Process]:
        """Return the processes of one kind, oldest first."""
        if target == "everything":
            here = {process.pid: process for process in (*super().of_kind(target), *self._connected())}
            return [*here.values(), *self._there()]
        if target in SSH:
            return [process for process in self._ssh() if _ssh_kind(process) == target]
        if target == "sshd":
            return [process for process in self._there() if _name(process) == "sshd"]
        if target == "agent":
            return [process for process in self._there() if "--detach" in _words(process)]
        if target in ("engine", "router"):
            return [process for process in self._there() if MODULES[target] in _words(process)]
        return super().of_kind(target)

    def leftovers(self, viewers: Collection[int], ports: Collection[int]) -> list[str]:
        """Return what is left on this machine, of connections to the nodes, and on the nodes."""
        wait_until(lambda: not (self._connected() or self._there()), GRACE_S, every_s=0.05)
        left = [f"connection of {process.pid}: {' '.join(_words(process))}" for process in self._connected()]
        left += [f"process {process.pid} on a node: {' '.join(_words(process))}" for process in self._there()]
        left += super().leftovers(viewers, ports)
        return left + [line for node in self.nodes for line in (*_open_ports(node), *_files(node))]

    def _ssh(self) -> list[psutil.Process]:
        """Return every ssh of ours: its title takes the place of the shared connection's environment."""
        here = {process.pid: process for process in self._connected()}
        here |= {process.pid: process for process in self.owner.processes_found() if _name(process) == "ssh"}
        return [here[pid] for pid in sorted(here)]

    def _connected(self) -> list[psutil.Process]:
        """Return the processes of this machine that have a connection to a node's sshd."""
        ends = {(node.address, SSHD_PORT) for node in self.nodes}
        pids = {each.pid for each in psutil.net_connections("tcp") if each.raddr and tuple(each.raddr) in ends}
        return _processes(pid for pid in pids if pid is not None)

    def _there(self) -> list[psutil.Process]:
        """Return what runs on the nodes beside their own sshd."""
        return [process for node in self.nodes for process in node.processes() if not _is_listener(process)]


def _processes(pids: Iterator[int]) -> list[psutil.Process]:
    found = []
    for pid in sorted(pids):
        with suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(pid))
    return found


def _ssh_kind(process: psutil.Process) -> Target:
    words = _words(process)
    if words[:1] and words[0].startswith("ssh: "):
        return "ssh-master"
    return "ssh-link" if words[-1:] and words[-1].endswith(" connect") else "ssh-command"


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return ""


def _is_listener(process: psutil.Process) -> bool:
    try:
        return is_listener(process) or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _open_ports(node: TestNode) -> list[str]:
    return [f"port {port} is open on {node.name}" for port in sorted(node.listening() - {SSHD_PORT})]


def _files(node: TestNode) -> list[str]:
    return [
        f"file {path.relative_to(folder)} in the {folder.name} of {node.name}"
        for folder in node.own_folders
        for path in sorted(folder.rglob("*"))
    ]
