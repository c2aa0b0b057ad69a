"""Tells when samples of nodes have arrived that figures of cells which are over are made of.

The last samples of a cell are stored after its last wave, and those of a broken link minutes later.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from sparktui.compare.energy import MAX_GAP_S
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow


class LateSamples:
    """Watches the samples of one campaign, of which it reads no more than where they begin and end."""

    def __init__(self, reader: Reader, campaign: int) -> None:
        self._history = reader.node_history(campaign)
        self._seen = self._history.newest()
        self._fetched = 0

    def at(self, cells: Iterable[CellRow]) -> Hashable:
        """Return what changes when figures of cells have to be worked out again: a few times a cell, not a sample."""
        ends = [cell.ended for cell in cells if cell.ended is not None]
        if not ends:
            return None
        self._fetched += self._reach_back_before(max(ends))
        return self._fetched, max(ends), self._passed(max(ends))

    def _reach_back_before(self, moment: float) -> bool:
        newest = self._history.newest()
        earliest = self._history.earliest_since(self._seen) if newest > self._seen else None
        self._seen = newest
        return earliest is not None and earliest <= moment

    def _passed(self, end: float) -> Hashable:
        """Return which nodes have told of a moment after the last cell, and of all that is looked at around it."""
        lasts = self._history.spans().values()
        return tuple((last > end, last >= end + MAX_GAP_S) for _, last in lasts)
