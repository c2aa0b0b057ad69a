"""Which host stands behind each node of a profile."""

from __future__ import annotations

from collections.abc import Mapping

from sparktui.paths import data_dir, ensure_private
from sparktui.profile.model import Profile
from sparktui.serving.host import Host, LocalHost, SshHost


def hosts_of(profile: Profile) -> Mapping[str, Host]:
    """Return a host for every node: this machine for `local` and `simulated`, ssh for the others."""
    return {
        name: LocalHost()
        if node.host in ("local", "simulated")
        else SshHost(node.host, ensure_private(data_dir() / "ssh"))
        for name, node in profile.nodes.items()
    }
