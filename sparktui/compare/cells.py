"""The cells of a campaign with their figures, as every table needs them: measured, or known from an imported file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial

from sparktui.compare.energy import with_energy
from sparktui.compare.engine_count import with_engine_count
from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.known import known_cell_figures
from sparktui.compare.meter import EnergyMeter
from sparktui.compare.workload import Workload
from sparktui.measure.calculators import DEFAULT, find_calculator
from sparktui.measure.cell import CellContext, CellFigures
from sparktui.store.reader import Reader
from sparktui.store.rows import CELL_OVER, CellRow, SweepRow

FIGURES_KEPT = 512
"""Cells of the largest race and then some: four topologies at seven levels are 28."""


@dataclass(frozen=True, slots=True)
class MeasuredCell:
    """A stored cell with its figures."""

    topology: str
    cell: CellRow
    figures: CellFigures
    barred: str | None
    """Why it cannot win."""
    awaited: bool = False
    """Whether it has not been measured to its end yet, and is to be."""

    @property
    def workload(self) -> Workload:
        """The table it belongs in."""
        return Workload(self.cell.pp, self.cell.tg, self.cell.depth, self.cell.shape)


class FiguresCache:
    """The figures of the cells read last, for one store: a viewer asks for all of them whenever one cell has ended.

    Of each cell the newest alone is kept, since a cell only ever gains waves and samples. It belongs to one thread.
    """

    def __init__(self, size: int = FIGURES_KEPT) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[Hashable, CellFigures]] = OrderedDict()

    def get(self, cell: Hashable, state: Hashable, compute: Callable[[], CellFigures]) -> CellFigures:
        """Return the figures of a cell in a state, computed unless those of this very state are kept."""
        kept = self._kept.get(cell)
        figures = kept[1] if kept is not None and kept[0] == state else compute()
        self._kept[cell] = state, figures
        self._kept.move_to_end(cell)
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return figures


def measured_cells(
    reader: Reader,
    sweep: SweepRow,
    *,
    events: bool = False,
    calculator: str = DEFAULT,
    cache: FiguresCache | None = None,
) -> list[MeasuredCell]:
    """Return a sweep's cells with the figures of their measured waves, or those that an imported file tells.

    Args:
        reader: The store.
        sweep: Whose cells.
        events: Read every token event too, which the time between tokens needs and the winners do not.
        calculator: What turns them into figures; one that needs the events has them read.
        cache: Figures of earlier calls with the same store.

    Raises:
        UsageError: There is no such calculator.
    """
    find_calculator(calculator)
    waves = reader.wave_counts(sweep.id)
    meter = EnergyMeter(reader, sweep)
    cells = []
    for cell in reader.cells(sweep.id):
        state = (waves.get(cell.id, 0), cell, sweep.latency_us, meter.samples(cell))
        kept = FiguresCache() if cache is None else cache
        compute = partial(_figures, reader, sweep, cell, events, calculator, meter)
        figures = kept.get((cell.id, calculator, events), state, compute)
        barred = _cannot_win(sweep, cell, figures)
        cells.append(MeasuredCell(sweep.topology, cell, figures, barred, _awaited(sweep, cell)))
    return cells


def _figures(
    reader: Reader, sweep: SweepRow, cell: CellRow, events: bool, calculator: str, meter: EnergyMeter
) -> CellFigures:
    if known := reader.known_figures(cell.id):
        fingerprint = Fingerprint.from_json(sweep.fingerprint)
        return known_cell_figures(cell, known, fingerprint.calculator, fingerprint.token_source)
    rules = find_calculator(calculator)
    waves = [wave.record for wave in reader.waves(cell.id, events=events or rules.needs_events, warmup=False)]
    figures = with_energy(rules.figures(waves, _context(sweep, cell)), waves, meter.curves(waves))
    return with_engine_count(figures, sweep.topology, cell, reader.counted(cell.id))


def _context(sweep: SweepRow, cell: CellRow) -> CellContext:
    latency_s = None if sweep.latency_us is None else sweep.latency_us / 1e6
    return CellContext(cell.concurrency, cell.pp + cell.depth, cell.shape, latency_s)


def _awaited(sweep: SweepRow, cell: CellRow) -> bool:
    """Tell what is still to come, or was when its owner stopped the campaign, from what came to an end of its own."""
    if cell.state in CELL_OVER:
        return cell.state != "done" and sweep.state == "stopped" and cell.ended_by is None
    return sweep.state not in ("failed", "guard")


def _cannot_win(sweep: SweepRow, cell: CellRow, figures: CellFigures) -> str | None:
    if cell.taint is not None:
        return cell.taint
    if cell.state == "done":
        return f"{figures.errors} of {figures.requests} requests failed" if figures.errors else None
    why = f": {sweep.error}" if sweep.error else ""
    if figures.waves:
        return f"{figures.waves} of {cell.runs} waves{why}"
    if cell.state in ("waiting", "measuring"):
        return "not measured" + why
    return cell.ended_by or cell.state + why
