"""Every campaign in the store, for the History screen: listed at each look, winners worked out a few at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sparktui.compare.comparison import Comparison
from sparktui.compare.summary import summarise
from sparktui.compare.winners import Row
from sparktui.errors import StoreError, UsageError
from sparktui.importing.published import PREFIX, PUBLISHED, load_published, open_published
from sparktui.paths import store_path
from sparktui.runner.lock import running_campaign
from sparktui.store.reader import Reader
from sparktui.store.rows import CAMPAIGN_OVER, CampaignRow, SweepRow
from sparktui.ui.history_view import HistoryRow, HistoryView, LevelWinner, levels_shown

BUDGET_S = 0.1
"""Of a look, for winners; one campaign's are worked out whatever it takes."""

Winners = tuple[LevelWinner, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a row needs of a campaign's sweeps; `at` changes when they may have changed."""

    at: object
    topologies: tuple[str, ...]
    done: int


class HistoryFeed:
    """One viewer's knowledge of all campaigns; it belongs to the feed's thread.

    Args:
        path: The store's file; it need not exist.
        running: Which campaign has a runner; None for none.
    """

    def __init__(self, path: Path, running: Callable[[], int | None] | None = None) -> None:
        self._path = path
        self._reader: Reader | None = None
        self._running = running or (running_campaign if path == store_path() else None)
        self._shapes: dict[int, Shape] = {}
        self._winners: dict[str, tuple[object, Winners]] = {}

    def close(self) -> None:
        """Close the store."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def view(self) -> HistoryView:
        """Return every campaign; some of those whose winners were not known yet have them now.

        Raises:
            StoreError: The store cannot be read.
        """
        rows = [*self._own(), *map(_published, PUBLISHED)]
        self._work_out(row for row in rows if self._known(row) is None)
        return HistoryView(tuple(replace(row, winners=self._known(row)) for row in rows))

    def _own(self) -> list[HistoryRow]:
        try:
            self._reader = self._reader or Reader(self._path)
        except UsageError:
            return []  # there is no store yet
        running = self._running() if self._running else None
        return [self._row(self._reader, row, running) for row in self._reader.campaigns()]

    def _row(self, reader: Reader, row: CampaignRow, running: int | None) -> HistoryRow:
        shape = self._shapes[row.id] = self._shape(reader, row)
        lost = self._running is not None and row.state in ("queued", "running") and row.id != running
        return HistoryRow(
            key=str(row.id),
            campaign=row.id,
            name=row.name,
            source=row.source,
            state="interrupted" if lost else row.state,
            done=shape.done,
            topologies=shape.topologies,
            created=row.created,
            detail=row.detail or "",
            imported=row.imported,
        )

    def _shape(self, reader: Reader, row: CampaignRow) -> Shape:
        """Return what is known already of a campaign that is over: only running ones change."""
        known = self._shapes.get(row.id)
        over = (row.state, row.finished) if row.state in CAMPAIGN_OVER else None
        if known is not None and over is not None and known.at == over:
            return known
        sweeps = reader.sweeps(row.id)
        names, done = tuple(sweep.topology for sweep in sweeps), sum(sweep.state == "done" for sweep in sweeps)
        return Shape(over or (row.state, *_cell_states(reader, sweeps)), names, done)

    def _at(self, row: HistoryRow) -> object:
        return PREFIX if row.campaign is None else self._shapes[row.campaign].at

    def _known(self, row: HistoryRow) -> Winners | None:
        at, winners = self._winners.get(row.key, (None, None))
        return winners if at == self._at(row) else None

    def _work_out(self, rows: Iterable[HistoryRow]) -> None:
        until = time.monotonic() + BUDGET_S
        for row in rows:
            self._winners[row.key] = (self._at(row), self._found(row))
            if time.monotonic() > until:
                return

    def _found(self, row: HistoryRow) -> Winners:
        try:
            if row.campaign is None:
                with open_published(row.key) as (reader, campaign):
                    return winners_of(summarise(reader, campaign))
            assert self._reader is not None
            return winners_of(summarise(self._reader, row.campaign))
        except (StoreError, UsageError):
            return ()  # a damaged campaign, or one just deleted, must not hide the others


def winners_of(comparison: Comparison) -> Winners:
    """Return who decodes fastest at the levels that have room, in the first workload."""
    decode = [table for table in comparison.tables if table.metric.name == "decode"]
    rows = {row.concurrency: row for table in decode[:1] for row in table.rows if any(row.values.values())}
    return tuple(_level_winner(rows[level]) for level in levels_shown(tuple(sorted(rows))))


def _level_winner(row: Row) -> LevelWinner:
    rate = None if len(row.values) > 1 else next(iter(row.values.values()))
    return LevelWinner(row.concurrency, row.winner, row.tied, bool(row.awaited), row.only, rate)


def _cell_states(reader: Reader, sweeps: Iterable[SweepRow]) -> tuple[str, ...]:
    return tuple(cell.state for sweep in sweeps for cell in reader.cells(sweep.id))


def _published(name: str) -> HistoryRow:
    imported = load_published(name)
    topologies = tuple(sweep.topology for sweep in imported.sweeps)
    date = imported.origin.sources[0].date or ""
    return HistoryRow(
        PREFIX + name, None, name, "published", "done", done=len(topologies), topologies=topologies, date=date
    )
