"""What has to be said with the tables: who cannot win and why, what differs, what drifted, what failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from sparktui.compare.alike import called
from sparktui.compare.comparison import Column, Table
from sparktui.compare.crossover import lead_of
from sparktui.compare.fingerprint import differences, engine_differences
from sparktui.compare.gains import gains
from sparktui.compare.levels import spans
from sparktui.compare.more_waves import more_waves
from sparktui.compare.tabulate import UNLIKE
from sparktui.compare.uncounted import uncounted
from sparktui.compare.winners import TIE_THRESHOLD, Row
from sparktui.errors import ProfileError
from sparktui.profile.loader import parse_profile
from sparktui.units import percent


def notes(
    columns: Sequence[Column], tables: Sequence[Table], *, ranked: bool, apart: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return every note, the ones that question the tables first."""
    return (
        *_unlike(columns, ranked, apart),
        *_unfinished(columns),
        *_failures_untold(columns),
        *_waves_wanted(tables),
        *_doubts(tables),
        *_decisions(tables),
        *uncounted(columns),
        *_drifts(tables),
        *_controls(columns, tables),
        *(f"{column.name} {column.sweep.state}: {column.sweep.error}" for column in columns if column.sweep.error),
        *dict.fromkeys(note for column in columns for cell in column.cells for note in cell.figures.notes),
    )


def _unlike(columns: Sequence[Column], ranked: bool, apart: Sequence[str]) -> Iterator[str]:
    """Say who is not ranked, and what to do to have it otherwise."""
    if not ranked:
        yield "not ranked: they were not measured alike; `sparktui compare --force` ranks them all the same"
    elif apart:
        which = called(dict.fromkeys(column.campaign for column in columns if column.name in apart))
        yield (
            f"{which} not ranked with the others: {UNLIKE}; beside them it is marked with *, and left out by comparing "
            "without it; `sparktui compare --force` ranks all the same"
        )


def _unfinished(columns: Sequence[Column]) -> Iterator[str]:
    """Tell what has not been measured of campaigns that nobody works on any more, and how to go on with them."""
    for campaign in dict.fromkeys(column.campaign for column in columns):
        mine = [column for column in columns if column.campaign == campaign]
        missing = [f"{c.name} {spans(c.awaited, [m.cell.concurrency for m in c.cells])}" for c in mine if c.awaited]
        if missing and campaign.resumable:
            what = ", ".join(missing)
            yield f"not finished: {what} not measured yet; `sparktui resume {campaign.id}` finishes it"


def _failures_untold(columns: Sequence[Column]) -> Iterator[str]:
    """Name what was imported from files that keep quiet about failed requests, which cannot win where they are told."""
    untold = [column.name for column in columns if not column.tells_failures]
    if untold:
        yield (
            f"not known which cells of {', '.join(untold)} had requests that failed, and so cannot win: the imported "
            "files do not tell"
        )


def _waves_wanted(tables: Sequence[Table]) -> Iterator[str]:
    """Tell how many waves would probably decide what ties for want of them."""
    for table in tables:
        wanted = {row.concurrency: waves for row in table.rows if (waves := more_waves([row])) is not None}
        if wanted:
            levels = ", ".join(f"{waves} at c{level}" for level, waves in wanted.items())
            yield (
                f"{table.metric.name}: if those that tie are as far apart as they seem, more waves would probably tell "
                f"(--runs): about {levels}"
            )


def _doubts(tables: Iterable[Table]) -> Iterator[str]:
    """Name who may be as good as the best, but stands in no brackets: somebody between the two is worse for sure."""
    for table in tables:
        every = [row.concurrency for row in table.rows]
        for name in table.topologies:
            if levels := [row.concurrency for row in table.rows if name in row.in_doubt]:
                yield (
                    f"{table.metric.name}: {name} at {spans(levels, every)} varies too much from wave to wave to be "
                    "told from the best; it is not counted with it, since others that are nearer can be told"
                )


def _decisions(tables: Iterable[Table]) -> list[str]:
    rows = [row for table in tables for row in table.rows]
    levels: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        for barred in _told(row):
            levels.setdefault(barred, {})[f"c{row.concurrency}"] = None
    reasons = [f"{', '.join(found)} {topology} cannot win: {why}" for (topology, why), found in levels.items()]
    if any(row.decided_by == "threshold" and row.interval is None for row in rows):
        return ["ties by the threshold alone: fewer than two waves are known of some cells", *reasons]
    return reasons


def _told(row: Row) -> Iterator[tuple[str, str]]:
    """Return who cannot win and why, but for what has simply not been measured yet."""
    for topology, why in row.barred.items():
        if why != UNLIKE and (topology not in row.awaited or row.values.get(topology) is not None):
            yield topology, why


def _drifts(tables: Iterable[Table]) -> Iterator[str]:
    """Name who changed, while it was measured, by more than the margin it is judged by."""
    for table in tables:
        found: dict[str, dict[int, float]] = {}
        for row in table.rows:
            for topology, change in _weighty(row).items():
                found.setdefault(topology, {})[row.concurrency] = change
        for topology, changes in found.items():
            levels = ", ".join(f"c{level} {percent(change)}" for level, change in changes.items())
            yield (
                f"{topology} drifted in {table.metric.name} from the first half of its waves to the second, by more "
                f"than the margin: {levels}"
            )


def _weighty(row: Row) -> Mapping[str, float]:
    if row.margin is None:
        return {}
    concerned = (row.winner, row.against)
    return {name: change for name, change in row.drift.items() if name in concerned and abs(change) > abs(row.margin)}


def _controls(columns: Sequence[Column], tables: Sequence[Table]) -> Iterator[str]:
    """Tell how far the same topology, measured twice, is from itself: margins under that may be drift."""
    for first, second in combinations(columns, 2):
        if _same(first, second):
            for table in tables:
                if changes := _changes(table, first.name, second.name):
                    yield (
                        f"{first.name} and {second.name} are the same, measured twice, and differ in "
                        f"{table.metric.name}: {changes}; margins under that may be drift"
                    )


def _same(first: Column, second: Column) -> bool:
    prints = {"first": first.fingerprint, "second": second.fingerprint}
    if differences(prints) or engine_differences(prints):
        return False
    if first.campaign.id == second.campaign.id:
        return _definition(first) is not None and _definition(first) == _definition(second)
    return first.sweep.topology == second.sweep.topology


def _definition(column: Column) -> object:
    """Return a topology as its profile defines it, less what is said about it; None where there is no profile."""
    try:
        topologies = parse_profile(column.campaign.profile_yaml, column.campaign.name).topologies
    except ProfileError:
        return None
    defined = topologies.get(column.sweep.topology)
    return None if defined is None else defined.model_dump(exclude={"description"})


def _changes(table: Table, first: str, second: str) -> str:
    apart = {
        row.concurrency
        for row in table.rows
        if (lead := lead_of(table.metric, first, second, row)) and lead.known and lead.side(table.metric, TIE_THRESHOLD)
    }
    found = [gain for gain in gains(table.metric, first, second, table.rows) if gain.concurrency in apart]
    return ", ".join(f"c{gain.concurrency} {percent(gain.value)}" for gain in found)
