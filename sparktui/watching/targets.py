"""From what a user types to what is watched: URLs, or the engines and nodes of a profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sparktui.errors import LaunchError, UsageError
from sparktui.load.request import root_of
from sparktui.profile.model import External, Profile
from sparktui.serving.key import api_key
from sparktui.serving.plan import Backend, Ports
from sparktui.serving.planner import plan
from sparktui.watching.fetch import Endpoint


@dataclass(frozen=True, slots=True)
class Targets:
    """What is to be watched."""

    endpoints: tuple[Endpoint, ...]
    profiles: tuple[Profile, ...] = ()
    """Those whose nodes are watched too."""


def is_url(target: str) -> bool:
    """Tell a server's address from a profile's name or path."""
    return "://" in target


def find_targets(urls: Sequence[str], profiles: Sequence[Profile], key: str | None = None) -> Targets:
    """Return what URLs and profiles name, each engine once.

    Args:
        urls: Of servers.
        profiles: Whose engines, wherever a topology would put them, and nodes are watched.
        key: What the servers named by URL are sent; a profile names its own.

    Raises:
        UsageError: A URL or a key cannot be used, or a profile's engines have no address before they are launched.
    """
    found = [Endpoint(_name(url), url, key) for url in urls]
    for profile in profiles:
        found += _endpoints(profile)
    once = {endpoint.address: endpoint for endpoint in found}
    return Targets(tuple(once.values()), tuple(profiles))


def _name(url: str) -> str:
    return root_of(url).partition("://")[2]


def _endpoints(profile: Profile) -> list[Endpoint]:
    serving = profile.serving
    if serving.launcher == "simulated":
        raise UsageError(
            f"the engines of {profile.name} are simulated and get their addresses when they are launched",
            "`sparktui attach` shows a running campaign; an address can be watched by itself",
        )
    if isinstance(serving, External):
        return [Endpoint(_name(serving.url), serving.url, api_key(serving.api_key_env, serving.api_key_file))]
    backends = {b.url: b.node for topology in profile.topologies for b in _backends(profile, topology)}
    nodes = list(backends.values())
    return [Endpoint(node if nodes.count(node) == 1 else _name(url), url) for url, node in backends.items()]


def _backends(profile: Profile, topology: str) -> list[Backend]:
    try:
        return list(plan(profile, topology, Ports(), Path()).backends)
    except LaunchError:
        return []
