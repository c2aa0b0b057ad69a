"""From the store to what Nodes shows: columns that were read once are kept while they are in sight.

It belongs to the feed's thread.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sparktui.nodes.history import (
    WARNINGS,
    ClosestCall,
    Episode,
    LastWords,
    Mark,
    Run,
    episodes,
    last_words,
    running_at,
    troubles,
)
from sparktui.nodes.order import by_number
from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import Profile
from sparktui.recorder.log import Floors, marks, runs
from sparktui.recorder.readings import readings
from sparktui.store.node_history import NodeHistory
from sparktui.store.reader import Reader
from sparktui.store.rows import CAMPAIGN_OVER, LeastLeftRow
from sparktui.ui.nodes_view import Column, NodesRequest, NodesView, Span, Strip, span_of, top_over

SAMPLES = 32
"""Up to the moment looked at: for slopes and rates."""
MARKS_KEPT = 2000
REFRESH_S = 0.9
"""A little less than a second, of which a viewer's looks at its own rate would miss one in a few."""


@dataclass(slots=True)
class _Node:
    """What is kept of one node."""

    columns: dict[int, Column | None] = field(default_factory=dict)
    """By column, counted from the epoch."""
    closest: ClosestCall | None = None
    least_until: float = 0.0
    """Up to when that was looked for."""
    top_bytes: int = 0


class NodesFeed:
    """Follows one campaign's nodes over time."""

    def __init__(self, reader: Reader, campaign: int, profile: Profile | None) -> None:
        self._reader = reader
        self._campaign = campaign
        self._profile = profile
        self._history: NodeHistory = reader.node_history(campaign)
        self._nodes: dict[str, _Node] = {}
        self._width_s = 0
        self._newest: int | None = None
        """The highest sample that what is kept has seen."""
        self._last_event = 0
        self._told: tuple[Mark, ...] = ()
        """What the guards said, and every warning and error."""
        self._marks: tuple[Mark, ...] = ()
        self._episodes: tuple[Episode, ...] = ()
        self._runs: tuple[Run, ...] = ()
        self._floors = Floors(profile, {})
        self._view: NodesView | None = None
        self._viewed_at = 0.0

    def view(self, request: NodesRequest, now: float) -> NodesView | None:
        """Return what there is to show, the very same value while that is unchanged; None without any sample.

        The same question gets the same answer for a second: a column stands for no less.
        """
        if self._view is not None and request == self._view.request and abs(now - self._viewed_at) < REFRESH_S:
            return self._view
        self._viewed_at = now
        return self._read(request, now)

    def _read(self, request: NodesRequest, now: float) -> NodesView | None:
        self._forget_what_changed()
        spans = self._history.spans()
        if not spans:
            return None
        self._read_log()
        running = self._reader.campaign(self._campaign).state not in CAMPAIGN_OVER
        sampled = min(first for first, _ in spans.values()), max(last for _, last in spans.values())
        span = span_of(request, sampled, now if running else None)
        self._keep_only(span)
        view = NodesView(
            request=request,
            span=span,
            sampled=sampled,
            running=running,
            strips=tuple(
                self._strip(name, spans[name][1], span, request, running) for name in sorted(spans, key=by_number)
            ),
            words=tuple(self._lost(spans)),
            runs=tuple(run for run in self._runs if run.concurrency is None),
            marks=self._marks,
            now=math.floor(now / span.width_s) * float(span.width_s) if running else None,
        )
        if view != self._view:
            self._view = view
        return self._view

    def _forget_what_changed(self) -> None:
        """Drop what was kept of the time that new samples are from, also where they were fetched late."""
        newest = self._history.newest()
        if self._newest is not None and newest > self._newest:
            earliest = self._history.earliest_since(self._newest)
            if earliest is not None:
                for node in self._nodes.values():
                    changed = math.floor(earliest / self._width_s)
                    node.columns = {index: column for index, column in node.columns.items() if index < changed}
                    node.least_until = min(node.least_until, earliest)
        self._newest = newest

    def _keep_only(self, span: Span) -> None:
        if span.width_s != self._width_s:
            self._width_s = span.width_s
            self._nodes = {
                name: _Node(closest=node.closest, least_until=node.least_until) for name, node in self._nodes.items()
            }
        for node in self._nodes.values():
            node.columns = {
                index: column
                for index, column in node.columns.items()
                if span.first <= index < span.first + span.columns
            }

    def _read_log(self) -> None:
        sweeps = self._reader.sweeps(self._campaign)
        self._runs = runs(sweeps, {sweep.id: self._reader.cells(sweep.id) for sweep in sweeps})
        self._floors = Floors.of(self._profile, sweeps, self._reader.sweep_nodes(self._campaign))
        rows = self._reader.events_since(self._campaign, self._last_event)
        if rows:
            self._last_event = rows[-1].id
            told = sorted((*self._told, *marks(rows)), key=lambda mark: mark.t)
            self._told = tuple(mark for mark in told if mark.level != "info" or mark.kind in WARNINGS)[-MARKS_KEPT:]
            self._episodes = episodes(self._told)
            self._marks = tuple(mark for mark in self._told if mark.level != "info")

    def _strip(self, name: str, seen: float, span: Span, request: NodesRequest, running: bool) -> Strip:
        node = self._nodes.setdefault(name, _Node())
        self._read_columns(name, node, span)
        columns = tuple(node.columns[span.first + index] for index in range(span.columns))
        last = self._history.last(name, span.end, SAMPLES)
        looked_at = last if request.at is None else self._looked_at(name, span, request.at)
        node.top_bytes = self._top(node, columns, last, running)
        return Strip(
            node=name,
            fragile=self._floors.fragile(name),
            top_bytes=node.top_bytes,
            columns=columns,
            closest=self._closest(name, node, seen),
            words=self._words(last),
            at=looked_at[-1].t if looked_at else None,
            at_words=self._words(looked_at),
            readings=readings(looked_at) if looked_at else (),
            floors=self._floors.words(name, self._up(looked_at[-1].t) if looked_at else None),
        )

    def _read_columns(self, name: str, node: _Node, span: Span) -> None:
        """Read the columns that are not kept, from the first missing one to the last."""
        missing = [i for i in range(span.first, span.first + span.columns) if i not in node.columns]
        if not missing:
            return
        first, count = missing[0], missing[-1] - missing[0] + 1
        rows = self._history.columns(name, float(first * span.width_s), span.width_s, count)
        columns = (None if row is None else self._column(name, row) for row in rows)
        node.columns |= dict(enumerate(columns, first))

    def _column(self, name: str, row: LeastLeftRow) -> Column:
        warn, stop = self._floors.at(name, self._up(row.t), row.phase)
        return Column(row.t, row.left_bytes, row.free_bytes, row.gpu_procs_bytes, row.phase, warn, stop)

    def _up(self, t: float) -> Run | None:
        return running_at((run for run in self._runs if run.concurrency is None), t)

    def _looked_at(self, name: str, span: Span, at: float) -> list[NodeSample]:
        """Return the sample that its column shows, the one with the least left, after those before it."""
        start = math.floor(at / span.width_s) * span.width_s
        found = self._history.least_left(name, start, start + span.width_s)
        return [] if found is None else self._history.last(name, found.t, SAMPLES)

    def _top(self, node: _Node, columns: tuple[Column | None, ...], last: list[NodeSample], running: bool) -> int:
        """Return where the axis ends: while a campaign runs it only rises, to all the memory there is at the most."""
        total = last[-1].mem_total_bytes if last else None
        if total is None:
            return top_over(columns, node.top_bytes)
        return min(total, top_over(columns, node.top_bytes)) if running else total

    def _words(self, samples: list[NodeSample]) -> LastWords | None:
        return last_words(samples, self._runs, self._episodes)

    def _lost(self, spans: Mapping[str, tuple[float, float]]) -> Iterator[LastWords]:
        """Return each node's last words before it was last stopped or lost; nothing of one that never was."""
        for name, (_, last) in sorted(spans.items(), key=lambda span: by_number(span[0])):
            wrong = [mark.t for mark in troubles(self._marks) if mark.source == name]
            samples = self._history.last(name, wrong[-1], SAMPLES) if wrong else []
            words = last_words(samples, self._runs, self._episodes, silent=bool(wrong) and last <= wrong[-1])
            if words is not None:
                yield words

    def _closest(self, name: str, node: _Node, seen: float) -> ClosestCall | None:
        """Look for less left than before among the samples since then; `seen` is when the last of them was taken."""
        found = self._history.least_left(name, node.least_until, math.inf)
        node.least_until = seen
        if found is not None and found.left_bytes is not None:
            call = ClosestCall(name, found.t, found.left_bytes, running_at(self._runs, found.t))
            node.closest = min(filter(None, (node.closest, call)), key=lambda one: one.left_bytes)
        return node.closest
