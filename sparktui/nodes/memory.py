"""What a Linux node has left and how hard it is pressed, read from /proc; every reading may be missing alone."""

from __future__ import annotations

from pathlib import Path

KIB = 1024


def meminfo(proc: Path = Path("/proc")) -> dict[str, int]:
    """Return /proc/meminfo in bytes by key; empty where it cannot be read."""
    return parse_meminfo(_text(proc / "meminfo"))


def parse_meminfo(text: str) -> dict[str, int]:
    """Return what a /proc/meminfo says, in bytes by key."""
    found: dict[str, int] = {}
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        fields = rest.split()
        if fields and fields[0].isdigit():
            found[key] = int(fields[0]) * (KIB if fields[-1] == "kB" else 1)
    return found


def pressure(proc: Path = Path("/proc")) -> tuple[float | None, float | None]:
    """Return memory pressure (some, full) over 10 s, already in percent as the kernel gives it."""
    values: dict[str, float] = {}
    for line in _text(proc / "pressure" / "memory").splitlines():
        kind, *fields = line.split()
        for field in fields:
            name, _, value = field.partition("=")
            if name == "avg10":
                values[kind] = float(value)
    return values.get("some"), values.get("full")


def free_blocks(order: int = 9, proc: Path = Path("/proc")) -> int | None:
    """Return how many free blocks of at least 2**order pages there are, over all zones.

    A GPU driver may fail to allocate with tens of GiB available when there is none.
    """
    total, seen = 0, False
    for line in _text(proc / "buddyinfo").splitlines():
        counts = line.partition("zone")[2].split()[1:]
        total += sum(int(count) for count in counts[order:])
        seen = True
    return total if seen else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
