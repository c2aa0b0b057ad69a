"""The screen of `sparktui watch`: engines that somebody else drives, side by side, and their nodes' memory."""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from pathlib import Path, PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.theme import Theme

from sparktui.paths import data_dir
from sparktui.serving.api import new_client
from sparktui.ui import themes
from sparktui.ui.dialogs import ErrorDialog, ExplainDialog
from sparktui.ui.explain_watch import WATCH
from sparktui.ui.keys import KeysInWords
from sparktui.ui.messages import WorkFailed
from sparktui.ui.naming import file_stem
from sparktui.ui.table_shown import csv_chunks
from sparktui.ui.terminal import run_to_its_end
from sparktui.ui.theme_choice import ThemeChoice, suiting_theme
from sparktui.ui.toasting import ToastingApp
from sparktui.ui.watch_rows import watch_rows
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.watched import AllEngines, WatchedEngine, WatchedNodes, WatchHead, WatchPanel
from sparktui.ui.writing import write
from sparktui.watching.watcher import Watcher

HERE = Path(__file__)
STYLES: list[str | PurePath] = [HERE.with_name("app.tcss"), HERE.with_name("watch.tcss")]
WIDTHS = [(0, "-narrow"), (110, "-wide"), (170, "-ultra")]


class WatchApp(ToastingApp[None]):
    """Looks on: nothing it does reaches an engine but the question for its /metrics page.

    Args:
        watcher: What follows the engines and nodes.
        hz: How often the screen is drawn.
        folder: Where files go; the working folder where left out.
        look_hz: How often engines are asked; as often as the screen is drawn where left out.
    """

    TITLE = "sparktui watch"
    CSS_PATH = STYLES
    HORIZONTAL_BREAKPOINTS = WIDTHS
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "explain", "Help", id="explain", tooltip="Every figure on this screen in words"),
        Binding("e", "export", "CSV", id="export", tooltip="Write what this screen shows as CSV"),
        Binding("s", "picture", "SVG", id="picture", tooltip="Write this screen as SVG"),
        Binding("t", "theme", "Theme", id="theme", tooltip="Dark, light, or the terminal's own colours"),
        Binding("q", "quit", "Quit", id="quit", tooltip="Stop watching; the engines go on"),
    ]

    def __init__(
        self, watcher: Watcher, hz: float, *, folder: Path | None = None, look_hz: float | None = None
    ) -> None:
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._watcher = watcher
        self._hz = hz
        self._look_hz = look_hz or hz
        self._folder = folder or Path.cwd()
        self._following: asyncio.Task[None] | None = None
        self.suiting_theme = themes.DARK_NAME

    def compose(self) -> ComposeResult:
        picture = self._watcher.picture()
        yield WatchHead()
        with VerticalScroll(id="watched"):
            if len(picture.engines) > 1:
                yield AllEngines()
            with Grid(id="engines"):
                yield from (WatchedEngine(index) for index in range(len(picture.engines)))
            if picture.nodes:
                yield WatchedNodes()
        yield Keybar()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give themes that are not ours our colours."""
        return themes.variables(self.current_theme)

    def on_mount(self) -> None:
        ThemeChoice(self, data_dir(), self.suiting_theme)
        self.theme_changed_signal.subscribe(self, self._redraw)
        self.animation_level = "none"
        self.query_one(Grid).set_class(len(self.query(WatchedEngine)) == 1, "-one")
        self._following = asyncio.create_task(self._follow())
        self.set_interval(1 / self._hz, self.look)

    def look(self) -> None:
        """Draw what is known now."""
        picture = self._watcher.picture()
        with self.batch_update():
            for panel in self.query(WatchPanel):
                panel.show(picture)

    def _redraw(self, _: Theme) -> None:
        self.look()

    async def _follow(self) -> None:
        async with new_client() as client:
            await self._watcher.run(client, self._look_hz)

    def action_explain(self) -> None:
        """Explain every figure on this screen."""
        self.push_screen(ExplainDialog("Watch, explained", WATCH, KeysInWords.of(self)))

    def action_theme(self) -> None:
        """Change between dark, light and the terminal's own colours."""
        self.theme = themes.next_theme(self.theme)

    def action_picture(self) -> None:
        """Write the screen as SVG."""
        picture = self.export_screenshot().encode()
        write(self, self._file("svg"), lambda: [picture])

    def action_export(self) -> None:
        """Write what the screen shows as CSV."""
        picture = self._watcher.picture()
        write(self, self._file("csv"), partial(csv_chunks, watch_rows(picture), "watch", (), picture.taken))

    def _file(self, suffix: str) -> Path:
        return self._folder / f"{file_stem((), 'watch', time.time())}.{suffix}"

    def on_work_failed(self, message: WorkFailed) -> None:
        self.push_screen(ErrorDialog(message.error))

    async def on_unmount(self) -> None:
        """Let go of the nodes: no agent is to be left behind."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)


def run_watch_app(watcher: Watcher, hz: float, look_hz: float) -> None:
    """Show what is watched until the screen is closed, drawn and asked for so many times a second.

    Raises:
        ScreenError: It broke off.
    """
    app = WatchApp(watcher, hz, look_hz=look_hz)
    app.suiting_theme = suiting_theme(app)
    run_to_its_end(app, "what is watched goes on; `sparktui watch --plain` shows it as lines")
