"""Which host stands behind each node of a profile, and how its connection is let go of."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sparktui.errors import StoreError
from sparktui.paths import data_dir, ensure_private
from sparktui.profile.model import Profile
from sparktui.serving.host import Host
from sparktui.serving.local import LocalHost
from sparktui.serving.ssh import SshHost

LONGEST_FOLDER = 104 - 1 - 40 - 17
"""A socket's path takes 104 bytes on macOS, 108 on Linux; ssh names it by 40 digits and, while it makes it, 17 more."""

CONNECT_S = 1.0


def hosts_of(profile: Profile) -> Mapping[str, Host]:
    """Return a host for every node: this machine for `local` and `simulated`, ssh for the others."""
    return {
        name: LocalHost() if node.host in ("local", "simulated") else SshHost(node.host, control_dir(data_dir()))
        for name, node in profile.nodes.items()
    }


def control_dir(data: Path) -> Path:
    """Return the folder of the shared connections' sockets: in the data folder, where its path is short enough.

    Raises:
        StoreError: It cannot be made, or belongs to somebody else.
    """
    own = data / "ssh"
    if len(os.fsencode(own)) <= LONGEST_FOLDER:
        return ensure_private(own)
    tag = hashlib.sha256(os.fsencode(data)).hexdigest()[:8]
    # Not `gettempdir`, which tries to write there: a stop must find the connections of a race that has filled it.
    above = Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - private, and refused where it is not
    short = ensure_private(above / f"sparktui-{os.geteuid()}-{tag}")
    if short.is_symlink() or short.stat().st_mode & 0o077:
        raise StoreError(f"{short} is not only yours to use", "remove it, or set SPARKTUI_HOME to a shorter path")
    return short


async def let_go(hosts: Mapping[str, Host]) -> None:
    """Let go of the shared connections to nodes, which would stay for a minute, and remove sockets of killed ones."""
    ours = {host for host in hosts.values() if isinstance(host, SshHost)}
    await asyncio.gather(*(host.leave() for host in ours))
    for folder in {host.control_dir for host in ours}:
        await asyncio.to_thread(_remove_dead, folder)


def _remove_dead(folder: Path) -> None:
    """Remove every socket that nobody listens on."""
    with suppress(OSError):
        for path in folder.iterdir():
            if path.is_socket() and not _is_heard(path):
                path.unlink(missing_ok=True)


def _is_heard(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(CONNECT_S)
        try:
            client.connect(os.fspath(path))
        except ConnectionRefusedError:
            return False
        except OSError:  # busy, or gone
            return True
    return True
