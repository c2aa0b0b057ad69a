"""A node that has gone silent, in words: what it last said, and what of it still answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sparktui.errors import HostError
from sparktui.nodes.history import STEADY_BYTES_S, clock, slope_bytes_s
from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import Node
from sparktui.serving.host import Host
from sparktui.serving.layout import HERE, address_of
from sparktui.serving.local import LocalHost
from sparktui.units import GIB, gib

PING_S = 4.0
SSH_S = 6.0


def last_seen(samples: Sequence[NodeSample], what: str) -> str:
    """Return `gf1 last seen 06:12:03, 6.3 GiB left, falling 4.4 GiB/s, loading cluster-tp2`.

    Args:
        samples: The node's newest, oldest first; at least one.
        what: What ran there; empty for nothing.
    """
    last = samples[-1]
    slope = slope_bytes_s(samples)
    words = [
        f"{last.node} last seen {clock(last.t)}",
        f"{gib(last.mem_available_bytes)} GiB left",
        f"falling {-slope / GIB:.1f} GiB/s" if slope is not None and -slope > STEADY_BYTES_S else "",
        f"{last.phase} {what}".strip(),
    ]
    return ", ".join(word for word in words if word)


async def what_answers(node: Node, host: Host) -> Mapping[str, bool | None]:
    """Return what of a silent node still answers, by `ping` and `ssh`; None where that could not be tried."""
    if node.host in HERE:
        return {}
    ping, ssh = await asyncio.gather(_pings(address_of(node)), _runs(host))
    return {"ping": ping, "ssh": ssh}


def in_words(answers: Mapping[str, bool | None]) -> str:
    """Say what a silent node's answers mean; empty where nothing was tried."""
    if answers.get("ssh"):
        return "ssh answers, only its agent is silent"
    if answers.get("ping"):
        return "it answers ping, but neither ssh nor its agent: the kernel is up, userspace may be gone"
    if answers.get("ping") is False:
        return "it answers neither ping nor ssh"
    return "ssh does not answer" if "ssh" in answers else ""


async def _pings(address: str) -> bool | None:
    try:
        return (await LocalHost().run(["ping", "-c", "1", "-W", "2", address], timeout_s=PING_S)).returncode == 0
    except HostError:
        return None


async def _runs(host: Host) -> bool:
    try:
        return (await host.run(["true"], timeout_s=SSH_S)).returncode == 0
    except HostError:
        return False
