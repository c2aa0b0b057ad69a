"""How the store's file is opened: made private, brought to the newest schema, refused where that is not enough."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Literal

from sparktui.errors import StoreError, UsageError
from sparktui.paths import ensure_private, refuse_others
from sparktui.store.failures import store_errors

BUSY_TIMEOUT_S = 5.0
_TO_2 = """
ALTER TABLE campaign ADD COLUMN origin TEXT;
ALTER TABLE sweep ADD COLUMN latency_mode TEXT;
ALTER TABLE sweep ADD COLUMN latency_us REAL;
ALTER TABLE cell ADD COLUMN ended_by TEXT;
ALTER TABLE node_sample ADD COLUMN energy_j REAL;
CREATE TABLE known_figure (
    cell INTEGER NOT NULL REFERENCES cell ON DELETE CASCADE, name TEXT NOT NULL, mean REAL NOT NULL, std REAL,
    n INTEGER, per TEXT NOT NULL, values_json TEXT NOT NULL, PRIMARY KEY (cell, name)
) STRICT;
CREATE TABLE request_2 (
    id INTEGER PRIMARY KEY, wave INTEGER NOT NULL REFERENCES wave ON DELETE CASCADE, slot INTEGER NOT NULL,
    seq INTEGER NOT NULL, backend TEXT, sent_us INTEGER NOT NULL, ttfr_us INTEGER, ttft_us INTEGER, last_us INTEGER,
    ended_us INTEGER, first_tokens INTEGER, prompt_tokens INTEGER, cached_tokens INTEGER, completion_tokens INTEGER,
    token_source TEXT NOT NULL, finish TEXT, error TEXT, events BLOB NOT NULL, event_tokens BLOB NOT NULL,
    UNIQUE (wave, slot, seq)
) STRICT;
INSERT INTO request_2 SELECT id, wave, slot, 0, backend, sent_us, ttfr_us, ttft_us, last_us, ended_us, first_tokens,
    prompt_tokens, cached_tokens, completion_tokens, token_source, finish, error, events, event_tokens FROM request;
DROP TABLE request;
ALTER TABLE request_2 RENAME TO request;
"""
_TO_3 = """
ALTER TABLE cell ADD COLUMN health TEXT;
ALTER TABLE node_sample ADD COLUMN swap_in_bytes INTEGER;
ALTER TABLE node_sample ADD COLUMN swap_out_bytes INTEGER;
ALTER TABLE node_sample ADD COLUMN alloc_stalls INTEGER;
ALTER TABLE node_sample ADD COLUMN rdma_errors INTEGER;
ALTER TABLE node_sample ADD COLUMN rdma_link_gbps REAL;
ALTER TABLE node_sample ADD COLUMN net_rx_bytes INTEGER;
ALTER TABLE node_sample ADD COLUMN net_tx_bytes INTEGER;
ALTER TABLE node_sample ADD COLUMN load1 REAL;
ALTER TABLE node_sample ADD COLUMN top TEXT;
ALTER TABLE node_sample ADD COLUMN nvml_hung TEXT;
ALTER TABLE live ADD COLUMN ttft_max_ms REAL;
ALTER TABLE live ADD COLUMN itl_max_ms REAL;
ALTER TABLE live ADD COLUMN stream_p5_tps REAL;
ALTER TABLE live ADD COLUMN stream_p95_tps REAL;
CREATE TABLE sweep_node (
    sweep INTEGER NOT NULL REFERENCES sweep ON DELETE CASCADE, node TEXT NOT NULL, verdict TEXT,
    left_before_bytes INTEGER, least_left_bytes INTEGER, most_gpu_bytes INTEGER, PRIMARY KEY (sweep, node)
) STRICT;
CREATE INDEX node_sample_time ON node_sample (
    campaign, node, t, mem_available_bytes, mem_free_bytes, gpu_procs_bytes, phase);
"""
_TO_4 = "ALTER TABLE live ADD COLUMN stream_p50_tps REAL;"
_TO_5 = """
CREATE TABLE deleted (campaign INTEGER PRIMARY KEY) STRICT;
CREATE TRIGGER campaign_deleted AFTER DELETE ON campaign
BEGIN
    INSERT OR IGNORE INTO deleted VALUES (old.id);
END;
"""
_TO_6 = """
ALTER TABLE wave ADD COLUMN arrival_error REAL;
ALTER TABLE wave ADD COLUMN stretch TEXT;
"""
_TO_7 = "ALTER TABLE control ADD COLUMN topology TEXT;"
MIGRATIONS: tuple[str, ...] = (_TO_2, _TO_3, _TO_4, _TO_5, _TO_6, _TO_7)
"""Scripts that bring a store of version 1, 2, ... to the next; `schema.sql` is always the newest version."""
SCHEMA_VERSION = 1 + len(MIGRATIONS)

Durability = Literal["FULL", "NORMAL"]
"""FULL: on disk when the call returns. NORMAL: a power cut may take the last seconds, never the file's order."""


def open_writable(path: Path, patience_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Open the store for writing, making it where it is missing; the connection belongs to the calling thread.

    Raises:
        StoreError: It cannot be made, opened or written, or a newer sparktui wrote it.
    """
    ensure_private(path.parent)
    _make_private(path)
    with store_errors(path):
        connection = sqlite3.connect(path, timeout=patience_s, isolation_level=None)
        try:
            _set_up(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def open_readonly(path: Path) -> sqlite3.Connection:
    """Open the store for reading, also while a runner writes it; any thread may use the connection, one at a time.

    Raises:
        UsageError: There is no store yet.
        StoreError: It cannot be opened, is no store or not of this user's making, or a newer sparktui wrote it.
    """
    if not path.exists():
        raise UsageError(f"no campaigns yet: there is no {path}", "try `sparktui demo`")
    refuse_others(path.parent)
    _refuse_foreign(path)
    with store_errors(path):
        connection = _connect_readonly(path)
        try:
            if _version(connection, path) < SCHEMA_VERSION:
                _upgrade(path)
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, durability: Durability) -> Iterator[None]:
    """Run the block as one transaction: committed whole, or not at all."""
    connection.execute(f"PRAGMA synchronous={durability}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _make_private(path: Path) -> None:
    """Have a file that is this user's alone.

    One that is there is not opened: to close it would let go of the locks that SQLite holds on it for this process.
    """
    try:
        if not path.exists():
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        _refuse_foreign(path)
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"the store {path} cannot be opened for writing: {error.strerror}",
            "check its owner and mode, or set SPARKTUI_HOME to another folder",
        ) from error


def _refuse_foreign(path: Path) -> None:
    """Refuse what is no file, and what somebody else wrote: a store says what is launched, and how it is undone."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise StoreError(f"the store {path} is no file", "move it away, or set SPARKTUI_HOME to another folder")
    if found.st_uid != os.geteuid():
        raise StoreError(
            f"the store {path} belongs to another user, whose requests a runner would obey",
            "set SPARKTUI_HOME to a folder of your own",
        )


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA foreign_keys=ON")
    with transaction(connection, "FULL"):
        version = _version(connection, path)
        scripts = (_schema(),) if version == 0 else MIGRATIONS[version - 1 :]
        for script in scripts:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"a newer sparktui wrote the store {path}: its version is {version}, this one knows {SCHEMA_VERSION}",
            "update sparktui, or set SPARKTUI_HOME to another folder",
        )
    if version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise StoreError(
            f"{path} is a database of something else", "move it away, or set SPARKTUI_HOME to another folder"
        )
    return version


def _schema() -> str:
    return files("sparktui.store").joinpath("schema.sql").read_text(encoding="utf-8")


def _statements(script: str) -> Iterator[str]:
    """Split a script, because `executescript` would commit the transaction that it must be part of."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _connect_readonly(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema")
    except sqlite3.Error as error:
        connection.close()
        if not _on_readonly_media(error, path):
            raise
        return sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None, check_same_thread=False)
    return connection


def _on_readonly_media(error: sqlite3.Error, path: Path) -> bool:
    """WAL needs a file beside the store; where none can be made and none is left over, nobody can be writing."""
    return (
        getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY"))
        and not Path(f"{path}-wal").exists()
    )


def _upgrade(path: Path) -> None:
    """Bring an older store to this version's schema before it is read; an empty file is none yet."""
    open_writable(path).close()
