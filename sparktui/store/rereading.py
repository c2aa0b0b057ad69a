"""Reads a campaign that was just written, before it is committed: what readers refuse is not to be stored at all."""

from __future__ import annotations

import sqlite3
from typing import TypeVar

from sparktui.store import queries as sql
from sparktui.store.decode import as_row, wave_row
from sparktui.store.rows import CampaignRow, CellRow, EventRow, KnownFigureRow, NodeRow, SweepRow

T = TypeVar("T")


def reread(connection: sqlite3.Connection, campaign: int) -> None:
    """Read a campaign's rows as viewers do, but for its requests, which are stored as they were read.

    Raises:
        UNREADABLE: A viewer could not read it.
    """
    _rows(connection, CampaignRow, sql.CAMPAIGN, campaign)
    _rows(connection, NodeRow, sql.NODES, campaign)
    _rows(connection, EventRow, sql.EVENTS_SINCE, campaign, 0)
    for sweep in _rows(connection, SweepRow, sql.SWEEPS, campaign):
        for cell in _rows(connection, CellRow, sql.CELLS, sweep.id):
            _rows(connection, KnownFigureRow, sql.KNOWN_FIGURES, cell.id)
            for wave in connection.execute(sql.WAVES, (cell.id, True)):
                wave_row(wave, ())


def _rows(connection: sqlite3.Connection, kind: type[T], query: str, *values: int) -> list[T]:
    return [as_row(kind, row) for row in connection.execute(query, values)]
