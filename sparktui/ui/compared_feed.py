"""Several campaigns compared, worked out when something else is asked for or one of them has moved on."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from sparktui.compare.comparison import Selection
from sparktui.compare.late_samples import LateSamples
from sparktui.compare.select import selected
from sparktui.compare.summary import compare
from sparktui.store.rows import CAMPAIGN_OVER, CELL_OVER
from sparktui.ui.asked import Asked
from sparktui.ui.compared_view import CompareRequest, CompareView


class ComparedFeed:
    """The last comparison asked for, its stores kept open; it belongs to the feed's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stack = ExitStack()
        self._request: CompareRequest | None = None
        self._selections: tuple[Selection, ...] = ()
        self._samples: list[LateSamples] = []
        self._known: CompareView | None = None
        self._known_for: object = None

    def close(self) -> None:
        """Close the stores."""
        self._stack.close()
        self._request, self._selections = None, ()

    def view(self, request: CompareRequest, asked: Asked) -> CompareView:
        """Return the comparison.

        Raises:
            UsageError: There is no such campaign, or no such baseline among them.
            StoreError: The store cannot be read.
        """
        if request != self._request:
            self.close()
            self._selections = self._stack.enter_context(selected(request.selections, self._path))
            self._samples = [LateSamples(one.reader, one.campaign) for one in self._selections]
            self._request = request
        wanted = request, asked.baseline, asked.calculator, tuple(map(_at, self._selections, self._samples))
        if self._known is None or wanted != self._known_for:
            baselines = () if asked.baseline is None else (asked.baseline,)
            found = compare(self._selections, baselines=baselines, calculator=asked.calculator)
            self._known, self._known_for = CompareView(request, found), wanted
        return self._known


def _at(selection: Selection, samples: LateSamples) -> object:
    """Return what changes when a campaign's figures do: of one that is over, nothing."""
    reader, row = selection.reader, selection.reader.campaign(selection.campaign)
    if row.state in CAMPAIGN_OVER:
        return row.state, row.finished
    cells = [cell for sweep in reader.sweeps(row.id) for cell in reader.cells(sweep.id)]
    over = [cell for cell in cells if cell.state in CELL_OVER]
    return tuple(cell.state for cell in cells), samples.at(over)
