"""Live: is it healthy, how fast is it, how long will it take? And, once it has ended, what it came to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from sparktui.ui.dialogs import EventsDialog
from sparktui.ui.explain import Explanation
from sparktui.ui.explain_live import LIVE
from sparktui.ui.live_rows import live_rows
from sparktui.ui.snapshot import EMPTY, Snapshot
from sparktui.ui.table_shown import TableShown
from sparktui.ui.widgets.course import Course
from sparktui.ui.widgets.engines import Engines
from sparktui.ui.widgets.figures import Decode, Figures
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.log import Log
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.nodes import Nodes
from sparktui.ui.widgets.outcome import Outcome
from sparktui.ui.widgets.panel import Panel
from sparktui.ui.widgets.progress import Progress
from sparktui.ui.widgets.reasons import Reasons
from sparktui.ui.widgets.slots import Slots
from sparktui.ui.widgets.verdicts import VerdictTable


class LiveScreen(Screen[None]):
    """The race as it runs."""

    CSS_PATH = "live.tcss"
    EXPLAIN: ClassVar[tuple[Explanation, ...]] = LIVE
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "events", "Events", id="events", tooltip="Every event, whole, and the logs under them"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: Snapshot = EMPTY

    def compose(self) -> ComposeResult:
        yield Masthead("live")
        yield Progress(id="progress")
        with Horizontal(id="now"):
            yield Decode()
            yield Figures(id="figures", classes="box", title="now")
        yield Outcome()
        yield Reasons()
        yield Course()
        yield Nodes()
        with Horizontal(id="traffic"):
            yield Slots()
            yield Engines()
        with Horizontal(id="below"):
            yield Log()
            with Vertical(id="so-far"):
                yield VerdictTable("decode", "decode, tok/s")
                yield VerdictTable("prefill", "prefill, tok/s")
                yield VerdictTable("ttft", "time to first token, ms")
        yield Keybar()

    def rows_shown(self) -> TableShown | None:
        """Return the figures of the moment; once the race is over, its tables."""
        return live_rows(self._snapshot)

    def action_events(self) -> None:
        """Show every event that is kept."""
        self.app.push_screen(EventsDialog(self._snapshot.events))

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        self._snapshot = snapshot
        campaign = snapshot.campaign
        self.set_class(campaign is not None and not campaign.running, "-over")
        for nodes in self.query(Nodes):
            nodes.show(snapshot)
        for decode in self.query(Decode):
            decode.show(snapshot)
        for panel in self.query(Panel):
            panel.show(snapshot)
