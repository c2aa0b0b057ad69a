"""Which colour is whose, on screens and in exports: a topology keeps its own from race to race, whatever its place."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

ON_DARK = ("#6cb6ff", "#f2b13d", "#3fcf9b", "#e58cd8", "#d9d25b", "#ff8f73", "#5fd4e8", "#b9a3ff")
ON_LIGHT = ("#0b5cad", "#9a5300", "#00704f", "#94298a", "#6b6000", "#a8321b", "#006577", "#5a3cc0")
"""The same slots on a light ground."""
SLOTS = len(ON_DARK)
FIRST = ("solo", "cluster-tp2", "cluster-tp2-ray", "shuffle")
"""Those that the profiles which come with the package have: their colours are the easiest to tell apart."""


class Place(NamedTuple):
    """A topology's slot, and how many others had that before it, where there are more topologies than colours."""

    slot: int
    sharing: int


def slot(name: str, names: Iterable[str]) -> int:
    """Return the number of a topology's colour, as `place` does."""
    return place(name, names).slot


def place(name: str, names: Iterable[str]) -> Place:
    """Return which colour is a topology's.

    Args:
        name: The topology, or a campaign and its topology, as in `3/solo`.
        names: All that it is seen beside; two that would have the same colour get different ones while there are any.
    """
    return _places(frozenset(map(_identity, (name, *names))))[_identity(name)]


def _identity(name: str) -> str:
    return name.rpartition("/")[2]


@lru_cache(maxsize=64)
def _places(names: frozenset[str]) -> dict[str, Place]:
    """Give each its own slot, or the next that is free; who gives way depends on the names, not on their order."""
    taken: list[int] = []
    places = {}
    for name in sorted(names, key=lambda name: (name not in FIRST, name)):
        wanted = FIRST.index(name) if name in FIRST else crc32(name.encode()) % SLOTS
        free = (one for step in range(SLOTS) if (one := (wanted + step) % SLOTS) not in taken)
        got = next(free, wanted)
        places[name] = Place(got, taken.count(got))
        taken.append(got)
    return places
