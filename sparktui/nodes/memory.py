"""What a Linux node has left and how hard it is pressed, read from /proc; every reading may be missing alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sparktui.nodes.kept import KeptFile

KIB = 1024
PROC = Path("/proc")

Fields = dict[str, "int | float | str | bool | None"]
"""Some fields of a `NodeSample` by name; one that is missing or None is unknown."""


class Paging(NamedTuple):
    """Counters since boot; None where the kernel does not keep one."""

    swap_in_pages: int | None
    swap_out_pages: int | None
    alloc_stalls: int | None


class NodeMemory:
    """The memory of one node."""

    def __init__(self, proc: Path = PROC) -> None:
        self._meminfo = KeptFile(proc / "meminfo")
        self._pressure = KeptFile(proc / "pressure" / "memory")
        self._vmstat = KeptFile(proc / "vmstat")
        self._buddyinfo = KeptFile(proc / "buddyinfo")
        self._loadavg = KeptFile(proc / "loadavg")
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def left(self) -> Fields:
        """Return what is left, in one quick reading: what the guard judges."""
        found = parse_meminfo(self._meminfo.text() or "")
        swap_total, swap_free = found.get("SwapTotal"), found.get("SwapFree")
        return {
            "mem_total_bytes": found.get("MemTotal"),
            "mem_available_bytes": found.get("MemAvailable"),
            "mem_free_bytes": found.get("MemFree"),
            "swap_used_bytes": None if swap_total is None or swap_free is None else swap_total - swap_free,
        }

    def strain(self) -> Fields:
        """Return how hard the node is pressed."""
        some, full = parse_pressure(self._pressure.text() or "")
        paging = parse_vmstat(self._vmstat.text() or "")
        return {
            "psi_some_pct": some,
            "psi_full_pct": full,
            "swap_in_bytes": self._bytes(paging.swap_in_pages),
            "swap_out_bytes": self._bytes(paging.swap_out_pages),
            "alloc_stalls": paging.alloc_stalls,
            "order9_free": parse_free_blocks(self._buddyinfo.text() or ""),
            "load1": parse_load(self._loadavg.text() or ""),
        }

    def _bytes(self, pages: int | None) -> int | None:
        return None if pages is None else pages * self._page_bytes


def parse_meminfo(text: str) -> dict[str, int]:
    """Return what a /proc/meminfo says, in bytes by key."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        fields = rest.split()
        if fields and fields[0].isdecimal():
            found[key] = int(fields[0]) * (KIB if fields[-1] == "kB" else 1)
    return found


def parse_pressure(text: str) -> tuple[float | None, float | None]:
    """Return what a /proc/pressure/memory says (some, full) over 10 s: in percent, as the kernel gives it."""
    averages = {}
    for line in text.splitlines():
        kind, *fields = line.split() or [""]
        averages[kind] = next((field[6:] for field in fields if field.startswith("avg10=")), "")
    return _decimal(averages.get("some", "")), _decimal(averages.get("full", ""))


def parse_free_blocks(text: str, order: int = 9) -> int | None:
    """Return how many free blocks of at least 2**order pages a /proc/buddyinfo lists, over all zones.

    A GPU driver may fail to allocate with tens of GiB available when there is none.
    """
    zones = [zone.split()[1 + order :] for line in text.splitlines() for zone in [line.partition("zone")[2]] if zone]
    counts = [int(count) for zone in zones for count in zone if count.isdecimal()]
    return sum(counts) if counts else None


def parse_vmstat(text: str) -> Paging:
    """Return what a /proc/vmstat says about swapping and about allocations that had to wait, over all zones."""
    stalls = [count for name, count in _counters(text) if name.startswith("allocstall")]
    swap = {name: count for name, count in _counters(text) if name in ("pswpin", "pswpout")}
    return Paging(swap.get("pswpin"), swap.get("pswpout"), sum(stalls) if stalls else None)


def parse_load(text: str) -> float | None:
    """Return the load average over a minute that a /proc/loadavg says."""
    return _decimal(text.partition(" ")[0])


def _counters(text: str) -> Iterator[tuple[str, int]]:
    for line in text.splitlines():
        name, _, count = line.partition(" ")
        if name.startswith(("allocstall", "pswp")) and count.isdecimal():
            yield name, int(count)


def _decimal(text: str) -> float | None:
    whole, _, part = text.partition(".")
    return float(text) if whole.isdecimal() and (part or "0").isdecimal() else None
