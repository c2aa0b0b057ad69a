"""The app: screens, keys, palette and theme. It shows what the store says and asks the runner; it decides nothing."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.worker import get_current_worker

from sparktui.errors import BusyError, SparktuiError, UsageError
from sparktui.measure.calculator_names import DEFAULT
from sparktui.ui import themes
from sparktui.ui.asked import NOTHING_ASKED, Asked
from sparktui.ui.dialogs import ConfirmDialog, ErrorDialog, ExplainDialog
from sparktui.ui.doing import Doing
from sparktui.ui.feed import Feed
from sparktui.ui.keys import KEYS, KeysInWords
from sparktui.ui.messages import (
    BaselineChosen,
    CalculatorChosen,
    CampaignStarted,
    SnapshotTaken,
    ViewAsked,
    WorkFailed,
)
from sparktui.ui.naming import file_stem
from sparktui.ui.palette import Names
from sparktui.ui.places import MODES, Asking, NodeLooking, Place, ShowingOthers, Tabular
from sparktui.ui.snapshot import EMPTY, Snapshot
from sparktui.ui.starting import start_question
from sparktui.ui.table_shown import csv_chunks
from sparktui.ui.terminal import run_to_its_end
from sparktui.ui.theme_choice import ThemeChoice, suiting_theme
from sparktui.ui.toasting import ToastingApp
from sparktui.ui.whose import Whose
from sparktui.ui.writing import ENDINGS, campaign_chunks, full_exports, write

if TYPE_CHECKING:
    from sparktui.exporting.names import Format
    from sparktui.profile.model import Profile

Start = Callable[[str, tuple[str, ...] | None], int]
"""Starts a detached runner for a profile, by name, and only some of its topologies (None for all), and returns its
campaign's number; raises SparktuiError."""


WIDTHS = [(0, "-narrow"), (100, "-wide"), (160, "-ultra")]
HEIGHTS = [(0, "-short"), (32, "-tall"), (52, "-high")]
"""From how many columns and rows on a screen has which class."""


class SparktuiApp(ToastingApp[str]):
    """A viewer of one store: it may be closed, lost or opened twice without any effect on a campaign.

    Args:
        store_path: The store's file; it need not exist yet.
        campaign: The campaign to open; None begins at Launch.
        hz: How often the store is looked at.
        start: What Launch starts a race with; None where this viewer may not start any.
        doing: What History resumes and deletes with; None where this viewer may do neither.
        clock: The wall clock, seconds since the epoch.
        folder: Where exports go; the working folder where left out.
    """

    TITLE = "sparktui"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    MODES: ClassVar[dict[str, str | Callable[[], Screen[Any]]]] = {**MODES}
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = ToastingApp.COMMANDS | {Names}
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(
        self,
        store_path: Path,
        campaign: int | None,
        hz: float = 4.0,
        start: Start | None = None,
        *,
        doing: Doing | None = None,
        clock: Callable[[], float] = time.time,
        folder: Path | None = None,
    ) -> None:
        self.snapshot = EMPTY
        self.DEFAULT_MODE = "launch" if campaign is None else "live"  # type: ignore[misc]  # read once, by what follows
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.suiting_theme = themes.DARK_NAME
        self.store_path = store_path
        self.clock = clock
        self._campaign = campaign
        self.compared: tuple[str, ...] = ()
        """What Compare shows side by side, as `sparktui compare` takes it; nothing for the open campaign alone."""
        self.baseline: str | None = None
        """The topology that margins are against; None for the runner-up."""
        self._calculator = DEFAULT
        self._asked = NOTHING_ASKED
        self._acknowledged: set[tuple[str, float]] = set()
        self._hz = hz
        self._starter = start
        self.doing = doing
        self._folder = folder
        self._due = threading.Event()
        self._gone = threading.Event()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give themes that are not ours our colours, so that every theme can be chosen."""
        return themes.variables(self.current_theme)

    def on_load(self) -> None:
        ThemeChoice(self, self.store_path.parent, self.suiting_theme)

    def on_mount(self) -> None:
        self.animation_level = "none"
        self._read_store()
        self.set_interval(1 / self._hz, self.look)

    def on_ready(self) -> None:
        self.look()

    def on_unmount(self) -> None:
        self._gone.set()
        self._due.set()

    def look(self) -> None:
        """Ask for a new snapshot; where one is already being taken, nothing piles up."""
        self._asked = self._wanted()
        self._due.set()

    def _wanted(self) -> Asked:
        place = self._place()
        return Asked(self.baseline, self._calculator, view=place.request() if isinstance(place, Asking) else None)

    async def open_campaign(self, campaign: int, mode: str = "live") -> None:
        """Show another campaign, on every screen: what was compared before, and against what, was asked of others."""
        if campaign != self._campaign:
            self._campaign, self.snapshot = campaign, EMPTY
        self.compare_with(())
        await self.action_go(mode)

    def compare_with(self, selections: tuple[str, ...]) -> None:
        """Have Compare show these, as `sparktui compare` takes them; none for the open campaign alone."""
        self.compared, self.baseline = selections, None
        self.look()

    async def look_at_node(self, node: str) -> None:
        """Show a node's memory over time."""
        await self.action_go("nodes")
        if isinstance(self.screen, NodeLooking):
            self.screen.look_at(node)

    async def compare_campaigns(self, selections: tuple[str, ...]) -> None:
        """Show campaigns side by side, as `sparktui compare` takes them."""
        self.compare_with(selections)
        await self._go("compare")

    def forget(self, campaigns: tuple[int, ...]) -> None:
        """Open none of these any more: they were deleted."""
        if self._campaign in campaigns:
            self._campaign = None
        if {str(campaign) for campaign in campaigns} & set(self.compared):
            self.compared = ()
        self.look()

    @work(thread=True, group="feed", exclusive=True)
    def _read_store(self) -> None:
        """Take snapshots until the app closes: a slow disk lowers the frame rate and blocks nothing."""
        worker, failed = get_current_worker(), False
        with Feed(self.store_path, self.clock) as feed:
            while not (self._gone.is_set() or worker.is_cancelled):
                if not self._due.wait(timeout=1.0):
                    continue
                self._due.clear()
                try:
                    self.post_message(SnapshotTaken(feed.take(self._campaign, self._asked)))
                    failed = False
                except SparktuiError as error:
                    if not failed:
                        self.post_message(WorkFailed(error))
                    failed = True

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        seen = message.snapshot.campaign
        if self._campaign != (None if seen is None else seen.id):
            return  # another was opened while it was taken
        if message.snapshot.race is not None:
            self._follow(message.snapshot.race)
        possible = self._possible()
        self.snapshot = self._unseen(message.snapshot)
        self._draw()
        if self._possible() != possible:
            self.refresh_bindings()

    def _follow(self, race: int) -> None:
        """Open a race that was started elsewhere, where none is open; the screen in front stays."""
        self._campaign = race
        self.notify(f"campaign {race} is running: 2 shows it", markup=False)
        self.look()

    async def on_campaign_started(self, message: CampaignStarted) -> None:
        self.notify(f"campaign {message.campaign} is under way in a process of its own", markup=False)
        await self.open_campaign(message.campaign)

    def on_view_asked(self, message: ViewAsked) -> None:
        self.look()

    def on_baseline_chosen(self, message: BaselineChosen) -> None:
        self.baseline = message.topology
        self.look()

    def on_calculator_chosen(self, message: CalculatorChosen) -> None:
        self._calculator = message.name
        self.look()

    def on_work_failed(self, message: WorkFailed) -> None:
        self.clear_notifications()  # what a toast says is beginning has not begun
        if isinstance(message.error, BusyError):
            self._offer_running(message.error)
        else:
            self.push_screen(ErrorDialog(message.error))

    @work(group="dialog")
    async def _offer_running(self, error: BusyError) -> None:
        """Say that one race at a time runs, and lead to it."""
        dialog = ConfirmDialog("One race at a time", f"{error.message}.", "Show it", dangerous=False)
        if await self.push_screen_wait(dialog):
            await self.open_campaign(error.campaign)

    def _unseen(self, snapshot: Snapshot) -> Snapshot:
        """Leave out what the guard did that this viewer knows of."""
        stops = tuple(stop for stop in snapshot.guard_stops if (stop.node, stop.t) not in self._acknowledged)
        return snapshot if stops == snapshot.guard_stops else replace(snapshot, guard_stops=stops)

    def action_acknowledge(self) -> None:
        """Take note of what the guard has done: its banner goes, in this viewer."""
        self._acknowledged |= {(stop.node, stop.t) for stop in self.snapshot.guard_stops}
        self.snapshot = self._unseen(self.snapshot)
        self._draw()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer nothing that there is nothing to do it to."""
        campaign = self.snapshot.campaign
        if action == "acknowledge":
            return bool(self.snapshot.guard_stops)
        if action == "stop":
            return campaign is not None and campaign.running
        return action != "export" or isinstance(self._place(), Tabular)

    def _possible(self) -> tuple[bool | None, ...]:
        return tuple(self.check_action(action, ()) for action in ("stop", "export", "acknowledge"))

    def _draw(self) -> None:
        """Draw on the screen in front, or on the one under a dialog; hidden screens cost nothing."""
        place = self._place()
        if place is not None:
            with self.batch_update():
                place.show(self.snapshot)

    def _place(self) -> Place | None:
        """Return the screen of the current mode, also while a dialog stands in front of it."""
        stack = self.screen_stack
        return stack[0] if stack and isinstance(stack[0], Place) else None

    async def action_go(self, mode: str) -> None:
        """Switch to a screen by its key, which leads from another to the open campaign, to Compare of it too."""
        if mode == "compare" and self.current_mode != mode and self.compared and self._campaign is not None:
            self.compare_with(())
        await self._go(mode)

    async def _go(self, mode: str) -> None:
        """Switch to a screen and draw on it what is known."""
        await self.switch_mode(mode)
        self._draw()
        self.look()

    def action_explain(self) -> None:
        """Explain every figure on this screen."""
        place = self._place()
        if place is not None:
            title = f"{self.current_mode}, explained".capitalize()
            self.push_screen(ExplainDialog(title, place.EXPLAIN, KeysInWords.of(self), self.snapshot))

    def action_theme(self) -> None:
        """Change between dark, light and the terminal's own colours."""
        self.theme = themes.next_theme(self.theme)

    def action_picture(self) -> None:
        """Write the screen as SVG."""
        picture = self.export_screenshot().encode()
        write(self, self._file("svg"), lambda: [picture])

    def action_export(self) -> None:
        """Write what the screen shows as CSV."""
        place = self._place()
        table = place.rows_shown() if isinstance(place, Tabular) else None
        if table is None:
            self.notify("there is nothing to write on this screen yet", markup=False)
            return
        shown = partial(csv_chunks, table, str(self.current_mode), self._whose(), self.clock())
        write(self, self._file("csv"), shown)

    def export_campaign(self, form: Format, topology: str | None) -> None:
        """Write the whole campaign, or one topology of it, in a format."""
        campaign = self.snapshot.campaign
        if campaign is not None:
            what = "-".join(filter(None, ("campaign", topology)))
            path = self._path((Whose.of(campaign),), what, ENDINGS[form])
            write(self, path, partial(campaign_chunks, self.store_path, campaign.id, form, topology))

    @property
    def export_folder(self) -> Path:
        """Where files are written to."""
        return self._folder or Path.cwd()

    def _whose(self) -> tuple[Whose, ...]:
        """Return the campaigns whose figures the screen shows."""
        place, campaign = self._place(), self.snapshot.campaign
        others = place.whose() if isinstance(place, ShowingOthers) else None
        return others if others is not None else () if campaign is None else (Whose.of(campaign),)

    def _file(self, suffix: str) -> Path:
        return self._path(self._whose(), str(self.current_mode), suffix)

    def _path(self, whose: tuple[Whose, ...], what: str, suffix: str) -> Path:
        return self.export_folder / f"{file_stem(whose, what, self.clock())}.{suffix}"

    def action_stop(self) -> None:
        """Ask, then ask the runner to stop the campaign."""
        campaign = self.snapshot.campaign
        if campaign is None or not campaign.running:
            return
        if campaign.interrupted:
            self.notify(f"no runner is there to be asked: sparktui stop {campaign.id} ends what is left", markup=False)
            return
        dialog = ConfirmDialog(
            f"Stop campaign {campaign.id}, {campaign.name}?",
            "The wave in flight is thrown away and what was launched is stopped. What has been measured is kept.",
            "Stop it",
        )

        def answered(yes: bool | None) -> None:
            if yes:
                self._request_stop(campaign.id)

        self.push_screen(dialog, answered)

    @work(thread=True, group="control")
    def _request_stop(self, campaign: int) -> None:
        from sparktui.runner.asking import ask_to_stop

        try:
            ask_to_stop(self.store_path, campaign)
        except SparktuiError as error:
            self.post_message(WorkFailed(error))

    @work(group="dialog")
    async def ask_to_skip(self, campaign: int, topology: str) -> None:
        """Ask, then ask the runner to go on with the next topology."""
        dialog = ConfirmDialog(
            f"End {topology}, and go on with the next topology?",
            "The wave in flight is thrown away and what was launched is stopped. What has been measured is kept; "
            "no resume measures the rest.",
            "End it",
        )
        if await self.push_screen_wait(dialog):
            self._request_skip(campaign, topology)

    @work(thread=True, group="control")
    def _request_skip(self, campaign: int, topology: str) -> None:
        from sparktui.store.control import request_control

        try:
            request_control(self.store_path, campaign, "end-topology", topology)
        except SparktuiError as error:
            self.post_message(WorkFailed(error))

    @work(group="dialog")
    async def ask_to_start(
        self,
        name: str,
        profile: Profile,
        only: tuple[str, ...] | None = None,
        expected_s: float | None = None,
        trouble: Sequence[str] = (),
    ) -> None:
        """Start a rehearsal at once, and anything that happens to real nodes after a yes."""
        question = start_question(name, profile, only, expected_s, trouble)
        if profile.simulated or await self.push_screen_wait(question):
            self.start_race(name, only)

    def start_race(self, profile: str, only: tuple[str, ...] | None = None) -> None:
        """Start a detached runner for a profile, or only for some of its topologies, and go to Live."""
        self.notify(f"starting {profile}", markup=False)
        self._start_race(profile, only)

    @work(thread=True, group="start")
    def _start_race(self, profile: str, only: tuple[str, ...] | None) -> None:
        try:
            if self._starter is None:
                raise UsageError("this viewer cannot start a race", f"type `sparktui run {profile}`")
            self.post_message(CampaignStarted(self._starter(profile, only)))
        except SparktuiError as error:
            self.post_message(WorkFailed(error))

    async def action_quit(self) -> None:
        """Close the viewer and say whether anything goes on without it."""
        self.exit(farewell(self.snapshot))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key's action in the palette too."""
        for shown in screen.active_bindings.values():
            binding = shown.binding
            if binding.id is not None and shown.enabled:
                action = partial(self.run_action, binding.action, shown.node)
                title, key = f"{binding.description}: {binding.tooltip}", self.get_key_display(binding)
                yield SystemCommand(title, f"Key {key}", action)
        if self.snapshot.campaign is not None:
            called = Whose.of(self.snapshot.campaign).called
            for form, topology in full_exports(self.snapshot.topologies):
                title = f"Export everything: {form}" + (f" of {topology}" if topology else "")
                written = partial(self.export_campaign, form, topology)
                yield SystemCommand(title, f"All of {called}, as `sparktui export` writes it", written)
        campaign, current = self.snapshot.campaign, self.snapshot.current
        if campaign is not None and campaign.running and not campaign.interrupted and current is not None:
            skip = partial(self.ask_to_skip, campaign.id, current.name)
            yield SystemCommand(f"Skip: end {current.name}", "The race goes on with the next topology", skip)
        yield SystemCommand("Themes: choose any", "Beside sparktui's own three", self.action_change_theme)


def farewell(snapshot: Snapshot) -> str:
    """Say what goes on after the viewer has closed and how to come back; empty where nothing does."""
    campaign = snapshot.campaign
    if campaign is None or not campaign.running:
        return ""
    if campaign.interrupted:
        return f"Campaign {campaign.id} ({campaign.name}) has no runner: sparktui stop {campaign.id} ends what is left"
    return f"Campaign {campaign.id} ({campaign.name}) goes on. Come back with: sparktui attach {campaign.id}"


def run_app(
    store_path: Path,
    campaign: int | None = None,
    *,
    hz: float = 4.0,
    start: Start | None = None,
    doing: Doing | None = None,
) -> str:
    """Run the app until it is closed and return its farewell, which may be empty.

    Raises:
        ScreenError: It broke off.
    """
    app = SparktuiApp(store_path, campaign, hz, start, doing=doing)
    app.suiting_theme = suiting_theme(app)
    gc.freeze()  # what was imported stays: a full collection would look at all of it, and be felt at the next key
    return run_to_its_end(app, "a race that runs goes on; `sparktui attach --plain` shows it as lines") or ""
