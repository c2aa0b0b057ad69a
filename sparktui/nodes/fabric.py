"""RDMA traffic of a node, which no network counter of the kernel's interfaces shows."""

from __future__ import annotations

from pathlib import Path

WORD_BYTES = 4
"""`port_rcv_data` and `port_xmit_data` count 32-bit words."""


def rdma_bytes(root: Path = Path("/sys/class/infiniband")) -> tuple[int | None, int | None]:
    """Return bytes (received, sent) since boot, summed over all ports: a Spark's one cable shows as two devices."""
    received = [_counter(path) for path in root.glob("*/ports/*/counters/port_rcv_data")]
    sent = [_counter(path) for path in root.glob("*/ports/*/counters/port_xmit_data")]
    return _bytes(received), _bytes(sent)


def _counter(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _bytes(words: list[int | None]) -> int | None:
    known = [count for count in words if count is not None]
    return sum(known) * WORD_BYTES if known else None
