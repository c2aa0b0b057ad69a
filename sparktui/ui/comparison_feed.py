"""Who wins, worked out when a cell has ended or something else is asked for, never on a tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sparktui.compare.cells import FiguresCache
from sparktui.compare.comparison import Comparison
from sparktui.compare.late_samples import LateSamples
from sparktui.compare.summary import summarise
from sparktui.store.reader import Reader
from sparktui.store.rows import CELL_OVER, SWEEP_OVER, CellRow, SweepRow
from sparktui.ui.asked import Asked


class ComparisonFeed:
    """The comparison of one campaign, as last asked for; figures of cells that are over are worked out once."""

    def __init__(self, reader: Reader, campaign: int) -> None:
        self._reader = reader
        self._campaign = campaign
        self._figures = FiguresCache()
        self._samples = LateSamples(reader, campaign)
        self._known: Comparison | None = None
        self._known_for: object = None
        self.at: object = None
        """What changes when a cell or a sweep has ended, or has got samples since."""

    def read(
        self, sweeps: Sequence[SweepRow], cells: Mapping[int, Sequence[CellRow]], asked: Asked
    ) -> Comparison | None:
        """Return the comparison; None before any cell is over."""
        over = tuple(cell for sweep in sweeps for cell in cells[sweep.id] if cell.state in CELL_OVER)
        ended = tuple(sweep.state for sweep in sweeps if sweep.state in SWEEP_OVER)
        self.at = over, ended, self._samples.at(over)
        wanted = self.at, asked.baseline, asked.calculator
        if wanted != self._known_for:
            self._known = self._summary(asked) if over else None
            self._known_for = wanted
        return self._known

    def _summary(self, asked: Asked) -> Comparison:
        return summarise(
            self._reader,
            self._campaign,
            baseline=asked.baseline,
            calculator=asked.calculator,
            cache=self._figures,
        )
