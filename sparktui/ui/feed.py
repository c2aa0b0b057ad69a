"""From the store to snapshots: reads only what is new since the last look, and keeps no more than the screen shows.

A feed belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from sparktui.compare.cells import FiguresCache
from sparktui.compare.comparison import Comparison
from sparktui.compare.summary import summarise
from sparktui.errors import ProfileError
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.runner.progress import remaining
from sparktui.store.reader import Reader
from sparktui.store.rows import CELL_OVER, SWEEP_OVER, CampaignRow, CellRow, EventRow, SweepRow
from sparktui.ui.engine_feed import EngineFeed
from sparktui.ui.live_feed import LiveFeed
from sparktui.ui.node_feed import NodeFeed
from sparktui.ui.snapshot import Campaign, Cell, Event, Snapshot, Topology

EVENTS_KEPT = 200
"""More than the tallest terminal shows."""


class Feed:
    """One viewer's reading position in one store.

    Args:
        path: The store's file; it is opened when a campaign is first asked for.
        clock: The wall clock, seconds since the epoch.
    """

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._reader: Reader | None = None
        self._followed: CampaignFeed | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._reader is not None:
            self._reader.close()

    def take(self, campaign: int | None, baseline: str | None = None) -> Snapshot:
        """Return what is known now about a campaign; an empty snapshot for None.

        Args:
            campaign: Its number.
            baseline: The topology that margins are against; None for the runner-up.

        Raises:
            SparktuiError: The store cannot be read, or there is no such campaign.
        """
        now = self._clock()
        if campaign is None:
            return Snapshot(taken=now)
        if self._reader is None:
            self._reader = Reader(self._path)
        if self._followed is None or self._followed.campaign != campaign:
            self._followed = CampaignFeed(self._reader, campaign)
        return self._followed.take(now, baseline)


class CampaignFeed:
    """Follows one campaign."""

    def __init__(self, reader: Reader, campaign: int) -> None:
        self.campaign = campaign
        self._reader = reader
        row = reader.campaign(campaign)
        self._profile = _profile(row)
        self._live = LiveFeed(reader, campaign)
        self._nodes = NodeFeed(reader, campaign, self._profile)
        self._engines: EngineFeed | None = None
        self._events: tuple[Event, ...] = ()
        self._wave_seconds: dict[int, tuple[float, ...]] = {}
        self._waves_at: object = None
        self._clock: str | None = None
        self._comparison: Comparison | None = None
        self._figures = FiguresCache()
        self._compared_at: object = None

    def take(self, now: float, baseline: str | None) -> Snapshot:
        """Read what is new and return the picture at `now`."""
        row = self._reader.campaign(self.campaign)
        sweeps = self._reader.sweeps(self.campaign)
        cells = {sweep.id: self._reader.cells(sweep.id) for sweep in sweeps}
        self._read_waves(sweeps, cells)
        self._read_events()
        measuring = _measuring(sweeps, cells)
        wave = self._live.wave(now, measuring)
        self._follow_engines(sweeps, measuring)
        return Snapshot(
            taken=now,
            campaign=_campaign(row),
            topologies=tuple(_topology(sweep) for sweep in sweeps),
            cells=tuple(self._cell(sweep, cell) for sweep in sweeps for cell in cells[sweep.id]),
            wave=wave if row.state == "running" else None,
            trends=self._live.trends(now),
            nodes=self._nodes.nodes(now),
            engines=self._engines.engines(now) if self._engines else (),
            agreement=self._engines.agreement(self._live.arrived) if self._engines and wave else None,
            events=self._events,
            clock=self._stamps(cells),
            remaining=remaining(sweeps, cells, self._wave_seconds, self._warmup_waves),
            comparison=self._compare(sweeps, cells, baseline),
        )

    @property
    def _warmup_waves(self) -> int:
        return 0 if self._profile is None else self._profile.workload.warmup_waves

    def _read_events(self) -> None:
        after = self._events[-1].id if self._events else 0
        if new := self._reader.events_since(self.campaign, after):
            self._events = (*self._events, *(_event(row) for row in new))[-EVENTS_KEPT:]

    def _read_waves(self, sweeps: Sequence[SweepRow], cells: dict[int, list[CellRow]]) -> None:
        """Read the waves' durations again when a wave or a cell has ended, not on every look."""
        self._live.read()
        states = tuple(cell.state for sweep in sweeps for cell in cells[sweep.id])
        if (states, self._live.position) != self._waves_at:
            self._wave_seconds = self._reader.wave_seconds(self.campaign)
            self._waves_at = (states, self._live.position)

    def _stamps(self, cells: dict[int, list[CellRow]]) -> str | None:
        """Say whose stamps they are, from the smallest cell that has a wave: one look is enough for a campaign."""
        measured = [cell for row in cells.values() for cell in row if self._wave_seconds.get(cell.id)]
        if self._clock is None and measured:
            smallest = min(measured, key=lambda cell: cell.concurrency)
            waves = self._reader.waves(smallest.id)
            self._clock = waves[0].record.clock if waves else None
        return self._clock

    def _compare(
        self, sweeps: Sequence[SweepRow], cells: dict[int, list[CellRow]], baseline: str | None
    ) -> Comparison | None:
        """Compare again when a cell or a sweep has ended or another baseline was chosen: it reads that cell's waves."""
        over = tuple(cell.id for sweep in sweeps for cell in cells[sweep.id] if cell.state in CELL_OVER)
        ended = tuple(sweep.state for sweep in sweeps if sweep.state in SWEEP_OVER)
        if (over, ended, baseline) != self._compared_at:
            self._comparison = self._summary(baseline) if over else None
            self._compared_at = (over, ended, baseline)
        return self._comparison

    def _summary(self, baseline: str | None) -> Comparison:
        return summarise(self._reader, self.campaign, baseline=baseline, cache=self._figures)

    def _cell(self, sweep: SweepRow, cell: CellRow) -> Cell:
        return Cell(
            topology=sweep.topology,
            concurrency=cell.concurrency,
            pp=cell.pp,
            tg=cell.tg,
            depth=cell.depth,
            runs=cell.runs,
            shape=cell.shape,
            waves=max(0, len(self._wave_seconds.get(cell.id, ())) - self._warmup_waves),
            state=cell.state,
            taint=cell.taint,
        )

    def _follow_engines(self, sweeps: Sequence[SweepRow], measuring: tuple[SweepRow, CellRow] | None) -> None:
        current = next((sweep for sweep in sweeps if sweep.state in ("warming", "measuring")), None)
        if current is None:
            self._engines = None
            return
        if self._engines is None or self._engines.sweep != current.id:
            self._engines = EngineFeed(self._reader, current.id)
        self._engines.read(measuring[1] if measuring else None)


def _profile(row: CampaignRow) -> Profile | None:
    """Return the campaign's profile; None where it was imported without one that this version can read."""
    try:
        return parse_profile(row.profile_yaml, f"campaign {row.id}")
    except ProfileError:
        return None


def _measuring(sweeps: Sequence[SweepRow], cells: dict[int, list[CellRow]]) -> tuple[SweepRow, CellRow] | None:
    for sweep in sweeps:
        for cell in cells[sweep.id]:
            if cell.state == "measuring":
                return sweep, cell
    return None


def _campaign(row: CampaignRow) -> Campaign:
    return Campaign(row.id, row.name, row.source, row.state, row.created, row.finished, row.detail)


def _topology(row: SweepRow) -> Topology:
    return Topology(row.topology, row.seq, row.state, row.launched, row.ready, row.stopped, row.error)


def _event(row: EventRow) -> Event:
    return Event(row.id, row.t, row.level, row.source, row.text)
