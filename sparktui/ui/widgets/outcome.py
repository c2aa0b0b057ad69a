"""What a race came to, in place of the live figures once it has ended."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from sparktui.compare.summary import Table
from sparktui.compare.verdict import equal_in_short
from sparktui.compare.winners import Row
from sparktui.ui.endings import ENDINGS
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
        rows = [_topology(snapshot, topology, longest, endings) for topology in snapshot.topologies]
        rows += [Content(), *_winners(snapshot, width), Content(), _next()]
        self.make_room(len(rows))
        return lines(rows)


def _ending(topology: Topology) -> str:
    return ENDINGS.get(topology.state, topology.state)


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
    """Return who wins a metric where, on as many lines as it takes."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in table.rows:
        if row.winner is not None:
            groups.setdefault(row.best, []).append(row)
    said = [Content.assemble(*_group(snapshot, rows)) for rows in groups.values()]
    lines = [Content()]
    for one in said:
        if lines[-1] and METRIC + lines[-1].cell_length + len(GAP) + one.cell_length > width:
            lines.append(Content())
        lines[-1] = Content.assemble(lines[-1], GAP if lines[-1] else "", one)
    heads = [table.metric.name, *[""] * (len(lines) - 1)]
    return [Content.assemble((head.ljust(METRIC), "$dim"), line) for head, line in zip(heads, lines, strict=True)]


def _group(snapshot: Snapshot, rows: Sequence[Row]) -> list[Part]:
    """Name who wins some levels, or who ties there and how far ahead of the others."""
    where = f" {' '.join(f'c{row.concurrency}' for row in rows)}"
    if not rows[0].tie:
        return [_winner(snapshot, rows[0]), where]
    rivals = dict.fromkeys(row.lead_over for row in rows)
    leads = [lead for row in rows for lead in row.leads]
    ahead = "" if None in rivals else f", {percents(leads)} vs {' or '.join(map(str, rivals))}"
    return [f"tie {equal_in_short(rows[0].tied)}", where, (ahead, "$dim")]


def _winner(snapshot: Snapshot, row: Row) -> Part:
    name = row.winner or UNKNOWN
    style = f"bold {snapshot.colour(name)}" if snapshot.topology(name) else "bold"
    return (name if row.margin is not None else f"{name} alone", style)


def _next() -> Content:
    parts: list[Part] = [("4", "bold $accent"), " all tables   ", ("e", "bold $accent"), " export CSV   "]
    return Content.assemble(*parts, ("1", "bold $accent"), " another race")
