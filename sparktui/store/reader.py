"""The viewers' side of the store: read-only, while the runner writes; every call is short and from any thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from sparktui.errors import StoreError, UsageError
from sparktui.nodes.stretch import Stretch
from sparktui.store import queries as sql
from sparktui.store.connection import open_readonly
from sparktui.store.decode import Row, as_row, live_row, node_sample_row, server_sample_row, stretch_of, wave_row
from sparktui.store.failures import store_errors, unreadable
from sparktui.store.node_history import NodeHistory
from sparktui.store.rows import (
    CampaignRow,
    CellRow,
    ControlRow,
    CountedRow,
    EventRow,
    HoldingRow,
    KnownFigureRow,
    LaunchedRow,
    LiveRow,
    NodeNeedRow,
    NodeRow,
    NodeSampleRow,
    ServerSampleRow,
    SweepNodeRow,
    SweepRow,
    WaveRow,
)
from sparktui.store.storable import LARGEST
from sparktui.unreadable import UNREADABLE

T = TypeVar("T")


class Reader:
    """One open store.

    Raises:
        UsageError: There is no store yet.
        StoreError: From opening and from every method: the store is damaged, foreign or newer than this sparktui.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_readonly(path)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def campaigns(self) -> list[CampaignRow]:
        """Return every campaign, newest first."""
        return self._rows(CampaignRow, sql.CAMPAIGNS)

    def with_figures(self) -> frozenset[int]:
        """Return the campaigns of which at least one wave was measured, or one figure imported."""
        return self._read(lambda connection: frozenset(number for (number,) in connection.execute(sql.WITH_FIGURES)))

    def campaign(self, campaign: int) -> CampaignRow:
        """Return one campaign.

        Raises:
            UsageError: There is none of that id.
        """
        found = self._rows(CampaignRow, sql.CAMPAIGN, campaign)
        if not found:
            raise UsageError(f"no campaign {campaign}", self._what_exists())
        return found[0]

    def resolve(self, which: str) -> int:
        """Return the id that a user's text names: a number, or `last`.

        Raises:
            UsageError: There is no such campaign; the hint lists those that exist.
        """
        if which == "last":
            newest = self._rows(CampaignRow, sql.NEWEST_CAMPAIGN)
            if not newest:
                raise UsageError("no campaigns yet", "try `sparktui demo`")
            return newest[0].id
        if not (which.isascii() and which.isdigit() and len(which) < 19):
            raise UsageError(f"{which!r} is not a campaign's number, nor `last`", self._what_exists())
        return self.campaign(int(which)).id

    def nodes(self, campaign: int) -> list[NodeRow]:
        """Return a campaign's nodes."""
        return self._rows(NodeRow, sql.NODES, campaign, of="campaign")

    def sweeps(self, campaign: int) -> list[SweepRow]:
        """Return a campaign's sweeps, in their order."""
        return self._rows(SweepRow, sql.SWEEPS, campaign, of="campaign")

    def sweep_nodes(self, campaign: int) -> list[SweepNodeRow]:
        """Return what each node of each sweep of a campaign was to need, and needed."""
        return self._rows(SweepNodeRow, sql.SWEEP_NODES, campaign, of="campaign")

    def node_needs(self, name: str, source: str, topology: str) -> list[NodeNeedRow]:
        """Return what a topology took of each node each time a campaign of that name served, newest first.

        One that the guard ended, or that failed, says what went wrong and not what it takes, so it is left out.
        """
        return self._rows(NodeNeedRow, sql.NODE_NEEDS, name, source, topology)

    def cells(self, sweep: int) -> list[CellRow]:
        """Return a sweep's cells, in their order."""
        return self._rows(CellRow, sql.CELLS, sweep, of="sweep")

    def known_figures(self, cell: int) -> list[KnownFigureRow]:
        """Return what an imported file says of a cell; nothing of a measured one."""
        return self._rows(KnownFigureRow, sql.KNOWN_FIGURES, cell, of="cell")

    def cell(self, cell: int) -> CellRow:
        """Return one cell.

        Raises:
            StoreError: There is none of that id.
        """
        found = self._rows(CellRow, sql.CELL, cell, of="cell")
        if not found:
            raise StoreError(f"the store {self.path} has no cell {cell}", "was its campaign deleted?")
        return found[0]

    def waves(self, cell: int, *, events: bool = False, warmup: bool = True) -> list[WaveRow]:
        """Return a cell's committed waves, warm-up first.

        Args:
            cell: Its id.
            events: Read every token event too: needed for time between tokens, not for rates and TTFT. Requests whose
                server did not count their tokens have their events always.
            warmup: Include warm-up waves.
        """

        def read(connection: sqlite3.Connection) -> list[WaveRow]:
            waves = connection.execute(sql.WAVES, (cell, warmup)).fetchall()
            requests: dict[int, list[Row]] = {wave[0]: [] for wave in waves}
            for row in connection.execute(sql.REQUESTS, {"cell": cell, "warmup": warmup, "events": events}):
                if row[0] in requests:
                    requests[row[0]].append(row[1:])
            return [wave_row(wave, requests[wave[0]]) for wave in waves]

        return self._read(read, ("cell", cell))

    def stretches(self, cell: int) -> list[Stretch]:
        """Return what each measured wave of a cell ended, in their order; waves of older versions tell nothing."""
        return self._decoded(stretch_of, sql.STRETCHES, cell, of="cell")

    def wave_counts(self, sweep: int) -> dict[int, int]:
        """Return how many measured waves each cell of a sweep has, by cell; a cell without any is left out."""
        return dict(self._read(lambda connection: connection.execute(sql.WAVE_COUNTS, (sweep,)).fetchall()))

    def failed_cells(self, sweep: int) -> frozenset[int]:
        """Return the cells of a sweep that were measured to their end with requests that failed."""
        return frozenset(row[0] for row in self._read(lambda c: c.execute(sql.FAILED_CELLS, (sweep,)).fetchall()))

    def counted(self, cell: int) -> CountedRow | None:
        """Return what the requests of a cell add up to; None where it has no waves."""
        return next(iter(self._rows(CountedRow, sql.COUNTED, cell, of="cell")), None)

    def launch_seconds(self, campaign: CampaignRow, topology: str) -> tuple[float, ...]:
        """Return how long a topology took to serve in earlier campaigns of the same profile, newest first."""
        of = (campaign.name, campaign.source, campaign.id, topology)
        return tuple(row[0] for row in self._read(lambda c: c.execute(sql.LAUNCH_SECONDS, of).fetchall()))

    def backend_shares(self, cell: int) -> dict[str, int]:
        """Return how many requests of a cell each backend served, where a router said so; warm-up not counted."""
        return dict(self._read(lambda connection: connection.execute(sql.BACKEND_SHARES, (cell,)).fetchall()))

    def wave_seconds(self, campaign: int) -> dict[int, tuple[float, ...]]:
        """Return how long each committed wave of a campaign took, warm-up included, by cell."""
        taken: dict[int, tuple[float, ...]] = {}
        for cell, seconds in self._read(
            lambda connection: connection.execute(sql.WAVE_SECONDS, (campaign,)).fetchall()
        ):
            taken[cell] = (*taken.get(cell, ()), seconds)
        return taken

    def holding(self, campaign: int) -> HoldingRow:
        """Return how much there is of a campaign."""
        return self._rows(HoldingRow, sql.HOLDING, campaign, of="campaign")[0]

    def latest_live(self, campaign: int) -> LiveRow | None:
        """Return the newest picture of a campaign's waves."""
        found = self._decoded(live_row, sql.LATEST_LIVE, campaign, of="campaign")
        return found[0] if found else None

    def live_since(self, cell: int, after: int = 0) -> list[LiveRow]:
        """Return a cell's pictures with an id above `after`, oldest first."""
        return self._decoded(live_row, sql.LIVE_SINCE, cell, after, of="cell")

    def latest_node_samples(self, campaign: int) -> dict[str, NodeSampleRow]:
        """Return each node's newest sample, by node."""
        found = self._decoded(node_sample_row, sql.LATEST_NODE_SAMPLES, campaign, of="campaign")
        return {row.sample.node: row for row in found}

    def node_samples_since(
        self, campaign: int, after: int = 0, node: str | None = None, *, until: int = LARGEST
    ) -> list[NodeSampleRow]:
        """Return the samples of one node, or of all, with an id above `after` and up to `until`, oldest first."""
        if node is not None:
            return self._decoded(
                node_sample_row, sql.ONE_NODES_SAMPLES_SINCE, campaign, after, until, node, of="campaign"
            )
        return self._decoded(node_sample_row, sql.NODE_SAMPLES_SINCE, campaign, after, until, of="campaign")

    def power_samples(
        self, campaign: int, start: float, end: float
    ) -> list[tuple[str, float, float | None, float | None]]:
        """Return node, time, power in watts and energy counter in joules of the samples between two moments."""
        return self._read(lambda connection: connection.execute(sql.POWER_SAMPLES, (campaign, start, end)).fetchall())

    def node_history(self, campaign: int) -> NodeHistory:
        """Return a campaign's samples by time."""
        return NodeHistory(partial(self._read, of=("campaign", campaign)), campaign)

    def latest_server_samples(self, sweep: int) -> dict[str, ServerSampleRow]:
        """Return each backend's newest sample, by backend."""
        newest_last = reversed(self._decoded(server_sample_row, sql.LATEST_SERVER_SAMPLES, sweep, of="sweep"))
        return {row.backend: row for row in newest_last}

    def server_samples_since(self, sweep: int, after: int = 0) -> list[ServerSampleRow]:
        """Return a sweep's server samples with an id above `after`, oldest first."""
        return self._decoded(server_sample_row, sql.SERVER_SAMPLES_SINCE, sweep, after, of="sweep")

    def events_since(self, campaign: int, after: int = 0) -> list[EventRow]:
        """Return a campaign's log lines with an id above `after`, oldest first."""
        return self._rows(EventRow, sql.EVENTS_SINCE, campaign, after, of="campaign")

    def controls(self, campaign: int) -> list[ControlRow]:
        """Return what viewers have asked a campaign's runner for, oldest first."""
        return self._rows(ControlRow, sql.CONTROLS, campaign, of="campaign")

    def launched_left(self, campaign: int) -> list[LaunchedRow]:
        """Return what was started on nodes and is not known to be gone, newest first: the order to remove it in."""
        return self._rows(LaunchedRow, sql.LAUNCHED_LEFT, campaign, of="campaign")

    def _what_exists(self) -> str:
        newest = self.campaigns()[:8]
        if not newest:
            return "there are none yet: try `sparktui demo`"
        return "there are " + ", ".join(f"{row.id} ({row.name})" for row in newest)

    def _rows(self, kind: type[T], query: str, *values: object, of: sql.Owner | None = None) -> list[T]:
        return self._decoded(lambda row: as_row(kind, row), query, *values, of=of)

    def _decoded(self, decode: Callable[[Row], T], query: str, *values: object, of: sql.Owner | None = None) -> list[T]:
        given = {"campaign": values[0]} if ":campaign" in query else values  # that is asked for more than once there

        def read(connection: sqlite3.Connection) -> list[T]:
            return [decode(row) for row in connection.execute(query, given)]

        return self._read(read, None if of is None else (of, values[0]))

    def _read(self, read: Callable[[sqlite3.Connection], T], of: tuple[sql.Owner, object] | None = None) -> T:
        """Read in one snapshot, so that what several queries return fits together; `of`: whose rows they are."""
        with self._lock, store_errors(self.path):
            self._connection.execute("BEGIN")
            try:
                return read(self._connection)
            except UNREADABLE as error:
                raise unreadable(self.path, error, self._campaign_of(of)) from error
            finally:
                self._connection.execute("COMMIT")

    def _campaign_of(self, of: tuple[sql.Owner, object] | None) -> int | None:
        row = None if of is None else self._connection.execute(sql.CAMPAIGN_OF[of[0]], (of[1],)).fetchone()
        return row[0] if row else None
