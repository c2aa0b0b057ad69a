"""One campaign as snapshots: reads only what is new since the last look, and keeps no more than the screen shows."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ProfileError
from sparktui.live.feed import LiveFeed
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.runner.progress import remaining
from sparktui.serving.engine_log import in_words
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, CellRow, SweepRow
from sparktui.ui.asked import Asked
from sparktui.ui.campaign_views import CampaignViews
from sparktui.ui.comparison_feed import ComparisonFeed
from sparktui.ui.engine_feed import EngineFeed
from sparktui.ui.news_feed import NewsFeed
from sparktui.ui.node_feed import NodeFeed
from sparktui.ui.snapshot import Campaign, Cell, Snapshot, Topology

UP = frozenset({"launching", "warming", "measuring", "stopping"})
"""States of a sweep whose topology may hold memory."""
SERVING = frozenset({"warming", "measuring"})


class CampaignFeed:
    """Follows one campaign."""

    def __init__(self, reader: Reader, campaign: int) -> None:
        self.campaign = campaign
        self._reader = reader
        row = reader.campaign(campaign)
        self._profile = _profile(row)
        self._live = LiveFeed(reader, campaign)
        self._news = NewsFeed()
        self._nodes = NodeFeed(reader, campaign, self._profile, self._news)
        self._comparison = ComparisonFeed(reader, campaign)
        self._views = CampaignViews(reader, campaign, self._profile)
        self._engines: EngineFeed | None = None
        self._wave_seconds: dict[int, tuple[float, ...]] = {}
        self._waves_at: object = None
        self._clock: str | None = None

    def take(self, now: float, asked: Asked) -> Snapshot:
        """Read what is new and return the picture at `now`."""
        row = self._reader.campaign(self.campaign)
        sweeps = self._reader.sweeps(self.campaign)
        cells = {sweep.id: self._reader.cells(sweep.id) for sweep in sweeps}
        self._read_waves(sweeps, cells)
        self._news.take(self._reader.events_since(self.campaign, self._news.last))
        up = next((sweep for sweep in sweeps if sweep.state in UP), None)
        self._nodes.read(up)
        measuring = _measuring(sweeps, cells)
        wave = self._live.wave(now, measuring)
        serving = next((sweep for sweep in sweeps if sweep.state in SERVING), None)
        self._follow_engines(serving, None if measuring is None else measuring[1])
        comparison = self._comparison.read(sweeps, cells, asked)
        left = remaining(sweeps, cells, self._wave_seconds, self._warmup_waves)
        return Snapshot(
            taken=now,
            campaign=_campaign(row),
            topologies=tuple(_topology(sweep) for sweep in sweeps),
            cells=tuple(self._cell(sweep, cell) for sweep in sweeps for cell in cells[sweep.id]),
            wave=wave if row.state == "running" else None,
            trends=self._live.trends(now, up),
            nodes=self._nodes.nodes(now),
            engines=self._engines.engines(now) if self._engines else (),
            engine_facts="" if serving is None else in_words(Fingerprint.from_json(serving.fingerprint).engine),
            agreement=self._engines.agreement(self._live.arrived) if self._engines and wave else None,
            guard_stops=self._news.guard_stops,
            events=self._news.events,
            clock=self._stamps(cells),
            remaining=left if wave is None else left.into_wave(wave.running_s),
            comparison=comparison,
            view=self._views.view(asked, now, self._comparison.at),
        )

    @property
    def _warmup_waves(self) -> int:
        return 0 if self._profile is None else self._profile.workload.warmup_waves

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

    def _follow_engines(self, serving: SweepRow | None, cell: CellRow | None) -> None:
        if serving is None:
            self._engines = None
            return
        if self._engines is None or self._engines.sweep != serving.id:
            self._engines = EngineFeed(self._reader, serving.id)
        self._engines.read(cell, 0 if cell is None else len(self._wave_seconds.get(cell.id, ())))


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
