"""What the History screen shows, as frozen values: one row a campaign, the published ones among them."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS_SHOWN = 3
"""Winners a row has room for."""
MIDDLE = 8
"""The concurrency shown between the lowest and the highest, where it was measured."""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """The screen wants every campaign there is."""


@dataclass(frozen=True, slots=True)
class LevelWinner:
    """Who decodes fastest at one concurrency."""

    concurrency: int
    winner: str | None
    """None where fewer than two can win there."""
    tied: tuple[str, ...] = ()
    """Who cannot be told from the fastest, it among them; empty where it is told."""
    so_far: bool = False
    """Whether others are still to be measured."""
    only: str | None = None
    """The one that was measured, where others were not: it is faster than nobody."""
    rate: float | None = None
    """What it decodes, tok/s, where there is no other topology at all."""


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One campaign."""

    key: str
    """As `sparktui compare` takes it: `3`, `published/gemma4-26b-a4b`."""
    campaign: int | None
    """Its number; None of a published one."""
    name: str
    source: str
    """measured | simulated | published | imported."""
    state: str
    """As stored; `interrupted` where it says that it is running and no runner is."""
    done: int
    """Topologies measured to their end."""
    topologies: tuple[str, ...]
    created: float | None = None
    """Seconds since the epoch."""
    date: str = ""
    """Of a published one, as its source has it."""
    detail: str = ""
    """What ended it."""
    imported: bool = False
    """It comes from a file; an own export's keeps the source that it had."""
    winners: tuple[LevelWinner, ...] | None = None
    """None while they are not worked out yet."""

    @property
    def resumable(self) -> bool:
        """Whether it was measured here and may have something left to measure."""
        here = self.source in ("measured", "simulated") and not self.imported
        return here and self.state not in ("queued", "running", "done")

    def says(self, text: str) -> bool:
        """Tell whether all of a filter's words are somewhere in the row."""
        imported = "imported" if self.imported else ""
        told = " ".join((self.key, self.name, self.source, imported, self.state, self.detail, *self.topologies)).lower()
        return all(word in told for word in text.lower().split())


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Every campaign, newest first, then the published ones."""

    rows: tuple[HistoryRow, ...]


def levels_shown(measured: tuple[int, ...]) -> tuple[int, ...]:
    """Return which of the measured levels, rising, have room: the lowest, one in the middle and the highest."""
    if len(measured) <= LEVELS_SHOWN:
        return measured
    inner = measured[1:-1]
    return measured[0], MIDDLE if MIDDLE in inner else inner[len(inner) // 2], measured[-1]
