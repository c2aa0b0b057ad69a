"""What the nodes of a campaign are: kept with it, so that a figure can be read years later."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sparktui.doctor.look import Answers, look
from sparktui.errors import HostError
from sparktui.nodes.memory import KIB
from sparktui.profile.model import Profile
from sparktui.serving.host import Host
from sparktui.store.writer import Writer

_NAMES = {"kernel": "kernel", "machine": "machine", "dgx": "dgx_os", "driver": "driver", "gpu": "gpu"}


async def keep_node_facts(profile: Profile, hosts: Mapping[str, Host], writer: Writer, campaign: int) -> None:
    """Ask every node what it is, all at once, and store it; a node that cannot be asked says why."""
    facts = await asyncio.gather(*(_facts(profile, name, hosts[name]) for name in profile.nodes))
    for name, found in zip(profile.nodes, facts, strict=True):
        await writer.add_node(campaign, name, found)


async def _facts(profile: Profile, name: str, host: Host) -> dict[str, object]:
    node = profile.nodes[name]
    described: dict[str, object] = {"host": node.host, "fragile": node.fragile}
    if node.host == "simulated":
        return described | {"simulated": True}
    try:
        return described | facts_of(await look(host, ()))
    except HostError as error:
        return described | {"unknown": error.message}


def facts_of(said: Answers) -> dict[str, object]:
    """Return what a node said of itself; what it did not say is left out."""
    facts: dict[str, object] = {title: value for name, title in _NAMES.items() if (value := said.one(name))}
    if (total := said.number("MemTotal")) is not None:
        facts["mem_total_bytes"] = int(total) * KIB
    return facts
