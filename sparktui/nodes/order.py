"""The order in which nodes are shown: gf2 before gf10."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"(\d+)")


def by_number(name: str) -> tuple[tuple[str, int], ...]:
    """Return what to sort names by: their words as words, the numbers in them as numbers."""
    parts = _DIGITS.split(name)
    return tuple(("", int(part)) if place % 2 else (part, 0) for place, part in enumerate(parts))
