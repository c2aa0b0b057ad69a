"""Which theme a viewer begins with, and that the one chosen is found again the next time."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App
from textual.theme import Theme

from sparktui.errors import SparktuiError
from sparktui.ui.messages import WorkFailed
from sparktui.ui.settings import Settings, read_settings, write_settings
from sparktui.ui.themes import ANSI_NAME, DARK_NAME, THEMES

SIXTEEN_COLOURS = "standard"
"""What Rich calls it."""


def suiting_theme(app: App[Any]) -> str:
    """Return the name of the theme that suits a terminal, going by its environment alone."""
    return ANSI_NAME if app.no_color or app.console.color_system == SIXTEEN_COLOURS else DARK_NAME


class ThemeChoice:
    """Gives an app our themes, and keeps whichever is chosen, by key or palette.

    Args:
        app: Whose themes.
        folder: Where the choice is kept.
        suiting: What to begin with where nothing was chosen before.
    """

    def __init__(self, app: App[Any], folder: Path, suiting: str) -> None:
        self._app = app
        self._folder = folder
        for theme in THEMES:
            app.register_theme(theme)
        chosen = read_settings(folder).theme
        self._kept = chosen if chosen is not None and chosen in app.available_themes else suiting
        app.theme = self._kept
        app.theme_changed_signal.subscribe(app, self._keep)

    def _keep(self, theme: Theme) -> None:
        if theme.name != self._kept:
            self._kept = theme.name
            self._app.run_worker(partial(self._write, Settings(theme.name)), thread=True, group="settings")

    def _write(self, settings: Settings) -> None:
        try:
            write_settings(self._folder, settings)
        except SparktuiError as error:
            self._app.post_message(WorkFailed(error))
