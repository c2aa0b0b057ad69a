"""The app: screens, keys, palette and theme. It shows what the store says and asks the runner; it decides nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen
from textual.worker import get_current_worker

from sparktui.errors import SparktuiError, UsageError
from sparktui.exporting.files import export
from sparktui.store.atomic import write_atomically
from sparktui.store.control import request_control
from sparktui.store.reader import Reader
from sparktui.ui import themes
from sparktui.ui.dialogs import ConfirmDialog, ErrorDialog, ExplainDialog
from sparktui.ui.feed import Feed
from sparktui.ui.keys import KEYS
from sparktui.ui.messages import BaselineChosen, CampaignStarted, FileWritten, SnapshotTaken, WorkFailed
from sparktui.ui.naming import file_stem
from sparktui.ui.places import MODES, Place
from sparktui.ui.snapshot import EMPTY, Snapshot

Start = Callable[[str], int]
"""Starts a detached runner for a profile, by name, and returns its campaign's number; raises SparktuiError."""


WIDTHS = [(0, "-narrow"), (100, "-wide"), (160, "-ultra")]
HEIGHTS = [(0, "-short"), (32, "-tall"), (52, "-high")]
"""From how many columns and rows on a screen has which class."""


class SparktuiApp(App[str]):
    """A viewer of one store: it may be closed, lost or opened twice without any effect on a campaign.

    Args:
        store_path: The store's file; it need not exist yet.
        campaign: The campaign to open; None begins at Launch.
        hz: How often the store is looked at.
        start: What Launch starts a race with; None where this viewer may not start any.
        clock: The wall clock, seconds since the epoch.
        folder: Where exports go; the working folder where left out.
    """

    TITLE = "sparktui"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    MODES = MODES
    DEFAULT_MODE = "live"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = KEYS

    def __init__(
        self,
        store_path: Path,
        campaign: int | None,
        hz: float = 4.0,
        start: Start | None = None,
        *,
        clock: Callable[[], float] = time.time,
        folder: Path | None = None,
    ) -> None:
        self.snapshot = EMPTY
        super().__init__()
        self.store_path = store_path
        self.clock = clock
        self._campaign = campaign
        self._baseline: str | None = None
        self._hz = hz
        self._starter = start
        self._folder = folder
        self._due = threading.Event()
        self._gone = threading.Event()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give themes that are not ours our colours, so that every theme can be chosen."""
        ours = themes.DARK if self.current_theme.dark else themes.LIGHT
        return ours.variables

    def on_mount(self) -> None:
        self.register_theme(themes.DARK)
        self.register_theme(themes.LIGHT)
        self.theme = themes.DARK_NAME
        self.animation_level = "none"
        self._read_store()
        self.set_interval(1 / self._hz, self.look)
        if self._campaign is None:
            self.switch_mode("launch")

    def on_ready(self) -> None:
        self.look()

    def on_unmount(self) -> None:
        self._gone.set()
        self._due.set()

    def look(self) -> None:
        """Ask for a new snapshot; where one is already being taken, nothing piles up."""
        self._due.set()

    async def open_campaign(self, campaign: int) -> None:
        """Show another campaign."""
        self._campaign = campaign
        self.look()
        await self.action_go("live")

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
                    self.post_message(SnapshotTaken(feed.take(self._campaign, self._baseline)))
                    failed = False
                except SparktuiError as error:
                    if not failed:
                        self.post_message(WorkFailed(error))
                    failed = True

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        possible = self._possible()
        self.snapshot = message.snapshot
        self._draw()
        if self._possible() != possible:
            self.refresh_bindings()

    async def on_campaign_started(self, message: CampaignStarted) -> None:
        self.notify(f"campaign {message.campaign} is under way in a process of its own", markup=False)
        await self.open_campaign(message.campaign)

    def on_baseline_chosen(self, message: BaselineChosen) -> None:
        self._baseline = message.topology
        self.look()

    def on_work_failed(self, message: WorkFailed) -> None:
        self.push_screen(ErrorDialog(message.error))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out what there is nothing to do it to."""
        campaign = self.snapshot.campaign
        if action == "stop":
            return True if campaign is not None and campaign.running else None
        return None if action == "export" and campaign is None else True

    def _possible(self) -> tuple[bool | None, ...]:
        return tuple(self.check_action(action, ()) for action in ("stop", "export"))

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
        """Switch to a screen and draw on it what is known."""
        await self.switch_mode(mode)
        self._draw()

    def action_explain(self) -> None:
        """Explain every figure on this screen."""
        place = self._place()
        if place is not None:
            keys = [
                (self.get_key_display(shown.binding), shown.binding.tooltip or shown.binding.description)
                for shown in self.screen.active_bindings.values()
                if shown.binding.description
            ]
            self.push_screen(ExplainDialog(f"{self.current_mode}, explained".capitalize(), place.EXPLAIN, keys))

    def action_theme(self) -> None:
        """Change between dark and light."""
        self.theme = themes.LIGHT_NAME if self.current_theme.dark else themes.DARK_NAME

    def action_picture(self) -> None:
        """Write the screen as SVG."""
        path = self._file("svg")
        try:
            write_atomically(path, [self.export_screenshot().encode()])
        except SparktuiError as error:
            self.post_message(WorkFailed(error))
            return
        self.post_message(FileWritten(path))

    def action_export(self) -> None:
        """Write the campaign's figures as CSV."""
        if self.snapshot.campaign is not None:
            self._export(self.snapshot.campaign.id, self._file("csv"))

    @work(thread=True, group="export")
    def _export(self, campaign: int, path: Path) -> None:
        try:
            with Reader(self.store_path) as reader:
                export(reader, campaign, "csv", path)
            self.post_message(FileWritten(path))
        except SparktuiError as error:
            self.post_message(WorkFailed(error))

    def on_file_written(self, message: FileWritten) -> None:
        self.notify(str(message.path), title="written", markup=False, timeout=8)

    def _file(self, suffix: str) -> Path:
        stem = file_stem(self.snapshot.campaign, str(self.current_mode), self.clock())
        return (self._folder or Path.cwd()) / f"{stem}.{suffix}"

    def action_stop(self) -> None:
        """Ask, then ask the runner to stop the campaign."""
        campaign = self.snapshot.campaign
        if campaign is None or not campaign.running:
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
        try:
            request_control(self.store_path, campaign, "stop")
        except SparktuiError as error:
            self.post_message(WorkFailed(error))

    def start_race(self, profile: str) -> None:
        """Start a detached runner for a profile and go to Live."""
        self.notify(f"starting {profile}", markup=False)
        self._start_race(profile)

    @work(thread=True, group="start")
    def _start_race(self, profile: str) -> None:
        try:
            if self._starter is None:
                raise UsageError("this viewer cannot start a race", f"type `sparktui run {profile}`")
            self.post_message(CampaignStarted(self._starter(profile)))
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
        yield SystemCommand("Themes: choose any", "Beside sparktui's own dark and light", self.action_change_theme)


def farewell(snapshot: Snapshot) -> str:
    """Say what goes on after the viewer has closed and how to come back; empty where nothing does."""
    campaign = snapshot.campaign
    if campaign is None or not campaign.running:
        return ""
    return f"Campaign {campaign.id} ({campaign.name}) goes on. Come back with: sparktui attach {campaign.id}"


def run_app(
    store_path: Path,
    campaign: int | None = None,
    *,
    hz: float = 4.0,
    start: Start | None = None,
) -> str:
    """Run the app until it is closed and return its farewell, which may be empty.

    Raises:
        SparktuiError: It could not run.
    """
    app = SparktuiApp(store_path, campaign, hz, start)
    return app.run() or ""
