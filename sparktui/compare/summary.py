"""Who wins, read from the store: the winner tables, the crossovers, and what has to be said with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from sparktui.compare.alike import apart
from sparktui.compare.baseline import parse_baselines, stated_baselines
from sparktui.compare.cells import FiguresCache, MeasuredCell, measured_cells
from sparktui.compare.comparison import Column, Comparison, Selection, Table
from sparktui.compare.fingerprint import Fingerprint, differences, engine_differences
from sparktui.compare.known import UNKNOWN_CALCULATOR
from sparktui.compare.notes import notes
from sparktui.compare.tabulate import Ranking, calculators, metric_tables, token_sources
from sparktui.compare.winners import METRICS, TIE_THRESHOLD
from sparktui.errors import UsageError
from sparktui.measure.calculators import DEFAULT
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, SweepRow

__all__ = ["Column", "Comparison", "MeasuredCell", "Selection", "Table", "compare", "measured_cells", "summarise"]


def summarise(
    reader: Reader,
    campaign: int,
    *,
    baseline: str | None = None,
    threshold: float = TIE_THRESHOLD,
    calculator: str = DEFAULT,
    cache: FiguresCache | None = None,
    events: bool = False,
) -> Comparison:
    """Compare the topologies of one campaign, finished or not; arguments and errors as in `compare`."""
    selections = (Selection(reader, campaign, str(campaign)),)
    baselines = () if baseline is None else (baseline,)
    return compare(
        selections, baselines=baselines, threshold=threshold, calculator=calculator, cache=cache, events=events
    )


def compare(
    selections: Sequence[Selection],
    *,
    baselines: Sequence[str] = (),
    threshold: float = TIE_THRESHOLD,
    metrics: Sequence[str] = (),
    calculator: str = DEFAULT,
    force: bool = False,
    cache: FiguresCache | None = None,
    events: bool = False,
) -> Comparison:
    """Compare topologies of one campaign or of several.

    Args:
        selections: What is compared, in the order of the columns; a topology that is named twice is shown once.
        baselines: What margins are given against instead of the runner-up, as `parse_baselines` reads it.
        threshold: The margin under which it is a tie.
        metrics: The tables to make, by name; none for every metric that there are figures of.
        calculator: What turns token events into figures, by its name; imported figures stay what they are.
        force: Rank what was measured unlike too; otherwise campaigns unlike all the others are left out of the ranking.
        cache: Figures of earlier calls with the same store; only of use with one reader.
        events: Read every token event too: the time between tokens needs them, the metrics' tables do not.

    Raises:
        UsageError: There is no such campaign, topology, metric, calculator or baseline, or no figure of the metrics.
        StoreError: The store cannot be read.
    """
    if unknown := [name for name in metrics if name not in METRICS]:
        raise UsageError(f"no metric {unknown[0]!r}", "there are " + ", ".join(METRICS))
    columns = _columns(selections, _Figuring(calculator, cache, events))
    names = tuple(column.name for column in columns)
    campaigns = _campaigns(columns, selections)
    against = parse_baselines(baselines, names)
    if not baselines and len(campaigns) == 1:
        against = stated_baselines(campaigns[0].origin)
    prints = {column.name: column.fingerprint for column in columns}
    unlike = differences(prints)
    left_out = apart(columns) if unlike and not force else ()
    ranking = Ranking(against, threshold, rank=force or not unlike or bool(left_out), apart=frozenset(left_out))
    tables = _of_metrics(metric_tables(columns, ranking), metrics)
    return Comparison(
        columns=columns,
        campaigns=campaigns,
        tables=tables,
        notes=notes(columns, tables, ranked=ranking.rank, apart=left_out),
        differences=unlike,
        engine_differences=engine_differences(prints),
        ranked=ranking.rank,
        calculator=calculators(cell for column in columns for cell in column.cells),
        token_source=token_sources(cell for column in columns for cell in column.cells),
        apart=left_out,
    )


def _of_metrics(tables: tuple[Table, ...], names: Sequence[str]) -> tuple[Table, ...]:
    """Return the tables asked for; all where none are named."""
    chosen = tuple(table for table in tables if not names or table.metric.name in names)
    if tables and not chosen:
        there = ", ".join(dict.fromkeys(table.metric.name for table in tables))
        raise UsageError(f"no figures of {', '.join(names)}", f"there are figures of {there}")
    return chosen


@dataclass(frozen=True, slots=True)
class _Figuring:
    """How figures are come by."""

    calculator: str
    cache: FiguresCache | None
    events: bool


def _columns(selections: Sequence[Selection], how: _Figuring) -> tuple[Column, ...]:
    chosen = {
        (selection.label, sweep.topology): (selection, sweep)
        for selection in selections
        for sweep in _sweeps(selection)
    }
    times = Counter(topology for _, topology in chosen)
    return tuple(
        _column(topology if times[topology] == 1 else f"{label}/{topology}", selection, sweep, how)
        for (label, topology), (selection, sweep) in chosen.items()
    )


def _sweeps(selection: Selection) -> list[SweepRow]:
    selection.reader.campaign(selection.campaign)
    sweeps = selection.reader.sweeps(selection.campaign)
    if selection.topology is None:
        return sweeps
    found = [sweep for sweep in sweeps if sweep.topology == selection.topology]
    if not found:
        there = ", ".join(sweep.topology for sweep in sweeps) or "none"
        raise UsageError(
            f"campaign {selection.label} has no topology {selection.topology!r}", f"its topologies: {there}"
        )
    return found


def _column(name: str, selection: Selection, sweep: SweepRow, how: _Figuring) -> Column:
    cells = tuple(
        measured_cells(selection.reader, sweep, events=how.events, calculator=how.calculator, cache=how.cache)
    )
    used = {cell.figures.calculator for cell in cells} - {UNKNOWN_CALCULATOR}
    fingerprint = Fingerprint.from_json(sweep.fingerprint)
    campaign = selection.reader.campaign(selection.campaign)
    fingerprint = replace(fingerprint, calculator=" + ".join(sorted(used)) or None, simulated=campaign.simulated)
    return Column(name, campaign, sweep, fingerprint, cells)


def _campaigns(columns: Iterable[Column], selections: Iterable[Selection]) -> tuple[CampaignRow, ...]:
    """Return whose figures are compared; a campaign in which nothing was begun yet has no columns."""
    found = dict.fromkeys(column.campaign for column in columns)
    return tuple(found) or tuple(dict.fromkeys(s.reader.campaign(s.campaign) for s in selections))
