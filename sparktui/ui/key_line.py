"""What of the keys the bottom line has room for: whole entries only, and the way to all of them always."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

GAP = 2
ALWAYS = "explain"
"""Its dialog has every key."""
FIRST_TO_GO = ("theme", "palette")
FIRST_WITHOUT_A_NAME = ("quit", "picture", "export")
"""They do the same on every screen."""
NEXT_TO_GO = ("stop",)


@dataclass(frozen=True, slots=True)
class Entry:
    """One key."""

    id: str
    key: str
    """As it is shown."""
    name: str
    enabled: bool = True

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return len(self.key) + (1 + len(self.name) if self.name else 0)


def fitting(entries: Sequence[Entry], width: int) -> list[Entry]:
    """Return the entries that fit into `width` columns, in their order: what matters least here goes first."""
    kept = list(entries)
    steps = _steps(entries)
    while kept and taken(kept) > width:
        step = next(steps, None)
        if step is None:
            break
        kept = [changed for entry in kept if (changed := _after(step, entry)) is not None]
    return kept


def taken(entries: Sequence[Entry]) -> int:
    """Return how many columns entries take side by side."""
    return sum(entry.width for entry in entries) + GAP * max(0, len(entries) - 1)


Step = tuple[str, str]
"""What is done, and to which entry."""


def _steps(entries: Sequence[Entry]) -> Iterator[Step]:
    yield from (("drop", entry.id) for entry in entries if not entry.enabled and entry.id != ALWAYS)
    yield "unname", "palette"
    yield from (("drop", name) for name in FIRST_TO_GO)
    yield from (("unname", name) for name in FIRST_WITHOUT_A_NAME)
    yield from (("drop", name) for name in NEXT_TO_GO)
    yield "unname", ALWAYS
    yield from (("drop", entry.id) for entry in reversed(entries) if entry.id != ALWAYS)


def _after(step: Step, entry: Entry) -> Entry | None:
    what, name = step
    if entry.id != name:
        return entry
    return None if what == "drop" else replace(entry, name="")
