"""Takes out of a campaign that is over what no figure is read from any more, packs the rest, and frees the space."""

# ruff: noqa: S608 - what is put into the statements are constants

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from sparktui.store.condensed import EVENT_BYTES, TOKEN_BYTES, condense
from sparktui.store.connection import open_writable, transaction
from sparktui.store.failures import store_errors

PATIENCE_S = 30.0

_CELLS = "SELECT cell.id FROM cell JOIN sweep ON sweep.id = cell.sweep WHERE sweep.campaign = ?"
_PICTURES = f"""DELETE FROM live WHERE cell IN ({_CELLS})
    AND id < (SELECT max(id) FROM live AS newer WHERE newer.cell = live.cell)"""
_ENGINES = """DELETE FROM server_sample WHERE sweep IN (SELECT id FROM sweep WHERE campaign = ?)
    AND id < (SELECT max(id) FROM server_sample AS newer
        WHERE newer.sweep = server_sample.sweep AND newer.backend = server_sample.backend)"""
_EVENTS = f"""UPDATE request SET events = condense(events, {EVENT_BYTES}),
    event_tokens = condense(event_tokens, {TOKEN_BYTES})
    WHERE wave IN (SELECT wave.id FROM wave WHERE cell IN ({_CELLS}))
    AND (length(events) % {EVENT_BYTES} = 0 OR length(event_tokens) % {TOKEN_BYTES} = 0)"""
_SAMPLES = "DELETE FROM node_sample WHERE id = ?"


def compact_campaign(path: Path, campaign: int, samples: Iterable[int]) -> None:
    """Keep the newest picture of each cell and the newest word of each engine, pack token events, drop some samples.

    Args:
        path: The store.
        campaign: Which; nobody may be working on it.
        samples: The ids of the node samples to drop.

    Raises:
        StoreError: The store could not be written; nothing is changed then.
    """
    with closing(open_writable(path, PATIENCE_S)) as db, store_errors(path):
        db.create_function("condense", 2, condense, deterministic=True)
        with transaction(db, "FULL"):
            for statement in (_PICTURES, _ENGINES, _EVENTS):
                db.execute(statement, (campaign,))
            db.executemany(_SAMPLES, ((number,) for number in samples))


def free_space(path: Path) -> None:
    """Give what is not used any more back to the disk.

    Raises:
        StoreError: The store could not be written: to be made smaller it takes its own size again for a while.
    """
    with closing(open_writable(path, PATIENCE_S)) as db, store_errors(path):
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def size_bytes(path: Path) -> int:
    """Return how large the store is, what waits to be written into its file included."""
    with closing(open_writable(path, PATIENCE_S)) as db, store_errors(path):
        pages, page = (_number(db, f"PRAGMA {name}") for name in ("page_count", "page_size"))
        return pages * page


def _number(db: sqlite3.Connection, query: str) -> int:
    return int(db.execute(query).fetchone()[0])
