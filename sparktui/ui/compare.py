"""Compare: which topology does one serve with, at which concurrency, and by how much?"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from sparktui.compare.answers import advice_lines
from sparktui.compare.comparison import Comparison
from sparktui.compare.crossover import Crossover
from sparktui.ui import explain
from sparktui.ui.messages import BaselineChosen
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import harmless, lines
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.panel import Panel
from sparktui.ui.widgets.progress import NOTHING_OPEN
from sparktui.ui.widgets.verdicts import VerdictTable

NOT_YET = "cannot win: not measured"
"""Said of every cell still to come: the dash in the table says it better."""


class Standing(Panel):
    """One line: how much of the race the tables hold."""

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        if snapshot.campaign is None:
            return Content(NOTHING_OPEN if snapshot.taken else "reading the store")
        done, all_cells = sum(cell.state == "done" for cell in snapshot.cells), len(snapshot.cells)
        load = _workload(snapshot)
        if not snapshot.campaign.running:
            return Content.styled(f"{load}", "$dim")
        return Content.assemble(("so far ", "bold"), f"{done} of {all_cells} cells measured", (f"   {load}", "$dim"))


class Changes(Panel):
    """Where the lead passes from one topology to another, what to serve with, and what has to be said with that."""

    grows = True

    def __init__(self) -> None:
        super().__init__(id="changes", classes="box", title="Crossovers, advice and notes")

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        comparison = snapshot.comparison
        if comparison is None:
            return Content.styled("none yet", "$dim")
        rows = [_change(change) for change in comparison.crossovers]
        rows = rows or [Content.styled("the lead does not change hands between decided levels", "$dim")]
        return lines(
            [
                *rows,
                *_advice(comparison, width),
                *(Content.styled(harmless(difference), "$warning") for difference in comparison.differences),
                *(Content.styled(harmless(note), "$dim") for note in comparison.notes if not note.endswith(NOT_YET)),
            ]
        )


def _change(change: Crossover) -> Content:
    low, high = change.between
    return Content.assemble(
        (f"{change.metric:<8}", "bold"),
        f"from c{change.concurrency:.0f} on {change.above} instead of {change.below}",
        (f"  (measured at c{low} and c{high})", "$dim"),
    )


def _advice(comparison: Comparison, width: int) -> list[Content]:
    found = advice_lines(comparison, width)
    title = Content.styled("when to use which", "bold")
    return [Content(""), title, *map(_advised, found), Content("")] if found else []


def _advised(line: str) -> Content:
    """Return a line of advice, the reasons below a use case dimmed."""
    return Content.styled(harmless(line), "$dim" if line.startswith(" ") else "")


def _workload(snapshot: Snapshot) -> str:
    cells = snapshot.cells
    if not cells:
        return ""
    depth = f" depth{cells[0].depth}" if cells[0].depth else ""
    kind = "pool runs" if cells[0].shape == "pool" else "waves"
    load = f"pp{cells[0].pp} tg{cells[0].tg}{depth} · {cells[0].runs} {kind} a level"
    compared = snapshot.comparison
    return load if compared is None else f"{load} · {compared.calculator} by {compared.token_source}"


class CompareScreen(Screen[None]):
    """The three tables, then where the lead changes hands."""

    CSS_PATH = "compare.tcss"
    EXPLAIN: ClassVar[tuple[explain.Explanation, ...]] = explain.COMPARE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "baseline", "Baseline", id="baseline", tooltip="Margins against the runner-up, or one topology"),
    ]
    AUTO_FOCUS = "#tables"

    def __init__(self) -> None:
        super().__init__()
        self._topologies: tuple[str, ...] = ()
        self._baseline: str | None = None

    def compose(self) -> ComposeResult:
        yield Masthead("compare")
        with VerticalScroll(id="tables"):
            yield Standing(id="standing")
            with Container(id="grid"):
                yield VerdictTable("decode", "Decode, all streams, tok/s")
                yield VerdictTable("prefill", "Prefill, all streams, tok/s")
                yield VerdictTable("ttft", "Time to first token, ms")
                yield Changes()
        yield Footer()

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        self._topologies = tuple(topology.name for topology in snapshot.topologies)
        for panel in self.query(Panel):
            panel.show(snapshot)

    def action_baseline(self) -> None:
        """Measure margins against the next topology, and after the last against the runner-up again."""
        choices = (None, *self._topologies)
        at = choices.index(self._baseline) if self._baseline in choices else 0
        self._baseline = choices[(at + 1) % len(choices)]
        self.post_message(BaselineChosen(self._baseline))
