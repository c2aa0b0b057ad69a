"""What passes between nodes: RDMA, which no counter of the kernel's interfaces shows, and plain bytes beside it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sparktui.nodes.kept import KeptFile
from sparktui.nodes.memory import PROC, Fields
from sparktui.nodes.net import parse_net_dev

INFINIBAND = Path("/sys/class/infiniband")
WORD_BYTES = 4
"""`port_rcv_data` and `port_xmit_data` count 32-bit words."""
FAULTS = (
    "counters/port_rcv_errors",
    "counters/port_xmit_discards",
    "counters/link_downed",
    "counters/symbol_error",
    "hw_counters/out_of_sequence",
    "hw_counters/packet_seq_err",
    "hw_counters/local_ack_timeout_err",
    "hw_counters/rnr_nak_retry_err",
)
RATE = re.compile(r"\s*(\d+(?:\.\d+)?) Gb/sec")
SLOWLY_S = 2.0
"""Errors and the link's rate change seldom, and each costs the driver a question to the card."""
DISCOVER_S = 60.0


class Port:
    """One port of an RDMA device."""

    def __init__(self, folder: Path) -> None:
        self._received = KeptFile(folder / "counters" / "port_rcv_data")
        self._sent = KeptFile(folder / "counters" / "port_xmit_data")
        self._faults = [KeptFile(folder / name) for name in FAULTS]
        self._state, self._rate = KeptFile(folder / "state"), KeptFile(folder / "rate")

    def words(self) -> tuple[int | None, int | None]:
        """Return 32-bit words (received, sent) since boot."""
        return self._received.number(), self._sent.number()

    def faults(self) -> int | None:
        """Return errors, discards and retries since boot, of the counters that there are."""
        return _sum(counter.number() for counter in self._faults)

    def gbps(self) -> float | None:
        """Return what the port has negotiated, 0 where it is not active."""
        state, rate = self._state.text(), RATE.match(self._rate.text() or "")
        if state is None:
            return None
        if "ACTIVE" not in state:
            return 0.0
        return float(rate[1]) if rate else None

    def close(self) -> None:
        """Give its descriptors back."""
        for file in (self._received, self._sent, self._state, self._rate, *self._faults):
            file.close()


class Fabric:
    """All RDMA ports of a node, summed (a Spark's one cable shows as two devices), and its plain interfaces."""

    def __init__(
        self, infiniband: Path = INFINIBAND, proc: Path = PROC, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._infiniband, self._now = infiniband, now
        self._net_dev = KeptFile(proc / "net" / "dev")
        self._ports: dict[Path, Port] = {}
        self._slow: Fields = {}
        self._discovered = self._asked = float("-inf")

    def read(self) -> Fields:
        """Return the bytes of this moment, and errors and rate of at most some seconds ago.

        Blocks where the card does not answer its driver: call it on a thread of its own.
        """
        now = self._now()
        if now - self._discovered >= DISCOVER_S:
            self._discovered = now
            self._discover()
        if now - self._asked >= SLOWLY_S:
            self._asked = now
            self._slow = self._read_slowly()
        words = [port.words() for port in self._ports.values()]
        net_received, net_sent = parse_net_dev(self._net_dev.text() or "")
        return {
            "rdma_rx_bytes": _bytes(_sum(received for received, _ in words)),
            "rdma_tx_bytes": _bytes(_sum(sent for _, sent in words)),
            "net_rx_bytes": net_received,
            "net_tx_bytes": net_sent,
            **self._slow,
        }

    def _read_slowly(self) -> Fields:
        rates = [rate for port in self._ports.values() if (rate := port.gbps()) is not None]
        return {
            "rdma_errors": _sum(port.faults() for port in self._ports.values()),
            "rdma_link_gbps": sum(rates) if rates else None,
        }

    def _discover(self) -> None:
        found = sorted(self._infiniband.glob("*/ports/*"))
        for gone in self._ports.keys() - set(found):
            self._ports.pop(gone).close()
        for folder in found:
            self._ports.setdefault(folder, Port(folder))


def _sum(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _bytes(words: int | None) -> int | None:
    return None if words is None else words * WORD_BYTES
