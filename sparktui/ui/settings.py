"""What a viewer chose and finds again the next time: one small file in the data folder, its owner's alone."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sparktui.paths import ensure_private
from sparktui.store.atomic import write_atomically
from sparktui.unreadable import UNREADABLE

NAME = "settings.json"


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Keys of a newer version are passed over."""

    theme: str | None = None
    """By name; None for the one that suits the terminal."""


def read_settings(folder: Path) -> Settings:
    """Return what was chosen; the defaults where nothing was, or where the file is not one of ours."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Settings)
    except (OSError, *UNREADABLE):
        return Settings()


def write_settings(folder: Path, settings: Settings) -> None:
    """Keep what was chosen, whole or not at all.

    Raises:
        StoreError: There can be no such folder.
        UsageError: The file cannot be written.
    """
    write_atomically(ensure_private(folder) / NAME, [msgspec.json.encode(settings)])
