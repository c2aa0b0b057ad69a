"""SQLite's failures as `StoreError`: what happened to which file, and what its owner can do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparktui.errors import StoreError
from sparktui.unreadable import UNREADABLE

_ADVICE = (
    ("SQLITE_NOTADB", "is not a sparktui store", "move it away, or set SPARKTUI_HOME to another folder"),
    ("SQLITE_CORRUPT", "is damaged", "move it away, or try `sqlite3 FILE .recover` on a copy"),
    ("SQLITE_READONLY", "cannot be written", "check its owner and mode, or set SPARKTUI_HOME to another folder"),
    ("SQLITE_PERM", "cannot be opened", "check its owner and mode, or set SPARKTUI_HOME to another folder"),
    ("SQLITE_CANTOPEN", "cannot be opened", "check its owner and mode, or set SPARKTUI_HOME to another folder"),
    ("SQLITE_FULL", "has no space left on its disk", "free some space; what was reported complete is kept"),
    ("SQLITE_IOERR", "cannot be read or written", "check the disk; what was reported complete is kept"),
    ("SQLITE_BUSY", "is locked by another process", "wait, or end what holds it open"),
    ("SQLITE_CONSTRAINT", "refuses a row", "was the campaign deleted, or is a second runner writing it?"),
    ("SQLITE_LOCKED", "is locked by another process", "wait, or end what holds it open"),
)
_OTHERWISE = ("does not hold what sparktui writes", "move it away, or set SPARKTUI_HOME to another folder")


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn whatever a damaged, foreign, full or locked store makes fail inside the block into a `StoreError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except UNREADABLE as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception, campaign: int | None = None) -> StoreError:
    """Say that rows are not what sparktui writes; where they are one campaign's, the others can be kept."""
    if campaign is None:
        return StoreError(f"the store {path} {_OTHERWISE[0]}: {error}", _OTHERWISE[1])
    return StoreError(
        f"the store {path} {_OTHERWISE[0]} in campaign {campaign}: {error}",
        f"`sparktui delete {campaign}` removes that campaign, and no other",
    )


def explained(error: sqlite3.Error, path: Path) -> StoreError:
    """Say in the owner's words what SQLite refused."""
    name = getattr(error, "sqlite_errorname", "")
    for prefix, what, hint in _ADVICE:
        if name.startswith(prefix):
            return StoreError(f"the store {path} {what}: {error}", hint)
    return StoreError(f"the store {path} {_OTHERWISE[0]}: {error}", _OTHERWISE[1])
