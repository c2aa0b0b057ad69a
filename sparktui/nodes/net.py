"""Bytes over a node's plain interfaces. RDMA traffic is not among them: the kernel's interfaces never see it."""

from __future__ import annotations

CONTAINERS = ("docker", "veth", "br-")
"""What passes there never leaves the node, or is counted again on its way out."""
RECEIVED, SENT = 0, 8
"""Where /proc/net/dev has the bytes, counted from behind the interface's name."""


def parse_net_dev(text: str) -> tuple[int | None, int | None]:
    """Return bytes (received, sent) since boot that a /proc/net/dev says, over all plain interfaces."""
    received = sent = 0
    seen = False
    for line in text.splitlines():
        name, colon, rest = line.partition(":")
        fields = rest.split()
        if not colon or len(fields) <= SENT or not (fields[RECEIVED] + fields[SENT]).isdecimal():
            continue
        seen = True
        if not _is_inner(name.strip()):
            received += int(fields[RECEIVED])
            sent += int(fields[SENT])
    return (received, sent) if seen else (None, None)


def _is_inner(name: str) -> bool:
    return name == "lo" or name.startswith(CONTAINERS)
