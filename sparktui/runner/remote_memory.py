"""What nodes without an agent have left: asked for before a launch and after a stop, by one command each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from sparktui.errors import HostError
from sparktui.nodes.memory import parse_meminfo
from sparktui.profile.model import GIB
from sparktui.serving.host import Host

LOOK_TIMEOUT_S = 10.0
POLL_S = 2.0
BAND_BYTES = 2 * GIB
"""How much less than before counts as back: page tables and caches do not return to the byte."""


async def available(hosts: Mapping[str, Host], nodes: Iterable[str]) -> dict[str, int]:
    """Return MemAvailable of nodes in bytes; those that cannot be asked are left out."""
    names = list(nodes)
    found = await asyncio.gather(*(_available(hosts[name]) for name in names))
    return {name: left for name, left in zip(names, found, strict=True) if left is not None}


async def back(hosts: Mapping[str, Host], before: Mapping[str, int], timeout_s: float = 90.0) -> list[str]:
    """Wait until nodes have again what they had before; return those that have not.

    A node that cannot be asked is not waited for: the stop has named it already.
    """
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        now = await available(hosts, before)
        short = [name for name, left in now.items() if left < before[name] - BAND_BYTES]
        if not short or asyncio.get_running_loop().time() > deadline:
            return short
        await asyncio.sleep(POLL_S)


async def _available(host: Host) -> int | None:
    try:
        done = await host.run(["cat", "/proc/meminfo"], timeout_s=LOOK_TIMEOUT_S)
    except HostError:
        return None
    return parse_meminfo(done.stdout).get("MemAvailable")
