"""One campaign's answer, read from the store: the winner tables, the crossovers, and what has to be said with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sparktui.compare.crossover import Crossover, crossovers
from sparktui.compare.fingerprint import Fingerprint, differences
from sparktui.compare.winners import METRICS, TIE_THRESHOLD, Metric, Row, Standing, decide
from sparktui.measure.cell import CellFigures, cell_figures
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, CellRow, SweepRow


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """What every cell of a table was loaded with, but for the concurrency."""

    pp: int
    tg: int
    depth: int
    shape: str

    def __str__(self) -> str:
        depth = f" depth{self.depth}" if self.depth else ""
        return f"pp{self.pp} tg{self.tg}{depth}, {self.shape}"


@dataclass(frozen=True, slots=True)
class MeasuredCell:
    """A stored cell with its figures."""

    topology: str
    cell: CellRow
    figures: CellFigures
    barred: str | None
    """Why it cannot win."""

    @property
    def workload(self) -> Workload:
        """The table it belongs in."""
        return Workload(self.cell.pp, self.cell.tg, self.cell.depth, self.cell.shape)


@dataclass(frozen=True, slots=True)
class Table:
    """One metric over all levels of one workload."""

    metric: Metric
    workload: Workload
    topologies: tuple[str, ...]
    rows: tuple[Row, ...]
    crossovers: tuple[Crossover, ...]
    baseline: str | None = None
    """What margins are against, where it can be ranked; None for the runner-up."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which topology wins, from how many users on."""

    campaign: CampaignRow
    topologies: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
    calculator: str
    token_source: str

    @property
    def simulated(self) -> bool:
        """Whether its figures come from the embedded engine and must never pass for measurements."""
        return self.campaign.simulated

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every level of every table."""
        return tuple(row for table in self.tables for row in table.rows)

    @property
    def crossovers(self) -> tuple[Crossover, ...]:
        """Every change of the leader."""
        return tuple(crossover for table in self.tables for crossover in table.crossovers)


def summarise(
    reader: Reader, campaign: int, *, baseline: str | None = None, threshold: float = TIE_THRESHOLD
) -> Comparison:
    """Compare the topologies of one campaign, finished or not.

    Args:
        reader: The store.
        campaign: Its id.
        baseline: The topology that margins are given against, instead of the runner-up.
        threshold: The margin under which it is a tie.

    Raises:
        UsageError: There is no such campaign.
        StoreError: The store cannot be read.
    """
    sweeps = reader.sweeps(campaign)
    topologies = tuple(sweep.topology for sweep in sweeps)
    cells = [cell for sweep in sweeps for cell in measured_cells(reader, sweep)]
    tables = tuple(
        _table(METRICS[name], workload, topologies, cells, baseline, threshold)
        for workload in sorted({cell.workload for cell in cells})
        for name in METRICS
    )
    return Comparison(
        campaign=reader.campaign(campaign),
        topologies=topologies,
        tables=tables,
        notes=(*_decision_notes(tables), *_protocol_notes(sweeps), *_sweep_notes(sweeps)),
        calculator=" + ".join(sorted({cell.figures.calculator for cell in cells})) or "none",
        token_source=" | ".join(sorted({cell.figures.token_source for cell in cells} - {"none"})) or "none",
    )


def measured_cells(reader: Reader, sweep: SweepRow, *, events: bool = False) -> list[MeasuredCell]:
    """Return a sweep's cells with the figures of their measured waves.

    Args:
        reader: The store.
        sweep: Whose cells.
        events: Read every token event too, which the time between tokens needs and the winners do not.
    """
    cells = []
    for cell in reader.cells(sweep.id):
        waves = reader.waves(cell.id, events=events, warmup=False)
        figures = cell_figures([wave.record for wave in waves])
        cells.append(MeasuredCell(sweep.topology, cell, figures, _cannot_win(sweep, cell, figures)))
    return cells


def _cannot_win(sweep: SweepRow, cell: CellRow, figures: CellFigures) -> str | None:
    if cell.taint is not None:
        return cell.taint
    if cell.state == "done":
        return f"{figures.errors} of {figures.requests} requests failed" if figures.errors else None
    why = f": {sweep.error}" if sweep.error else ""
    if figures.waves:
        return f"{figures.waves} of {cell.runs} waves{why}"
    return "not measured" + why if cell.state in ("waiting", "measuring") else cell.state + why


def _table(
    metric: Metric,
    workload: Workload,
    topologies: tuple[str, ...],
    cells: Sequence[MeasuredCell],
    baseline: str | None,
    threshold: float,
) -> Table:
    mine = [cell for cell in cells if cell.workload == workload]
    levels = sorted({cell.cell.concurrency for cell in mine})
    rows = tuple(
        decide(metric, level, _standings(metric, level, topologies, mine), baseline=baseline, threshold=threshold)
        for level in levels
    )
    return Table(metric, workload, topologies, rows, leader_changes(metric, rows), baseline)


def _standings(metric: Metric, level: int, topologies: Iterable[str], cells: Iterable[MeasuredCell]) -> list[Standing]:
    here = {cell.topology: cell for cell in cells if cell.cell.concurrency == level}
    return [
        Standing(topology, here[topology].figures.values(metric.figure), barred=here[topology].barred)
        if topology in here
        else Standing(topology)
        for topology in topologies
    ]


def leader_changes(metric: Metric, rows: Sequence[Row]) -> tuple[Crossover, ...]:
    """Return where the lead passes from one topology to another, between levels that are no ties."""
    decided = [row for row in rows if row.winner is not None and not row.tie]
    changes: list[Crossover] = []
    for before, after in pairwise(decided):
        if before.winner is not None and after.winner is not None and before.winner != after.winner:
            span = [row for row in rows if before.concurrency <= row.concurrency <= after.concurrency]
            changes.extend(
                crossovers(
                    metric, before.winner, after.winner, _series(span, before.winner), _series(span, after.winner)
                )
            )
    return tuple(changes)


def _series(rows: Iterable[Row], topology: str) -> dict[int, float]:
    return {
        row.concurrency: value
        for row in rows
        if (value := row.values.get(topology)) is not None and topology not in row.barred
    }


def _decision_notes(tables: Iterable[Table]) -> list[str]:
    rows = [row for table in tables for row in table.rows]
    reasons = dict.fromkeys(
        f"c{row.concurrency} {topology} cannot win: {reason}" for row in rows for topology, reason in row.barred.items()
    )
    if any(row.decided_by == "threshold" and row.interval is None for row in rows):
        return ["ties by the threshold alone: fewer than two waves are known of some cells", *reasons]
    return list(reasons)


def _protocol_notes(sweeps: Sequence[SweepRow]) -> list[str]:
    prints = [(sweep.topology, Fingerprint.from_json(sweep.fingerprint)) for sweep in sweeps]
    return [
        f"{topology} was not measured like {prints[0][0]}: {difference}"
        for topology, fingerprint in prints[1:]
        for difference in differences(prints[0][1], fingerprint)
    ]


def _sweep_notes(sweeps: Iterable[SweepRow]) -> list[str]:
    return [f"{sweep.topology} {sweep.state}: {sweep.error}" for sweep in sweeps if sweep.error]
