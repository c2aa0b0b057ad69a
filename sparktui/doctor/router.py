"""Whether the LiteLLM that a profile's routers name is one that may be run, found out without running it."""

from __future__ import annotations

from collections.abc import Mapping

from sparktui.doctor.findings import Finding, ok
from sparktui.errors import HostError, LaunchError
from sparktui.profile.model import Profile, Router
from sparktui.serving.host import Host
from sparktui.serving.litellm_version import look_at, shown


async def router_findings(profile: Profile, hosts: Mapping[str, Host]) -> list[Finding]:
    """Return one finding for every program and node that a router would be started as."""
    if not profile.launches:
        return []
    places: dict[tuple[str, str], None] = {}
    for topology in profile.topologies.values():
        if topology.kind == "replicas":
            router = topology.router or Router()
            places[router.node or topology.nodes[0], router.executable] = None
    return [await _finding(node, executable, hosts[node]) for node, executable in places]


async def _finding(node: str, executable: str, host: Host) -> Finding:
    try:
        version = await look_at(host, executable, node)
    except (LaunchError, HostError) as error:
        return Finding(node, "router", "problem", error.message, error.hint)
    return ok(node, "router", f"LiteLLM {shown(version)}")
