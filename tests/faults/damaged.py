"""A small store, and what a hand, a bad disk or another program may have put into its columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.ui.fixture_store import Race, build

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b5n\u202e[bold red]red[/bold red][@click=app.quit]x[/]"
"""What would rename a terminal's window, clear it, ask it something, turn the writing round, and be markup."""
ODD: dict[str, tuple[object, ...]] = {
    "TEXT": ("", "\0", ESCAPES, "null", "[]", '{"a": 1}', '{"a": [{}]}', "9" * 400, "x" * 100_000, "1e999", "\n\n"),
    "INTEGER": (-1, 0, 2, 2**31, 2**63 - 1, -(2**63)),
    "REAL": (-1.0, 0.0, 1e-300, 1e300, float("inf"), float("-inf"), 4e18),
    "BLOB": (b"", b"\0", b"\xff" * 3, b"\xff" * 16, b"\0" * 4_000),
}
KEPT = frozenset({"id", "campaign", "sweep", "cell", "wave"})
"""What ties rows together: a row that belongs to nobody is never read."""


@cache
def _content() -> bytes:
    with TemporaryDirectory() as folder:
        store = Path(folder) / "sparktui.db"
        build(store, Race())
        with closing(sqlite3.connect(store)) as db, db:
            db.execute("PRAGMA foreign_keys=ON")
            db.execute("DELETE FROM cell WHERE concurrency NOT IN (1, 2, 16)")
            db.execute("DELETE FROM live WHERE id % 20 > 0")
            db.execute("DELETE FROM node_sample WHERE id % 6 > 0")
            sweep = "SELECT min(id) FROM sweep"
            db.execute(f"INSERT INTO sweep_node VALUES (({sweep}), 'gf2', NULL, 9, 8, 7)")
            db.execute("INSERT INTO control (t, campaign, command) VALUES (1, 1, 'skip-cell')")
            db.execute(
                "INSERT INTO launched (campaign, sweep, t, node, title, undo)"
                f" VALUES (1, ({sweep}), 1, 'gf2', 'engine on gf2', '[]')"
            )
            db.execute("INSERT INTO known_figure SELECT id, 'decode_tps', 3, 1, 2, 'wave', '[2, 4]' FROM cell LIMIT 2")
        return store.read_bytes()


def fresh(store: Path) -> Path:
    """Write the store as it should be."""
    for beside in ("-wal", "-shm"):
        Path(f"{store}{beside}").unlink(missing_ok=True)
    store.write_bytes(_content())
    return store


def columns(store: Path) -> Iterator[tuple[str, str, str]]:
    """Yield every table, column and type that holds something to read."""
    with closing(sqlite3.connect(store)) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").fetchall():
            for _, column, kind, *_ in db.execute(f"PRAGMA table_info({table})").fetchall():
                if column not in KEPT:
                    yield table, column, kind


def damage(store: Path, table: str, column: str, values: tuple[object, ...]) -> None:
    """Put values into a column, one after another, row by row; what must be unique is left where it is twice."""
    with closing(sqlite3.connect(store)) as db, db:
        rows = [row for (row,) in db.execute(f"SELECT rowid FROM {table} ORDER BY rowid").fetchall()]
        for number, row in enumerate(rows):
            value = values[number % len(values)]
            db.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = ?", (value, row))


def loosen(store: Path, table: str) -> None:
    """Let a table take values of any type, as one made by another program would."""
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = ?", (table,))
