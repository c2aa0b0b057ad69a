"""Which colour is whose: a topology keeps its own from race to race, whatever its place and whoever races with it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from zlib import crc32

from sparktui.ui.themes import ACCENTS

FIRST = ("solo", "cluster-tp2", "cluster-tp2-ray", "shuffle")
"""Those that the profiles which come with the package have: their colours are the easiest to tell apart."""


def colour(name: str, names: Iterable[str]) -> str:
    """Return the style of a topology's colour.

    Args:
        name: The topology, or a campaign and its topology, as in `3/solo`.
        names: All that it is seen beside; two that would have the same colour get different ones while there are any.
    """
    return f"$topology-{slot(name, names)}"


def slot(name: str, names: Iterable[str]) -> int:
    """Return the number of a topology's colour."""
    return _slots(frozenset(map(_identity, (name, *names))))[_identity(name)]


def _identity(name: str) -> str:
    return name.rpartition("/")[2]


@lru_cache(maxsize=64)
def _slots(names: frozenset[str]) -> dict[str, int]:
    """Give each its own slot, or the next that is free; who gives way depends on the names, not on their order."""
    slots: dict[str, int] = {}
    for name in sorted(names, key=lambda name: (name not in FIRST, name)):
        wanted = FIRST.index(name) if name in FIRST else crc32(name.encode()) % ACCENTS
        free = [one for step in range(ACCENTS) if (one := (wanted + step) % ACCENTS) not in slots.values()]
        slots[name] = free[0] if free else wanted
    return slots
