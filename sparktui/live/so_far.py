"""The cell being measured as the tables will have it: what its waves that have ended come to."""

from __future__ import annotations

from dataclasses import dataclass

from sparktui.measure.cell import cell_figures
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow


@dataclass(frozen=True, slots=True)
class SoFar:
    """Means over the measured waves of one cell; None before the first of them has ended."""

    waves: int = 0
    decode_tps: float | None = None
    stream_tps: float | None = None


class CellSoFar:
    """Follows the cell being measured; its waves are read again only when another has ended."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: tuple[int, SoFar] | None = None
        """Of which cell."""

    def read(self, cell: CellRow) -> SoFar:
        """Return what the waves of a cell come to, warm-up left out."""
        waves = self._reader.wave_counts(cell.sweep).get(cell.id, 0)
        if self._known is None or (self._known[0], self._known[1].waves) != (cell.id, waves):
            self._known = cell.id, self._figures(cell, waves)
        return self._known[1]

    def _figures(self, cell: CellRow, waves: int) -> SoFar:
        figures = cell_figures([wave.record for wave in self._reader.waves(cell.id, warmup=False)])
        return SoFar(waves, figures.mean("decode_tps"), figures.mean("decode_tps_stream"))
