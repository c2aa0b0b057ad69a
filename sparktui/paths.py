"""Where sparktui keeps its things: one data folder, `SPARKTUI_HOME` or the platform's own."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

from sparktui.errors import StoreError


def data_dir() -> Path:
    """Return the data folder; it need not exist yet.

    Raises:
        StoreError: There is no home folder to put it in.
    """
    chosen = os.environ.get("SPARKTUI_HOME")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        return platformdirs.user_data_path("sparktui", appauthor=False)
    except RuntimeError as error:
        raise StoreError(f"no home folder to keep campaigns in: {error}", "set SPARKTUI_HOME to a folder") from error


def store_path() -> Path:
    """Return the store's file."""
    return data_dir() / "sparktui.db"


def run_dir(campaign: int) -> Path:
    """Return the folder of a campaign's logs, lock and launch state."""
    return data_dir() / "run" / str(campaign)


def ensure_private(folder: Path) -> Path:
    """Make a folder that only its owner can read, and return it.

    Raises:
        StoreError: It cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {folder}: {error.strerror}", "set SPARKTUI_HOME to a folder you can write to"
        ) from error
    return folder
