"""One imported campaign into the store, in one transaction: whole, or not at all."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from sparktui import __version__
from sparktui.errors import ExitCode, ImportFileError
from sparktui.importing.imported import Imported, ImportedCell, ImportedSweep, ImportedWave, KnownFigure
from sparktui.store import statements as sql
from sparktui.store.connection import open_writable, transaction
from sparktui.store.failures import store_errors
from sparktui.store.rereading import reread
from sparktui.unreadable import UNREADABLE

MOST = 1e15
"""Of any figure, in its own unit: no rate or time comes near it, and what is computed of larger ones may overflow."""


def save(path: Path, imported: Imported) -> int:
    """Store a campaign and return its number.

    Raises:
        ImportFileError: It holds what no store can, or what could not be read again: the same cell twice, a number that
            is too large. Nothing is stored then.
        StoreError: The store cannot be written.
    """
    _check(imported)
    with closing(open_writable(path)) as connection, store_errors(path), transaction(connection, "FULL"):
        try:
            campaign = _save(connection, imported)
            reread(connection, campaign)
            return campaign
        except UNREADABLE as error:
            raise ImportFileError(f"{imported.name}: holds what could not be read again: {error}") from error
        except sqlite3.IntegrityError as error:
            raise ImportFileError(f"{imported.name}: cannot be stored: {error}") from error


def _check(imported: Imported) -> None:
    for sweep in imported.sweeps:
        seen: set[object] = set()
        for cell in sweep.cells:
            if cell.place in seen:
                raise ImportFileError(f"{imported.name}: {sweep.topology} {cell.described} is there twice")
            seen.add(cell.place)
            if huge := next((f.name for f in cell.figures if max(f.mean, f.std or 0, *f.values) > MOST), None):
                raise ImportFileError(f"{imported.name}: {sweep.topology} {cell.described}: {huge} is over {MOST:g}")


def _save(connection: sqlite3.Connection, imported: Imported) -> int:
    campaign = _save_campaign(connection, imported)
    for name, facts in imported.nodes:
        connection.execute(sql.INSERT_NODE, (campaign, name, _json(facts)))
    for seq, sweep in enumerate(imported.sweeps):
        _save_sweep(connection, campaign, seq, sweep, imported.source == "simulated")
    connection.executemany(
        sql.INSERT_EVENT,
        [(e.t, campaign, e.level, e.source, e.kind, e.text, _json(e.data)) for e in imported.events],
    )
    return campaign


def _save_campaign(connection: sqlite3.Connection, imported: Imported) -> int:
    created = time.time() if imported.created is None else imported.created
    values = (
        imported.name,
        imported.profile_yaml,
        imported.source,
        created,
        imported.host,
        imported.version or __version__,
        imported.state,
    )
    campaign = _inserted(connection, sql.INSERT_CAMPAIGN, values)
    finished = created if imported.finished is None else imported.finished
    ended_as = ExitCode.DONE if imported.state == "done" else ExitCode.PARTIAL
    exit_code = int(ended_as if imported.exit_code is None else imported.exit_code)
    connection.execute(
        "UPDATE campaign SET finished = ?, exit_code = ?, detail = ?, origin = ? WHERE id = ?",
        (finished, exit_code, imported.detail, imported.origin.to_json(), campaign),
    )
    return campaign


def _save_sweep(connection: sqlite3.Connection, campaign: int, seq: int, sweep: ImportedSweep, simulated: bool) -> None:
    fingerprint = sweep.fingerprint
    if simulated:
        fingerprint = msgspec.structs.replace(fingerprint, simulated=True)
    row = _inserted(
        connection,
        sql.INSERT_SWEEP,
        (campaign, seq, sweep.topology, fingerprint.to_json(), _json(sweep.commands), sweep.state),
    )
    connection.execute(
        """UPDATE sweep SET launched = ?, ready = ?, stopped = ?, proof = ?, error = ?, latency_mode = ?, latency_us = ?
           WHERE id = ?""",
        (
            sweep.launched,
            sweep.ready,
            sweep.stopped,
            None if sweep.proof is None else _json(sweep.proof),
            sweep.error,
            sweep.latency_mode,
            sweep.latency_us,
            row,
        ),
    )
    for number, cell in enumerate(sweep.cells):
        _save_cell(connection, row, number, cell)


def _save_cell(connection: sqlite3.Connection, sweep: int, seq: int, cell: ImportedCell) -> None:
    values = (sweep, seq, cell.concurrency, cell.pp, cell.tg, cell.depth, cell.shape, cell.runs, cell.state)
    row = _inserted(connection, sql.INSERT_CELL, values)
    connection.execute(
        """UPDATE cell SET taint = ?, started = ?, ended = ?, server_tokens = ?, server_prompt_tokens = ?, ended_by = ?,
           health = ? WHERE id = ?""",
        (
            cell.taint,
            cell.started,
            cell.ended,
            cell.server_tokens,
            cell.server_prompt_tokens,
            cell.ended_by,
            None if cell.health is None else _json(cell.health),
            row,
        ),
    )
    connection.executemany(sql.INSERT_KNOWN_FIGURE, [_figure(row, figure) for figure in cell.figures])
    for wave in cell.waves:
        _save_wave(connection, row, wave)


def _figure(cell: int, figure: KnownFigure) -> tuple[object, ...]:
    return (cell, figure.name, figure.mean, figure.std, figure.n, figure.per, _json(figure.values))


def _save_wave(connection: sqlite3.Connection, cell: int, wave: ImportedWave) -> None:
    values = (cell, wave.seq, wave.warmup, *sql.wave_values(wave.record))
    row = _inserted(connection, sql.INSERT_WAVE, values)
    rows = ((row, *(getattr(r, name) for name in sql.REQUEST_COLUMNS)) for r in wave.record.requests)
    connection.executemany(sql.INSERT_REQUEST, rows)


def _inserted(connection: sqlite3.Connection, statement: str, values: Sequence[object]) -> int:
    row = connection.execute(statement, values).lastrowid
    assert row is not None
    return row


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
