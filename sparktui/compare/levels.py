"""Levels in short: `c1-c4, c16`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def span(levels: Iterable[int]) -> str:
    """Return rising levels in short: `c8`, `c1-c4`."""
    found = list(levels)
    return f"c{found[0]}" if len(found) == 1 else f"c{found[0]}-c{found[-1]}" if found else ""


def spans(levels: Iterable[int], among: Sequence[int]) -> str:
    """Return levels in short, neighbours among all levels together: `c2, c8-c32`."""
    groups: list[list[int]] = []
    for level in levels:
        if groups and among.index(level) == among.index(groups[-1][-1]) + 1:
            groups[-1].append(level)
        else:
            groups.append([level])
    return ", ".join(span(group) for group in groups)
