"""What a race came to, in place of the live figures once it has ended."""

from __future__ import annotations

from textual.content import Content

from sparktui.compare.summary import Table
from sparktui.compare.winners import Row
from sparktui.ui.endings import ENDINGS
from sparktui.ui.snapshot import Cell, Snapshot, Topology
from sparktui.ui.text import Part, lines
from sparktui.ui.widgets.panel import Panel

BAD = ("failed", "guard")


class Outcome(Panel):
    """One line a topology, then who wins where, then where to go from here."""

    def __init__(self) -> None:
        super().__init__(id="outcome", classes="box", title="result")

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        longest = max((len(topology.name) for topology in snapshot.topologies), default=0)
        endings = max((len(_ending(topology)) for topology in snapshot.topologies), default=0)
        rows = [_topology(snapshot, topology, longest, endings) for topology in snapshot.topologies]
        rows += [Content(), *_winners(snapshot), Content(), _next()]
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


def _winners(snapshot: Snapshot) -> list[Content]:
    tables = () if snapshot.comparison is None else snapshot.comparison.tables
    return [_wins(snapshot, table) for table in tables]


def _wins(snapshot: Snapshot, table: Table) -> Content:
    levels: dict[str, list[str]] = {}
    for row in table.rows:
        if row.winner is not None:
            levels.setdefault(_called(row, row.winner), []).append(f"c{row.concurrency}")
    parts: list[Part] = [(f"{table.metric.name:<8}", "$dim")]
    for name, where in levels.items():
        topology = snapshot.topology(name)
        style = f"bold {snapshot.colour(name)}" if topology else "bold"
        parts += ["   " if len(parts) > 1 else "", (name, style), f" {' '.join(where)}"]
    return Content.assemble(*parts)


def _called(row: Row, winner: str) -> str:
    if row.tie:
        return "tie"
    return winner if row.margin is not None else f"{winner} alone"


def _next() -> Content:
    parts: list[Part] = [("4", "bold $accent"), " all tables   ", ("e", "bold $accent"), " export CSV   "]
    return Content.assemble(*parts, ("1", "bold $accent"), " another race")
