"""Compare: which topology does one serve with, at which concurrency, and by how much?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import Screen

from sparktui.compare.comparison import Comparison
from sparktui.compare.winners import METRICS, MetricName
from sparktui.measure.calculator_names import DEFAULT, NAMES
from sparktui.ui.compare_rows import compare_rows
from sparktui.ui.compared_view import CompareRequest, CompareView
from sparktui.ui.explain import Explanation
from sparktui.ui.explain_compare import COMPARE
from sparktui.ui.messages import BaselineChosen, CalculatorChosen
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.table_shown import TableShown
from sparktui.ui.whose import Whose
from sparktui.ui.widgets.answers import Advice, Crossings, Notes, Standing
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.panel import Panel
from sparktui.ui.widgets.verdicts import VerdictTable, verdict_id

if TYPE_CHECKING:
    from sparktui.ui.app import SparktuiApp

Shown = tuple[tuple[MetricName, int, str], ...]
"""Of every table: the metric, which of its workloads, and the title."""
FIRST: Shown = tuple(
    (metric.name, 0, f"{metric.title}, {metric.unit}") for metric in METRICS.values() if metric.measured
)
"""Before anything is known, what every measurement will give."""


class CompareScreen(Screen[None]):
    """The tables, then where the lead changes hands, what to serve with, and what has to be said with that."""

    CSS_PATH = "compare.tcss"
    EXPLAIN: ClassVar[tuple[Explanation, ...]] = COMPARE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "baseline", "Baseline", id="baseline", tooltip="Margins against the runner-up, or one topology"),
        Binding("c", "calculator", "Calculator", id="calculator", tooltip="Whose rules the figures are worked out by"),
        Binding("escape", "alone", "Alone", id="alone", show=False, tooltip="Only the open campaign again"),
    ]
    AUTO_FOCUS = "#tables"

    def __init__(self) -> None:
        super().__init__()
        self._topologies: tuple[str, ...] = ()
        self._calculator = DEFAULT
        self._comparison: Comparison | None = None
        self._tables: Shown = ()

    def compose(self) -> ComposeResult:
        yield Masthead("compare")
        yield Standing()
        with VerticalScroll(id="tables"):
            yield Vertical(id="verdicts")
            with Vertical(id="answers"):
                yield Crossings()
                yield Advice()
                yield Notes()
        yield Keybar()

    def on_mount(self) -> None:
        self._lay_out(FIRST)

    def rows_shown(self) -> TableShown | None:
        """Return the winner tables."""
        return compare_rows(self._comparison)

    def whose(self) -> tuple[Whose, ...] | None:
        """Return the campaigns that were chosen; None where the open one is shown."""
        if not self._viewer.compared:
            return None
        return Whose.compared(() if self._comparison is None else self._comparison.campaigns)

    def request(self) -> CompareRequest | None:
        """Ask for the campaigns that were chosen; None where the open one is shown."""
        return CompareRequest(self._viewer.compared) if self._viewer.compared else None

    @property
    def _viewer(self) -> SparktuiApp:
        return cast("SparktuiApp", self.app)

    def action_alone(self) -> None:
        """Show the open campaign alone again."""
        if self._viewer.compared:
            self._viewer.compare_with(())

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        snapshot = self._of_selections(snapshot)
        self._comparison = snapshot.comparison
        topologies = tuple(topology.name for topology in snapshot.topologies)
        self._topologies = topologies if snapshot.comparison is None else snapshot.comparison.topologies
        self._lay_out(_shown(snapshot.comparison))
        whose = replace(snapshot, campaign=None) if self.request() else snapshot
        for panel in self.query(Panel):
            panel.show(whose if isinstance(panel, Masthead) else snapshot)

    def _of_selections(self, snapshot: Snapshot) -> Snapshot:
        """Put what was asked for in the place of the open campaign's comparison; nothing until it has come."""
        wanted, view = self.request(), snapshot.view
        if wanted is None:
            return replace(snapshot, view=None)
        if isinstance(view, CompareView) and view.request == wanted:
            return replace(snapshot, comparison=view.comparison)
        return replace(snapshot, comparison=None, view=None)

    def _lay_out(self, tables: Shown) -> None:
        """Make a table for every metric and workload; they stay as long as these do."""
        if tables == self._tables or not self.is_mounted:
            return
        self._tables = tables
        verdicts, there = self.query_one("#verdicts"), {table.id: table for table in self.query(VerdictTable)}
        wanted = {verdict_id(name, nth): VerdictTable(name, title, nth) for name, nth, title in tables}
        for identity, table in there.items():
            if identity in wanted:
                table.heading = wanted[identity].heading
            else:
                table.remove()
        verdicts.mount_all(table for identity, table in wanted.items() if identity not in there)
        order = list(wanted)
        verdicts.sort_children(key=lambda table: order.index(table.id) if table.id in order else len(order))

    def action_baseline(self) -> None:
        """Measure margins against the next topology, and after the last against the runner-up again."""
        choices = (None, *self._topologies)
        now = self._viewer.baseline
        at = choices.index(now) if now in choices else 0
        self.post_message(BaselineChosen(choices[(at + 1) % len(choices)]))

    def action_calculator(self) -> None:
        """Work the figures out by the next calculator; those that were imported stay what their source says."""
        campaigns = () if self._comparison is None else self._comparison.campaigns
        if any(campaign.source in ("imported", "published") for campaign in campaigns):
            self.notify("these figures are what their source says: there are no token events to work them out from")
            return
        self._calculator = NAMES[(NAMES.index(self._calculator) + 1) % len(NAMES)]
        self.query_one(Standing).ask(self._calculator)
        self.post_message(CalculatorChosen(self._calculator))


def _shown(comparison: Comparison | None) -> Shown:
    """Return the tables there are; what tells several of one metric apart is their load."""
    if comparison is None or not comparison.tables:
        return FIRST
    seen: dict[str, int] = {}
    shown = []
    several = len({table.workload for table in comparison.tables}) > 1
    for table in comparison.tables:
        nth = seen[table.metric.name] = seen.get(table.metric.name, -1) + 1
        load = f" · {table.workload}" if several else ""
        shown.append((table.metric.name, nth, f"{table.metric.title}, {table.metric.unit}{load}"))
    return tuple(shown)
