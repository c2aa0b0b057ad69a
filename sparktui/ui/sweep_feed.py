"""From the store to what Sweep shows: computed again when a cell has ended, and only while somebody looks at it.

It belongs to the feed's thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from sparktui.compare.cells import FiguresCache
from sparktui.compare.comparison import Comparison
from sparktui.compare.summary import summarise
from sparktui.importing.published import PUBLISHED, open_published
from sparktui.measure.calculator_names import DEFAULT
from sparktui.moments import local_time
from sparktui.store.reader import Reader
from sparktui.store.rows import CAMPAIGN_OVER, CampaignRow
from sparktui.ui.sweep_view import Reference, SweepRequest, SweepView, every_table, sweep_view

EARLIER = 2
"""How many earlier campaigns are drawn: more lines than that hide each other."""


class SweepFeed:
    """Follows one campaign's figures."""

    def __init__(self, reader: Reader, campaign: int) -> None:
        self._reader = reader
        self._campaign = campaign
        self._figures = FiguresCache()
        self._references: dict[tuple[int, str], Reference] = {}
        self._view: SweepView | None = None
        self._viewed_at: object = None

    def view(
        self, position: object, request: SweepRequest, *, baseline: str | None = None, calculator: str = DEFAULT
    ) -> SweepView:
        """Return what there is to show; the very same value while nothing of what it depends on has changed.

        Args:
            position: What changes when there are new figures.
            request: What the screen wants.
            baseline: The topology that margins are against; None for the runner-up.
            calculator: What turns token events into figures.
        """
        wanted = (position, request, baseline, calculator)
        if self._view is None or wanted != self._viewed_at:
            self._view = self._read(request, baseline, calculator)
            self._viewed_at = wanted
        return self._view

    def _read(self, request: SweepRequest, baseline: str | None, calculator: str) -> SweepView:
        comparison = summarise(
            self._reader,
            self._campaign,
            baseline=baseline,
            calculator=calculator,
            cache=self._figures,
            events=True,
        )
        return sweep_view(comparison, tuple(self._behind(request, comparison, calculator)), request.ghosts)

    def _behind(self, request: SweepRequest, comparison: Comparison, calculator: str) -> Iterator[Reference]:
        if request.ghosts == "published":
            mine = _models(comparison)
            yield from (found for found in map(published_reference, PUBLISHED) if not mine or mine & found.models)
        elif request.ghosts == "earlier":
            yield from (self._earlier(row, calculator) for row in self._campaigns_before())

    def _campaigns_before(self) -> list[CampaignRow]:
        """Return the newest finished campaigns of the same name and source that were begun before this one."""
        mine = self._reader.campaign(self._campaign)
        alike = [
            row
            for row in self._reader.campaigns()
            if row.id < mine.id and row.name == mine.name and row.source == mine.source and row.state in CAMPAIGN_OVER
        ]
        return alike[:EARLIER]

    def _earlier(self, row: CampaignRow, calculator: str) -> Reference:
        key = (row.id, calculator)
        if key not in self._references:
            label = f"#{row.id} of {local_time(row.created, '%d %b')}"
            found = summarise(self._reader, row.id, calculator=calculator, cache=self._figures, events=True)
            self._references[key] = _reference(label, found)
        return self._references[key]


@cache
def published_reference(name: str) -> Reference:
    """Return a published campaign as it is drawn behind others."""
    with open_published(name) as (reader, campaign):
        return _reference(f"published {name}", summarise(reader, campaign))


def _reference(label: str, comparison: Comparison) -> Reference:
    return Reference(label, every_table(comparison), _models(comparison))


def _models(comparison: Comparison) -> frozenset[str]:
    models = (column.fingerprint.model for column in comparison.columns)
    return frozenset(model for model in models if model is not None)
