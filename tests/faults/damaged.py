"""A small store, and what a hand, a bad disk or another program may have put into its columns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.ui.fixture_store import Race, build

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b5n\u202e[bold red]red[/bold red][@click=app.quit]x[/]"
"""What would rename a terminal's window, clear it, ask it something, turn the writing round, and be markup."""
KEYS = ("brief", "cell", "engine", "kind", "level", "loading_tail", "log_tail", "model", "node", "seconds", "t", "why")
"""What is looked up in objects that the store keeps as JSON."""
LEAVES: tuple[object, ...] = (ESCAPES, -1, 1e300, 10**400, None, [{}], {"a": 1})
OBJECTS = tuple(json.dumps(dict.fromkeys(KEYS, leaf)) for leaf in LEAVES)
ODD: dict[str, tuple[object, ...]] = {
    "TEXT": (
        ESCAPES,
        *OBJECTS,
        "",
        "\0",
        "null",
        "[]",
        "9" * 400,
        "x" * 100_000,
        '{"a":' * 9_999,
        "1e999",
        "\n\n",
        '{"',
    ),
    "INTEGER": (-1, 0, 2, 2**31, 2**63 - 1, -(2**63)),
    "REAL": (-1.0, 0.0, 1e-300, 1e300, float("inf"), float("-inf"), 4e18),
    "BLOB": (b"", b"\0", b"\xff" * 3, b"\xff" * 16, b"\0" * 4_000),
}
TABLES = (
    "campaign",
    "cell",
    "control",
    "event",
    "known_figure",
    "launched",
    "live",
    "node",
    "node_sample",
    "request",
    "server_sample",
    "sweep",
    "sweep_node",
    "wave",
)
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
            db.execute("INSERT INTO control (t, campaign, command) VALUES (1, 1, 'end-topology')")
            db.execute(
                "INSERT INTO launched (campaign, sweep, t, node, title, undo)"
                f" VALUES (1, ({sweep}), 1, 'gf2', 'engine on gf2', '[]')"
            )
            db.execute("INSERT INTO known_figure SELECT id, 'decode_tps', 3, 1, 2, 'wave', '[2, 4]' FROM cell LIMIT 2")
        return store.read_bytes()


def fresh(store: Path) -> Path:
    """Write the store as it should be."""
    for beside in ("", "-wal", "-shm"):
        Path(f"{store}{beside}").unlink(missing_ok=True)
    store.write_bytes(_content())
    return store


def groups(store: Path, table: str) -> Iterator[dict[str, str]]:
    """Yield columns, with their types, to damage at once: each text by itself, what can be counted by its type."""
    kept = _columns(store, table)
    for column in kept:
        if kept[column] in ("TEXT", "BLOB"):
            yield {column: kept[column]}
    for kind in ("INTEGER", "REAL"):
        if found := [column for column in kept if kept[column] == kind]:
            yield dict.fromkeys(found, kind)


def kinds(store: Path, table: str) -> Iterator[dict[str, str]]:
    """Yield the columns of each type."""
    kept = _columns(store, table)
    for kind in sorted(set(kept.values())):
        yield dict.fromkeys([column for column in kept if kept[column] == kind], kind)


def shifts(store: Path, table: str, columns: Mapping[str, str]) -> tuple[int, ...]:
    """Return with which values to begin: where there are fewer rows than values, begin twice."""
    with closing(sqlite3.connect(store)) as db:
        rows = int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    name, kind = next(iter(columns.items()))
    return (0,) if rows >= len(ODD[kind]) else (0, 1 + sum(name.encode()) % (len(ODD[kind]) - 1))


def damage(store: Path, table: str, columns: Mapping[str, str], shift: int = 0) -> None:
    """Put odd values into columns, another one in each row and column; what is there twice, and must not be, stays."""
    with closing(sqlite3.connect(store)) as db, db:
        rows = [row for (row,) in db.execute(f"SELECT rowid FROM {table} ORDER BY rowid").fetchall()]
        for place, (column, kind) in enumerate(columns.items()):
            for number, row in enumerate(rows):
                value = ODD[kind][(number + place + shift) % len(ODD[kind])]
                db.execute(f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = ?", (value, row))


def put(store: Path, table: str, value: object) -> None:
    """Put one value into every column of a table that takes it."""
    with closing(sqlite3.connect(store)) as db, db:
        for column in _columns(store, table):
            db.execute(f"UPDATE OR IGNORE {table} SET {column} = ?", (value,))


def _columns(store: Path, table: str) -> dict[str, str]:
    with closing(sqlite3.connect(store)) as db:
        found = db.execute(f"PRAGMA table_info({table})").fetchall()
    return {column: kind for _, column, kind, *_ in found if column not in KEPT}


def loosen(store: Path, table: str) -> None:
    """Let a table take values of any type, as one made by another program would."""
    with closing(sqlite3.connect(store)) as db, db:
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = ?", (table,))
