"""Sweep: where do the topologies cross? One figure against concurrency, growing point by point."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.screen import Screen

from sparktui.ui.empty import without_points
from sparktui.ui.explain import Explanation
from sparktui.ui.explain_sweep import SWEEP
from sparktui.ui.messages import ViewAsked
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.sweep_picture import Choice, Picture, picture
from sparktui.ui.sweep_rows import sweep_rows
from sparktui.ui.sweep_view import GHOSTS, SweepRequest, SweepView
from sparktui.ui.table_shown import TableShown
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.levels import Heading, LevelTable, Readout, SweepPanel
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.plot import Plot


class Sheet(VerticalScroll, inherit_bindings=False):
    """Scrolls up and down alone: left and right are the cursor's."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Up", show=False),
        Binding("down", "scroll_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]


class SweepScreen(Screen[None]):
    """A chart with a cursor over its levels, what stands under the cursor, and every level in a table."""

    CSS_PATH = "sweep.tcss"
    EXPLAIN: ClassVar[tuple[Explanation, ...]] = SWEEP
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "level(-1)", "Level", id="level-down", tooltip="The level before, read out beside the chart"),
        Binding("right", "level(1)", "Level up", show=False, id="level-up", tooltip="The next level"),
        Binding("m", "figure(1)", "Figure", id="figure", tooltip="The next figure: decode, each stream, prefill, ..."),
        Binding("M", "figure(-1)", "Figure before", show=False, id="figure-before", tooltip="The figure before"),
        Binding("l", "scale", "Log", id="scale", tooltip="A logarithmic or a linear axis of figures"),
        Binding(
            "g", "ghosts", "Ghosts", id="ghosts", tooltip="Lines behind: none, the published ones, earlier campaigns"
        ),
    ]
    AUTO_FOCUS = "#sweep"

    def __init__(self) -> None:
        super().__init__()
        self._choice = Choice()
        self._request = SweepRequest()
        self._campaign: int | None = None
        self._view: SweepView | None = None
        self._planned: frozenset[int] = frozenset()
        self._picture: Picture | None = None
        self._instead = ""
        self._drawn: object = None

    def compose(self) -> ComposeResult:
        yield Masthead("sweep")
        with Sheet(id="sweep"):
            yield Heading(id="heading")
            with Container(id="drawn"):
                yield Plot(id="plot")
                yield Readout(id="readout", classes="box", title="at")
            yield LevelTable(id="levels", classes="box", title="every level")
        yield Keybar()

    def request(self) -> SweepRequest:
        """Return what the feed has to read for this screen."""
        return self._request

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot; until it holds what this screen asked for, what was drawn of the campaign stays."""
        for masthead in self.query(Masthead):
            masthead.show(snapshot)
        campaign = None if snapshot.campaign is None else snapshot.campaign.id
        if campaign != self._campaign:
            self._campaign, self._choice, self._view = campaign, Choice(), None
        if isinstance(snapshot.view, SweepView):
            self._view = snapshot.view
        self._planned = frozenset(cell.concurrency for cell in snapshot.cells)
        self._instead = without_points(snapshot, read=self._view is not None)
        self._draw()

    def _draw(self) -> None:
        of = (self._view, self._choice, self._planned, self._instead)
        if of == self._drawn:
            return
        self._drawn = of
        self._picture = None if self._view is None else picture(self._view, self._choice, self._planned)
        self.query_one(Plot).show(None if self._picture is None else self._picture.chart)
        for panel in self.query(SweepPanel):
            panel.tell(self._picture, self._instead)

    def rows_shown(self) -> TableShown | None:
        """Return the points of the figure on the screen."""
        return None if self._picture is None else sweep_rows(self._picture)

    def action_level(self, step: int) -> None:
        """Move the cursor to another level that is measured."""
        if self._picture is None or self._picture.row is None:
            return
        levels = self._picture.levels
        at = levels.index(self._picture.row.concurrency) + step
        self._choice = replace(self._choice, level=levels[max(0, min(len(levels) - 1, at))])
        self._draw()

    def action_figure(self, step: int) -> None:
        """Show the next figure, on the axis that suits it."""
        self._choice = replace(self._choice, figure=self._choice.figure + step, log=None)
        self._draw()

    def action_scale(self) -> None:
        """Change between a linear and a logarithmic axis of figures."""
        if self._picture is not None:
            self._choice = replace(self._choice, log=not self._picture.log)
            self._draw()

    def action_ghosts(self) -> None:
        """Draw the next kind of lines behind."""
        kind = GHOSTS[(GHOSTS.index(self._request.ghosts) + 1) % len(GHOSTS)]
        self._request = SweepRequest(kind)
        self.post_message(ViewAsked())
