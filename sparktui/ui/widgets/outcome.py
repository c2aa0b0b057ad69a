"""What a race came to, in place of the live figures once it has ended."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from sparktui.compare.summary import Table
from sparktui.compare.verdict import SO_FAR, equal_in_short, fitting, verdict
from sparktui.compare.winners import Row
from sparktui.exporting.grid import number
from sparktui.ui.endings import ending
from sparktui.ui.snapshot import Cell, Snapshot, Topology
from sparktui.ui.text import Part, lines
from sparktui.ui.widgets.panel import Panel
from sparktui.units import UNKNOWN, percents

BAD = ("failed", "guard")
METRIC = 8
"""Columns of a metric's name."""
GAP = "   "


class Outcome(Panel):
    """One line a topology, then who wins where, then where to go from here."""

    def __init__(self) -> None:
        super().__init__(id="outcome", classes="box", title="result")

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        longest = max((len(topology.name) for topology in snapshot.topologies), default=0)
        endings = max((len(_ending(topology)) for topology in snapshot.topologies), default=0)
        self.entitle(_title(snapshot), "")
        rows = [_topology(snapshot, topology, longest, endings) for topology in snapshot.topologies]
        rows += [Content(), *_winners(snapshot, width), Content(), *_unfinished(snapshot), _next()]
        self.make_room(len(rows))
        return lines(rows)


def _title(snapshot: Snapshot) -> str:
    tables = () if snapshot.comparison is None else snapshot.comparison.tables
    ranked = any(table.contested and table.baseline is None for table in tables)
    return "result · margins against the runner-up" if ranked else "result"


def _ending(topology: Topology) -> str:
    return ending(topology) or topology.state


def _topology(snapshot: Snapshot, topology: Topology, longest: int, endings: int) -> Content:
    cells = [cell for cell in snapshot.cells if cell.topology == topology.name]
    done = sum(cell.state == "done" for cell in cells)
    return Content.assemble(
        (topology.name.ljust(longest), f"bold {snapshot.colour(topology.name)}"),
        (f"  {_ending(topology):<{max(9, endings)}}", "bold $error" if topology.state in BAD else ""),
        (f"  {done} of {len(cells)} levels", "$dim"),
        (f"  {_tainted(cells)}", "$warning"),
    )


def _tainted(cells: list[Cell]) -> str:
    count = sum(cell.taint is not None for cell in cells)
    return f"{count} tainted" if count else ""


def _winners(snapshot: Snapshot, width: int) -> list[Content]:
    tables = () if snapshot.comparison is None else snapshot.comparison.tables
    return [line for table in tables for line in _wins(snapshot, table, width)]


def _wins(snapshot: Snapshot, table: Table, width: int) -> list[Content]:
    """Return who wins a metric where, or what the only topology reached, on as many lines as it takes."""
    said = _groups(snapshot, table, width - METRIC) if table.contested else _figures(table)
    rows = [Content()]
    for one in said:
        if rows[-1] and METRIC + rows[-1].cell_length + len(GAP) + one.cell_length > width:
            rows.append(Content())
        rows[-1] = Content.assemble(rows[-1], GAP if rows[-1] else "", one)
    heads = [table.metric.name, *[""] * (len(rows) - 1)]
    return [Content.assemble((head.ljust(METRIC), "$dim"), row) for head, row in zip(heads, rows, strict=True)]


def _figures(table: Table) -> list[Content]:
    values = [(row.concurrency, value) for row in table.rows for value in row.values.values() if value is not None]
    told = [Content.assemble((f"c{level} ", "$dim"), number(table, value)) for level, value in values]
    return [*told, Content.styled(table.metric.unit, "$dim")] if told else []


def _groups(snapshot: Snapshot, table: Table, room: int) -> list[Content]:
    """Return a piece for every topology that wins somewhere, for those that tie, and for one that is alone."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in table.rows:
        if row.best or row.only:
            groups.setdefault((verdict(row) if row.only else "", *row.best, str(bool(row.awaited))), []).append(row)
    return [Content.assemble(*_group(snapshot, table, rows, room)) for rows in groups.values()]


def _group(snapshot: Snapshot, table: Table, rows: Sequence[Row], room: int) -> list[Part]:
    """Name who wins some levels, or who ties there, and how far ahead of the others; of one alone, what it reached."""
    row = rows[0]
    where = f" {' '.join(f'c{row.concurrency}' for row in rows)}"
    if row.only is not None:
        reached = [f"c{row.concurrency} {number(table, row.values[row.only or ''])}" for row in rows]
        said = f" {' '.join(reached)} {table.metric.unit}"
        return [verdict(row), fitting((said, where), room - len(verdict(row)))]
    where += SO_FAR if row.awaited else ""
    if row.tie:
        return [f"tie {equal_in_short(row.tied)}", where, (_ahead(rows), "$dim")]
    known = snapshot.topology(row.winner or "") is not None and not row.awaited
    name = row.winner or UNKNOWN
    return [(name, f"bold {snapshot.colour(name)}" if known else "bold"), where, (_margins(table, rows), "$dim")]


def _margins(table: Table, rows: Sequence[Row]) -> str:
    """Say how far a winner is ahead: of the runner-up, as the title says, or of whom."""
    margins = percents(row.margin for row in rows if row.margin is not None)
    rivals = dict.fromkeys(row.against for row in rows if row.against is not None)
    return f" {margins}" if table.baseline is None else f" {margins} vs {' or '.join(rivals)}"


def _ahead(rows: Sequence[Row]) -> str:
    rivals = [row.lead_over for row in rows if row.lead_over is not None]
    leads = [lead for row in rows for lead in row.leads]
    return f", {percents(leads)} vs {' or '.join(dict.fromkeys(rivals))}" if len(rivals) == len(rows) else ""


def _unfinished(snapshot: Snapshot) -> list[Content]:
    """Say how a race goes on that was stopped before its end."""
    comparison, campaign = snapshot.comparison, snapshot.campaign
    if comparison is None or campaign is None or not any(column.awaited for column in comparison.columns):
        return []
    done, every = sum(cell.state == "done" for cell in snapshot.cells), len(snapshot.cells)
    parts: list[Part] = [(f"not finished: {done} of {every} cells measured   ", "$warning")]
    parts += [("6", "bold $accent"), " ", ("r", "bold $accent"), f" or sparktui resume {campaign.id} finishes it"]
    return [Content.assemble(*parts)]


def _next() -> Content:
    parts: list[Part] = [("4", "bold $accent"), " all tables   ", ("e", "bold $accent"), " export CSV   "]
    return Content.assemble(*parts, ("1", "bold $accent"), " another race")
