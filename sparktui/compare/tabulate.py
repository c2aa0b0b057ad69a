"""From columns to tables: one a metric and workload, each row decided, with the crossovers between the rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sparktui.compare.baseline import Baselines
from sparktui.compare.cells import MeasuredCell
from sparktui.compare.comparison import Column, Comparison, Table
from sparktui.compare.crossover import leader_changes, pair_crossovers
from sparktui.compare.fingerprint import differences
from sparktui.compare.gains import gains
from sparktui.compare.winners import FURTHER, METRICS, TIE_THRESHOLD, Metric, Standing, decide
from sparktui.compare.workload import Workload

UNLIKE = "not measured like the others"
"""Why a column that is not ranked with the others cannot win."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """How winners are found."""

    baselines: Baselines
    threshold: float
    rank: bool
    apart: frozenset[str] = frozenset()
    """The columns that are shown beside others and cannot win against them."""


def further_tables(comparison: Comparison, metrics: Sequence[Metric] = FURTHER) -> tuple[Table, ...]:
    """Return tables of other figures of what was compared, where there are any; margins against the runner-up."""
    columns = comparison.columns
    ranking = Ranking(Baselines(), TIE_THRESHOLD, rank=comparison.ranked, apart=frozenset(comparison.apart))
    there = {(cell.workload, name) for column in columns for cell in column.cells for name in cell.figures.figures}
    return tuple(
        _table(metric, workload, columns, ranking)
        for workload in sorted({workload for workload, _ in there})
        for metric in metrics
        if (workload, metric.figure) in there
    )


def metric_tables(columns: Sequence[Column], ranking: Ranking) -> tuple[Table, ...]:
    """Return the tables of the metrics that winners are found by."""
    workloads = sorted({cell.workload for column in columns for cell in column.cells})
    return tuple(
        _table(metric, workload, columns, ranking)
        for workload in workloads
        for metric in _metrics(cell for column in columns for cell in column.cells if cell.workload == workload)
    )


def _metrics(cells: Iterable[MeasuredCell]) -> list[Metric]:
    """Return what there is a figure of; before there is any, what every measurement will give."""
    names = {name for cell in cells for name in cell.figures.figures}
    known = [metric for metric in METRICS.values() if metric.figure in names]
    return known or [metric for metric in METRICS.values() if metric.measured]


def _table(metric: Metric, workload: Workload, columns: Sequence[Column], ranking: Ranking) -> Table:
    mine = {
        (column.name, cell.cell.concurrency): cell
        for column in columns
        for cell in column.cells
        if cell.workload == workload
    }
    loaded = {name for name, _ in mine}
    names = tuple(column.name for column in columns if column.name in loaded or not column.cells)
    apart = _apart([column for column in columns if column.name in names], ranking.apart)
    rows = tuple(
        decide(
            metric,
            level,
            [_standing(metric, name, mine.get((name, level)), apart=name in apart) for name in names],
            baselines=ranking.baselines.names(metric.name, level),
            threshold=ranking.threshold,
            rank=ranking.rank,
        )
        for level in sorted({level for _, level in mine})
    )
    return Table(
        metric,
        workload,
        names,
        rows,
        leader_changes(metric, rows),
        calculator=calculators(mine.values()),
        token_source=token_sources(mine.values()),
        simulated=tuple(column.name for column in columns if column.name in names and column.campaign.simulated),
        baseline=ranking.baselines.title(metric.name),
        pairs=pair_crossovers(metric, names, rows, ranking.threshold) if ranking.rank else (),
        gains=gains(metric, *names, rows, ranking.threshold) if ranking.rank and len(names) == 2 else (),
    )


def _apart(columns: Sequence[Column], left_out: frozenset[str]) -> frozenset[str]:
    """Return who cannot win in a table: where it holds nobody else, those left out are ranked if they are alike."""
    if not left_out.issuperset(column.name for column in columns):
        return left_out
    return left_out if differences({column.name: column.fingerprint for column in columns}) else frozenset()


def _standing(metric: Metric, name: str, cell: MeasuredCell | None, *, apart: bool) -> Standing:
    if cell is None:
        return Standing(name)
    figures = cell.figures
    known = figures.mean(metric.figure)
    why = figures.unknown.get(metric.figure)
    unknown = f"its {metric.name} is not known{f': {why}' if why else ''}"
    barred = cell.barred or (None if known is not None else unknown) or (UNLIKE if apart else None)
    return Standing(name, figures.samples(metric.figure), known, barred, cell.awaited)


def calculators(cells: Iterable[MeasuredCell]) -> str:
    """Name what turned token events into these figures."""
    return _joined(" + ", (cell.figures.calculator for cell in cells))


def token_sources(cells: Iterable[MeasuredCell]) -> str:
    """Name what was taken for a token in these figures."""
    return _joined(" | ", (cell.figures.token_source for cell in cells))


def _joined(separator: str, names: Iterable[str]) -> str:
    return separator.join(sorted(set(names) - {"none"})) or "none"
