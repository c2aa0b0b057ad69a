"""Two nodes on one machine: network namespaces joined by a bridge, each with a real sshd, reached by the real ssh.

They have addresses, ports and links of their own; they share processes, memory, disk and host name. Where they are
apart, each has a cache under the login folder and a temporary folder of its own, and a login shell that starts nothing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.waiting import wait_until

NETWORK = f"10.77.{os.getpid() % 256}"
"""Of this process: two that test at once would take each other's route."""
HOST_ADDRESS = f"{NETWORK}.254"
SSHD = "/usr/sbin/sshd"
OTHER_PORT = 2222
BOOT_ID = "/proc/sys/kernel/random/boot_id"
OWN_CACHE = """
mount --bind "$1" "$2" || exit
[ ! -e "$3" ] || mount --bind /dev/null "$3" || exit
shift 3 && exec "$@"
"""
COMMAND_DEADLINE_S = 20.0
SSHD_DEADLINE_S = 10.0
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str | None:
    """Return why no such nodes can be made here, or None."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program in ("ip", "nsenter", "ssh", "ssh-keygen"):
        if shutil.which(program) is None:
            return f"{program} is not installed (Debian: apt-get install iproute2 openssh-client)"
    return None if Path(SSHD).exists() else f"{SSHD} is not installed (Debian: apt-get install openssh-server)"


@dataclass(frozen=True, slots=True)
class TestNode:
    """One namespace."""

    __test__ = False

    name: str
    """What ssh is given."""
    namespace: str
    address: str
    folder: Path | None = None
    """Of its own cache and temporary folder, which may not be under /tmp; None where it shares this machine's."""

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """What it has for itself on the disk."""
        return () if self.folder is None else (self.folder / "cache", self.folder / "tmp")

    def run(self, *argv: str) -> str:
        """Run a command inside, past ssh; return what it wrote."""
        return _run("ip", "netns", "exec", self.namespace, *argv)

    def listening(self) -> set[int]:
        """Return the TCP ports something listens on."""
        lines = self.run("ss", "-Hltn").splitlines()
        return {int(line.split()[3].rpartition(":")[2]) for line in lines}

    def processes(self) -> list[psutil.Process]:
        """Return what runs inside."""
        found = []
        for pid in _run("ip", "netns", "pids", self.namespace).split():
            with suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(int(pid)))
        return found

    @contextmanager
    def serving(self, port: int) -> Iterator[None]:
        """Have something else listen on a port of this node."""
        argv = ["ip", "netns", "exec", self.namespace, sys.executable, "-m", "http.server", str(port)]
        server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert wait_until(lambda: _answers(self.address, port), COMMAND_DEADLINE_S), f"no server on port {port}"
            yield
        finally:
            server.kill()
            server.wait(timeout=COMMAND_DEADLINE_S)

    @contextmanager
    def rebooted(self, folder: Path) -> Iterator[None]:
        """Let whoever logs in next find another boot of the kernel, and nothing running that ran before."""
        boot = folder / "boot_id"
        boot.write_text("another-boot\n")
        (sshd,) = (process.pid for process in self.processes() if is_listener(process))
        inside = ("nsenter", "--mount", "--target", str(sshd))
        for process in self.processes():
            if process.pid != sshd:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        _run(*inside, "mount", "--bind", str(boot), BOOT_ID)
        try:
            yield
        finally:
            _run(*inside, "umount", BOOT_ID)

    def cut(self) -> None:
        """Take its link down."""
        self.run("ip", "link", "set", "eth0", "down")

    def mend(self) -> None:
        """Bring its link up again."""
        self.run("ip", "link", "set", "eth0", "up")


@dataclass(frozen=True, slots=True)
class TwoNodes:
    """Both, and the folder whose `ssh` knows them."""

    __test__ = False

    first: TestNode
    second: TestNode
    bin: Path
    """To be put in front of PATH."""

    @property
    def path(self) -> str:
        """A PATH on which `ssh` is the real one with these nodes in its config."""
        return f"{self.bin}:{os.environ['PATH']}"

    @contextmanager
    def other_login(self, path: str) -> Iterator[str]:
        """Let the first node be logged into once more, with another PATH there; yield what ssh is given."""
        name = f"{self.first.name}-other"
        folder = self.bin.parent
        at = f"  HostName {self.first.address}\n  HostKeyAlias {self.first.address}\n  Port {OTHER_PORT}\n"
        config = folder / "ssh" / "config"
        before = config.read_text()
        config.write_text(f"Host {name}\n{at}{before}")
        # The login shell's own start-up files come before, and may have a PATH of their own.
        forced = f'PATH={path} exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
        server = _start_sshd(folder, self.first, OTHER_PORT, ForceCommand=forced)
        try:
            yield name
        finally:
            config.write_text(before)
            server.terminate()
            server.wait(timeout=COMMAND_DEADLINE_S)


def is_listener(process: psutil.Process) -> bool:
    """Tell whether a process is a node's own sshd, and no session of it."""
    return process.name() == "sshd" and "-D" in process.cmdline()


@contextmanager
def two_nodes(folder: Path, *, apart: bool = False) -> Iterator[TwoNodes]:
    """Make both nodes and remove them at the end, whatever happened inside."""
    tag = f"{os.getpid() % 10000}"
    bridge = f"spbr{tag}"
    nodes = [_node(number, tag, folder if apart else None) for number in (1, 2)]
    servers: list[subprocess.Popen[bytes]] = []
    try:
        _run("ip", "link", "add", bridge, "type", "bridge")
        _run("ip", "addr", "add", f"{HOST_ADDRESS}/24", "dev", bridge)
        _run("ip", "link", "set", bridge, "up")
        for number, node in enumerate(nodes, 1):
            _make_namespace(node, bridge, _veth(number, tag))
        bin_folder = _make_keys(folder, nodes)
        servers.extend(_start_sshd(folder, node) for node in nodes)
        yield TwoNodes(nodes[0], nodes[1], bin_folder)
    finally:
        for node in nodes:
            with suppress(AssertionError):
                _empty(node)
                _run("ip", "netns", "delete", node.namespace)
        for server in servers:
            server.wait(timeout=COMMAND_DEADLINE_S)
        for link in (bridge, *(_veth(number, tag) for number in (1, 2))):
            with suppress(AssertionError):
                _run("ip", "link", "delete", link)


def _node(number: int, tag: str, folder: Path | None) -> TestNode:
    name = f"spark{number}"
    node = TestNode(name, f"spns{number}-{tag}", f"{NETWORK}.{number}", folder and folder / name)
    for own in node.own_folders:
        own.mkdir(parents=True)
    return node


def _veth(number: int, tag: str) -> str:
    return f"spve{number}-{tag}"


def _make_namespace(node: TestNode, bridge: str, veth: str) -> None:
    _run("ip", "netns", "add", node.namespace)
    _run("ip", "link", "add", veth, "type", "veth", "peer", "name", "eth0", "netns", node.namespace)
    _run("ip", "link", "set", veth, "master", bridge, "up")
    node.run("ip", "addr", "add", f"{node.address}/24", "dev", "eth0")
    node.run("ip", "link", "set", "eth0", "up")
    node.run("ip", "link", "set", "lo", "up")


def _empty(node: TestNode) -> None:
    """Kill whatever runs inside, sessions of sshd too: a namespace lives as long as its last process."""
    for process in node.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _make_keys(folder: Path, nodes: list[TestNode]) -> Path:
    """Make a user's key, a key a host, a config that knows the hosts, and an `ssh` that reads it."""
    keys = folder / "ssh"
    keys.mkdir()
    for name in ("user", *(node.name for node in nodes)):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name))
    (keys / "authorized").write_text((keys / "user.pub").read_text())
    known = [f"{node.address} {(keys / f'{node.name}.pub').read_text()}" for node in nodes]
    (keys / "known").write_text("".join(known))
    aliases = [f"Host {node.name}\n  HostName {node.address}\n" for node in nodes]
    common = f"Host *\n  User root\n  IdentityFile {keys / 'user'}\n  IdentitiesOnly yes\n"
    common += f"  UserKnownHostsFile {keys / 'known'}\n  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n"
    (keys / "config").write_text("".join(aliases) + common)
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    wrapper = bin_folder / "ssh"
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {keys / "config"} "$@"\n')
    wrapper.chmod(0o755)
    return bin_folder


def _start_sshd(folder: Path, node: TestNode, port: int = 22, **more: str) -> subprocess.Popen[bytes]:
    keys = folder / "ssh"
    Path("/run/sshd").mkdir(exist_ok=True)
    options = {
        "ListenAddress": node.address,
        "Port": str(port),
        "AuthorizedKeysFile": str(keys / "authorized"),
        "UsePAM": "no",
        "StrictModes": "no",
        "PidFile": "none",
        "SetEnv": " ".join((f"PATH={PATH}", *(f"TMPDIR={tmp}" for tmp in node.own_folders[1:]))),
        "MaxStartups": "100",
        "MaxSessions": "100",
        **more,
    }
    argv = ["ip", "netns", "exec", node.namespace, *_with_own_cache(node)]
    argv += [SSHD, "-D", "-e", "-f", "/dev/null", "-h", str(keys / node.name)]
    argv += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    with (folder / f"sshd-{node.name}-{port}.log").open("wb") as log:
        server = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    up = wait_until(lambda: _answers(node.address, port), SSHD_DEADLINE_S)
    assert up, f"sshd on {node.name} does not answer: {(folder / f'sshd-{node.name}-{port}.log').read_text()}"
    return server


def _with_own_cache(node: TestNode) -> list[str]:
    """Return the words that put the node's own cache in place: `ip netns exec` gives a program mounts of its own.

    The login shell reads no start-up file there: what that starts would be killed too, and leave its locks here.
    """
    if node.folder is None:
        return []
    cache = Path.home() / ".cache"
    cache.mkdir(exist_ok=True)
    return ["sh", "-c", OWN_CACHE, "sh", str(node.own_folders[0]), str(cache), str(Path.home() / ".bashrc")]


def _answers(address: str, port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1.0)
        return client.connect_ex((address, port)) == 0


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=COMMAND_DEADLINE_S, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout
