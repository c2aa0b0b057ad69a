"""The last minutes of a campaign's nodes, read from the store: also where runner and nodes are long gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sparktui.errors import ProfileError, UsageError
from sparktui.nodes.guard import Limits
from sparktui.nodes.history import (
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
from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Profile
from sparktui.recorder.log import Floors, marks, runs
from sparktui.store.node_history import NodeHistory
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow, LeastLeftRow

MOST_COLUMNS = 50
"""Of a node's line of memory left; of a short window fewer, so that each has samples."""
SAMPLES = 32
"""The last of each node: at the 5 Hz of a node that loads they span what a slope is taken over."""
AN_INSTANT_S = 0.001
"""So that the sample at the very end, which may be the one that crossed a floor, is in the last column."""
MOST_MARKS = 40
"""Lines of the log; the newest."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, seconds since the epoch."""

    start: float
    end: float

    def __contains__(self, t: float) -> bool:
        return self.start <= t <= self.end


@dataclass(frozen=True, slots=True)
class NodeFlight:
    """One node in the window."""

    node: str
    fragile: bool
    words: LastWords
    limits: Limits | None
    """What its guard went by at its last words; None where nothing is known of one."""
    columns: tuple[LeastLeftRow | None, ...]
    """The window in equal parts; None where there was no sample."""
    samples: tuple[NodeSample, ...]
    """The last ones, oldest first."""
    closest: tuple[ClosestCall, ...]
    """Of each topology of the campaign that was up on it, in their order."""


@dataclass(frozen=True, slots=True)
class Flight:
    """A campaign's nodes up to one moment."""

    campaign: CampaignRow
    window: Window
    focus: Mark | None
    """What went wrong at the window's end; None where it simply ends there."""
    troubles: tuple[Mark, ...]
    """All that went wrong in the campaign, oldest first."""
    marks: tuple[Mark, ...]
    """Warnings and errors in the window."""
    episodes: tuple[Episode, ...]
    nodes: tuple[NodeFlight, ...]


class Records:
    """What the store holds of one campaign's nodes.

    Raises:
        UsageError: It was imported, or nothing was ever sampled.
    """

    def __init__(self, reader: Reader, campaign: int) -> None:
        self.campaign = reader.campaign(campaign)
        self.history: NodeHistory = reader.node_history(campaign)
        self.spans = self.history.spans()
        if not self.spans:
            raise _nothing(self.campaign)
        sweeps = reader.sweeps(campaign)
        self.runs = runs(sweeps, {sweep.id: reader.cells(sweep.id) for sweep in sweeps})
        self.floors = Floors.of(readable_profile(self.campaign), sweeps, reader.sweep_nodes(campaign))
        self.marks = marks(reader.events_since(campaign))

    def flight(self, last_s: float, *, node: str | None = None, newest: bool = False) -> Flight:
        """Return the minutes before something last went wrong, or the newest ones where nothing did.

        Args:
            last_s: How many seconds.
            node: Only this one.
            newest: The newest ones in any case.

        Raises:
            UsageError: There is no such node.
        """
        names = self._named(node)
        wrong = troubles(self.marks)
        focus = None if newest else next((mark for mark in reversed(wrong) if self._sampled_before(mark.t)), None)
        end = max(self.spans[name][1] for name in names) if focus is None else focus.t
        window = Window(end - last_s, end)
        warned = episodes(self.marks)
        told = [mark for mark in sorted(self.marks, key=lambda m: m.t) if mark.level != "info" and mark.t in window]
        flown = (self._node(name, window, warned) for name in names)
        return Flight(
            campaign=self.campaign,
            window=window,
            focus=focus,
            troubles=wrong,
            marks=tuple(told[-MOST_MARKS:]),
            episodes=tuple(episode for episode in warned if episode.start <= end),
            nodes=tuple(flight for flight in flown if flight is not None),
        )

    def closest_calls(self, node: str) -> tuple[ClosestCall, ...]:
        """Return when a node had least left, for each topology that was up on it."""
        found = (self._closest(node, run) for run in self.runs if run.concurrency is None)
        return tuple(call for call in found if call is not None)

    def _named(self, node: str | None) -> list[str]:
        if node is None:
            return sorted(self.spans, key=by_number)
        if node not in self.spans:
            raise UsageError(f"campaign {self.campaign.id} has no samples of {node!r}", f"of: {_list(self.spans)}")
        return [node]

    def _sampled_before(self, t: float) -> bool:
        return any(first <= t for first, _ in self.spans.values())

    def _node(self, name: str, window: Window, warned: Iterable[Episode]) -> NodeFlight | None:
        samples = self.history.last(name, window.end, SAMPLES)
        words = last_words(samples, self.runs, warned, silent=self.spans[name][1] <= window.end)
        if words is None:
            return None
        length_s = window.end - window.start
        count = max(1, min(MOST_COLUMNS, int(length_s)))
        columns = self.history.columns(name, window.start, (length_s + AN_INSTANT_S) / count, count)
        return NodeFlight(
            node=name,
            fragile=self.floors.fragile(name),
            words=words,
            limits=self.floors.limits(name, words.run),
            columns=tuple(columns),
            samples=tuple(samples),
            closest=self.closest_calls(name),
        )

    def _closest(self, node: str, run: Run) -> ClosestCall | None:
        if not self._was_on(node, run.topology):
            return None
        later = [other.start for other in self.runs if other.concurrency is None and other.start > run.start]
        end = run.end or min(later, default=self.spans[node][1] + 1)
        found = self.history.least_left(node, run.start, end)
        if found is None or found.left_bytes is None:
            return None
        return ClosestCall(node, found.t, found.left_bytes, running_at(self.runs, found.t) or run)

    def _was_on(self, node: str, topology: str) -> bool:
        profile = self.floors.profile
        return profile is None or topology not in profile.topologies or node in profile.topologies[topology].nodes


def readable_profile(campaign: CampaignRow) -> Profile | None:
    """Return a campaign's profile; None where it was imported without one, or this version cannot read it."""
    try:
        return parse_profile(campaign.profile_yaml, f"campaign {campaign.id}") if campaign.profile_yaml else None
    except ProfileError:
        return None


def _nothing(campaign: CampaignRow) -> UsageError:
    named = f"campaign {campaign.id}, {campaign.name},"
    if campaign.source in ("imported", "published"):
        return UsageError(f"{named} was imported: nothing is known of its nodes", "`sparktui list` shows the others")
    return UsageError(f"{named} has no samples of any node", "its nodes were never watched, or it has only begun")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
