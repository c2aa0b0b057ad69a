"""History: every campaign there is, to open, compare, export, resume or delete."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from sparktui.errors import SparktuiError, UsageError
from sparktui.ui.dialogs import ConfirmDialog
from sparktui.ui.explain import Explanation
from sparktui.ui.explain_history import HISTORY
from sparktui.ui.history_line import Layout
from sparktui.ui.history_rows import history_rows
from sparktui.ui.history_view import HistoryRequest, HistoryRow, HistoryView
from sparktui.ui.messages import CampaignStarted, WorkFailed
from sparktui.ui.naming import file_stem
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.table_shown import TableShown
from sparktui.ui.text import clipped, harmless, lines
from sparktui.ui.whose import Whose
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.writing import campaign_chunks, write

if TYPE_CHECKING:
    from sparktui.ui.app import SparktuiApp

FILTER_HINT = "profile, topology, state, source or number · Enter keeps it, Esc shows all"
SIDE = 1
"""Columns left free on each side of a line."""
FILTER_SAID = 20
"""Characters of a filter that are said again."""
LOST_SHOWN = 8
"""Campaigns named before they are deleted; of more the number is said."""


class LossKnown(Message):
    """What would go with the campaigns that are to be deleted."""

    def __init__(self, campaigns: tuple[int, ...], lost: tuple[str, ...]) -> None:
        super().__init__()
        self.campaigns = campaigns
        self.lost = lost


class Deleted(Message):
    """Campaigns are gone."""

    def __init__(self, campaigns: tuple[int, ...]) -> None:
        super().__init__()
        self.campaigns = campaigns


class HistoryScreen(Screen[None]):
    """Enter opens the campaign under the cursor; space marks."""

    CSS_PATH = "history.tcss"
    EXPLAIN: ClassVar[tuple[Explanation, ...]] = HISTORY
    AUTO_FOCUS = "#campaigns-known"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space", "mark", "Mark", id="mark", show=False, tooltip="For what is done to several campaigns at once"
        ),
        Binding("c", "compare", "Compare", id="compare-marked", tooltip="The marked campaigns side by side"),
        Binding("r", "resume", "Resume", id="resume", tooltip="Measure what is missing of a campaign; asks first"),
        Binding("w", "write", "Export", id="write", tooltip="Write the marked campaigns, each whole, as CSV"),
        Binding("d", "delete", "Delete", id="delete", tooltip="Delete the marked campaigns for good; asks first"),
        Binding("slash", "filter", "Filter", id="filter", show=False, tooltip="Show only what has these words in it"),
        Binding("escape", "all", "All", id="all", show=False, tooltip="No filter, no marks"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[HistoryRow, ...] = ()
        self._listed: tuple[str, ...] = ()
        self._marked: set[str] = set()
        self._drawn: dict[str, Content] = {}

    def compose(self) -> ComposeResult:
        yield Masthead("history")
        yield Static(id="head", markup=False)
        yield OptionList(id="campaigns-known", markup=False)
        yield Static(id="kept", markup=False)
        yield Input(id="filter", placeholder=FILTER_HINT)
        yield Keybar()

    @property
    def _viewer(self) -> SparktuiApp:
        return cast("SparktuiApp", self.app)

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    @property
    def _filter(self) -> Input:
        return self.query_one(Input)

    def request(self) -> HistoryRequest:
        """Ask for every campaign."""
        return HistoryRequest()

    def rows_shown(self) -> TableShown | None:
        """Return the campaigns listed."""
        return history_rows(self._found(), self._filter.value)

    def whose(self) -> tuple[Whose, ...]:
        """Return nothing: these are all of them, and each row says what marks it."""
        return ()

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""
        for masthead in self.query(Masthead):
            masthead.show(snapshot)
        view = snapshot.view
        if isinstance(view, HistoryView) and (view.rows != self._rows or not self._drawn):
            came = {row.key for row in view.rows} - {row.key for row in self._rows}
            first, self._rows = not self._rows, view.rows
            if not first and not self._filter.has_focus:
                self._show_what_came(came)
            self._draw()

    def _show_what_came(self, came: set[str]) -> None:
        """Drop the filter where it would hide a race that has only just begun."""
        if any(row.key in came and not row.says(self._filter.value) for row in self._rows):
            self._filter.value = ""
            self._filter.remove_class("-asked")

    def on_resize(self) -> None:
        self._draw()

    def _found(self) -> tuple[HistoryRow, ...]:
        text = self._filter.value
        return tuple(row for row in self._rows if row.says(text))

    def _draw(self) -> None:
        """Bring the list up to date; while it holds the same campaigns, only lines that have changed are drawn."""
        width = self._list.scrollable_content_region.width - 2 * SIDE
        if width <= 0:
            return
        rows = self._found()
        layout = Layout.of(width, rows)
        drawn = {row.key: layout.line(row, marked=row.key in self._marked) for row in rows}
        if tuple(drawn) == self._listed:
            for key, line in drawn.items():
                if not line.is_same(self._drawn[key]):
                    self._list.replace_option_prompt(key, line)
        else:
            self._fill(drawn)
        self._drawn = drawn
        self.query_one("#head", Static).update(layout.head(), layout=False)
        self._tell()

    def _fill(self, drawn: dict[str, Content]) -> None:
        current = self._current()
        self._listed = tuple(drawn)
        self._list.clear_options()
        self._list.add_options(Option(line, id=key) for key, line in drawn.items())
        if drawn:
            self._list.highlighted = self._listed.index(current.key) if current and current.key in drawn else 0

    def _tell(self) -> None:
        """Say below the list what ended the campaign under the cursor, and what is marked or left out."""
        current = self._current()
        ended = "" if current is None else f"{current.key}: {current.detail}" if current.detail else ""
        counts = [self._filtered()]
        counts.append(f"{len(self._marked)} marked" if self._marked else "")
        second = " · ".join(part for part in counts if part) or "space marks · / filters · Enter opens"
        text = lines([Content(harmless(ended)), Content.styled(second, "$dim")])
        self.query_one("#kept", Static).update(text, layout=False)

    def _filtered(self) -> str:
        """Say what the filter hides, and how to see it."""
        text, hidden = self._filter.value, len(self._rows) - len(self._listed)
        said = f"{clipped(text, FILTER_SAID)!r} hides {hidden} of {len(self._rows)} campaigns: Esc shows all"
        return said if hidden else ""

    def _current(self) -> HistoryRow | None:
        at = self._list.highlighted
        key = self._listed[at] if at is not None and at < len(self._listed) else None
        return next((row for row in self._rows if row.key == key), None)

    def _chosen(self) -> tuple[HistoryRow, ...]:
        """Return the marked campaigns, oldest first, or else the one under the cursor."""
        marked = tuple(row for row in reversed(self._rows) if row.key in self._marked)
        current = self._current()
        return marked or (() if current is None else (current,))

    def _own(self) -> tuple[int, ...]:
        """Return the numbers of those chosen that are in this store."""
        return tuple(row.campaign for row in self._chosen() if row.campaign is not None)

    def on_option_list_option_highlighted(self) -> None:
        self._tell()

    async def on_option_list_option_selected(self) -> None:
        row = self._current()
        if row is None:
            return
        if row.campaign is None:
            await self._viewer.compare_campaigns((row.key,))
        else:
            live = row.state in ("queued", "running", "interrupted")
            await self._viewer.open_campaign(row.campaign, "live" if live else "compare")

    def action_mark(self) -> None:
        """Mark the campaign under the cursor, or take its mark away."""
        row = self._current()
        if row is not None:
            self._marked ^= {row.key}
            self._draw()

    async def action_compare(self) -> None:
        """Show the marked campaigns side by side."""
        if len(chosen := self._chosen()) < 2:
            self.notify("mark two or more campaigns with space", markup=False)
            return
        await self._viewer.compare_campaigns(tuple(row.key for row in chosen))

    def action_write(self) -> None:
        """Write each of the chosen campaigns whole."""
        if not (own := [row for row in self._chosen() if row.campaign is not None]):
            self.notify("published campaigns are exported with `sparktui export`", markup=False)
        for row in own:
            self._write(row)

    def _write(self, row: HistoryRow) -> None:
        app, number = self._viewer, row.campaign or 0
        whose = Whose(row.name, number, row.source)
        path = app.export_folder / f"{file_stem((whose,), 'campaign', app.clock())}.csv"
        write(app, path, partial(campaign_chunks, app.store_path, number, "csv", None))

    def action_resume(self) -> None:
        """Ask, then have the campaign under the cursor go on."""
        row = self._current()
        if row is None or row.campaign is None or not row.resumable:
            elsewhere = row is not None and row.source in ("imported", "published")
            what = "it was not measured here" if elsewhere else "it is running, or nothing is missing"
            self.notify(f"this campaign cannot be resumed: {what}", markup=False)
            return
        dialog = ConfirmDialog(
            f"Resume campaign {row.campaign}, {row.name}?",
            f"{row.done} of {len(row.topologies)} topologies are done. The others are launched again and measured from "
            "their first missing wave on, but for what was skipped; what has been measured is kept.",
            "Resume it",
        )
        campaign = row.campaign

        def answered(yes: bool | None) -> None:
            if yes:
                self._resume(campaign)

        self.app.push_screen(dialog, answered)

    def action_delete(self) -> None:
        """Find out what would be lost, then ask."""
        if own := self._own():
            self._find_loss(own)
        elif self._chosen():
            self.notify("published campaigns are part of sparktui: they cannot be deleted", markup=False)

    def on_loss_known(self, message: LossKnown) -> None:
        number = len(message.campaigns)
        more = [f"and {number - LOST_SHOWN} more"] if number > LOST_SHOWN else []
        dialog = ConfirmDialog(
            "Delete this campaign for good?" if number == 1 else f"Delete these {number} campaigns for good?",
            "; ".join([*message.lost[:LOST_SHOWN], *more]),
            "Delete",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._delete(message.campaigns)

        self.app.push_screen(dialog, answered)

    def on_deleted(self, message: Deleted) -> None:
        self._marked -= {str(campaign) for campaign in message.campaigns}
        self._viewer.forget(message.campaigns)
        self.notify(f"deleted {', '.join(map(str, message.campaigns))}", markup=False)

    def action_filter(self) -> None:
        """Open the filter and type into it."""
        self._filter.add_class("-asked")
        self._filter.focus()

    def action_all(self) -> None:
        """Show everything again, nothing marked."""
        self._marked.clear()
        self._filter.value = ""
        self._close_filter()
        self._draw()

    def on_input_changed(self) -> None:
        self._draw()

    def on_input_submitted(self) -> None:
        self._close_filter()

    def _close_filter(self) -> None:
        self._filter.set_class(bool(self._filter.value), "-asked")
        self._list.focus()

    @work(thread=True, group="resume")
    def _resume(self, campaign: int) -> None:
        app = self._viewer
        try:
            if app.doing is None:
                raise UsageError("this viewer cannot resume a campaign", f"type `sparktui resume {campaign}`")
            if app.doing.resume(campaign):
                app.post_message(CampaignStarted(campaign))
            else:
                app.call_from_thread(self.notify, f"nothing of campaign {campaign} is left to measure")
        except SparktuiError as error:
            app.post_message(WorkFailed(error))

    @work(thread=True, group="delete")
    def _find_loss(self, campaigns: tuple[int, ...]) -> None:
        app = self._viewer
        try:
            if app.doing is None:
                raise UsageError("this viewer cannot delete campaigns", "type `sparktui delete ID`")
            self.post_message(LossKnown(campaigns, app.doing.lost(campaigns)))
        except SparktuiError as error:
            app.post_message(WorkFailed(error))

    @work(thread=True, group="delete")
    def _delete(self, campaigns: tuple[int, ...]) -> None:
        app = self._viewer
        try:
            if app.doing is not None:
                app.doing.delete(campaigns)
                self.post_message(Deleted(campaigns))
        except SparktuiError as error:
            app.post_message(WorkFailed(error))
