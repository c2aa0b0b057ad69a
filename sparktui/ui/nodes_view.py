"""What the Nodes screen asks for and shows: each node's memory over a span of time, and one moment of it in full."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from sparktui.nodes.history import ClosestCall, LastWords, Mark, Run
from sparktui.nodes.phase import Phase
from sparktui.recorder.readings import Reading
from sparktui.units import GIB

WIDTHS_S = (
    1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600, 900, 1200, 1800, 2700, 3600, 5400, 7200, 10_800,
    14_400, 21_600, 28_800, 43_200, 86_400,
)  # fmt: skip
"""What one column may stand for, in seconds: columns begin at multiples of that, so that they stay what they are while
time goes on."""
TOPS_GIB = (4, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024, 1536, 2048)
"""Where an axis of memory may end."""
SILENT_SHARE = 0.25
"""How much of the span may be empty at its end: a node that fell silent must not scroll out of sight."""


@dataclass(frozen=True, slots=True)
class NodesRequest:
    """A span of time in so many columns, and the moment that is looked at."""

    columns: int
    """How many there is room for."""
    width_s: int | None = None
    """What one stands for, of `WIDTHS_S`; None for the least that shows everything."""
    end: float | None = None
    """Where the span ends, seconds since the epoch; None for now, or the last sample of a campaign that is over."""
    at: float | None = None
    """The moment to show in full; None for the newest."""


@dataclass(frozen=True, slots=True)
class Span:
    """Columns of equal width; the first begins at a multiple of it."""

    first: int
    """The first column, counted from the epoch in widths."""
    columns: int
    width_s: int

    @property
    def start(self) -> float:
        """Where it begins, seconds since the epoch."""
        return float(self.first * self.width_s)

    @property
    def end(self) -> float:
        """Where it ends; that moment is no part of it."""
        return float((self.first + self.columns) * self.width_s)

    def column(self, t: float) -> int:
        """Return the column of a moment, counted from the span's first; outside the span it is none of them."""
        return math.floor(t / self.width_s) - self.first


@dataclass(frozen=True, slots=True)
class Column:
    """Of one node's samples in a column's time the one with the least left; None where nobody knows."""

    t: float
    left_bytes: int | None
    """MemAvailable; the next is MemFree."""
    free_bytes: int | None
    gpu_procs_bytes: int | None
    phase: Phase
    warn_bytes: int | None
    """Under which its guard warned, and stopped, at that moment."""
    stop_bytes: int | None

    @property
    def under(self) -> str:
        """Which floor it was under: stop, warn, or none."""
        left = self.left_bytes
        if left is None or self.stop_bytes is None or self.warn_bytes is None:
            return ""
        return "stop" if left < self.stop_bytes else "warn" if left < self.warn_bytes else ""


@dataclass(frozen=True, slots=True)
class Strip:
    """One node over the span."""

    node: str
    fragile: bool
    top_bytes: int
    """Where the axis ends."""
    columns: tuple[Column | None, ...]
    """None where there was no sample."""
    closest: ClosestCall | None
    """When it had least left in the whole campaign."""
    words: LastWords | None
    """Its last sample up to the span's end."""
    at: float | None
    """When the sample below was taken; None where there is none at the moment looked at."""
    at_words: LastWords | None
    readings: tuple[Reading, ...]
    floors: str = ""
    """Under what its guard acts, and when which of it holds, in words; empty where there is none."""


@dataclass(frozen=True, slots=True)
class NodesView:
    """The answer."""

    request: NodesRequest
    span: Span
    sampled: tuple[float, float]
    """The first and the last moment of any sample of the campaign."""
    running: bool
    strips: tuple[Strip, ...] = ()
    words: tuple[LastWords, ...] = ()
    """Of nodes that were stopped or lost, what they were like then."""
    runs: tuple[Run, ...] = ()
    """Topologies that were up, in their order."""
    marks: tuple[Mark, ...] = ()
    """Warnings and errors of the whole campaign, by time."""
    now: float | None = None
    """The viewer's clock while the campaign runs, as the beginning of its column; None when it is over."""

    @property
    def until(self) -> float:
        """Up to when there is anything to show: what is later has not happened yet."""
        return self.sampled[1] if self.now is None else max(self.sampled[1], self.now)

    def in_sight(self) -> tuple[Mark, ...]:
        """Return the marks of the span."""
        times = [mark.t for mark in self.marks]
        return self.marks[bisect_left(times, self.span.start) : bisect_left(times, self.span.end)]

    def mark_beside(self, t: float, step: int) -> Mark | None:
        """Return the mark after a moment, for a step of 1, or before it, for -1; None where there is none."""
        times = [mark.t for mark in self.marks]
        at = bisect_right(times, t) if step > 0 else bisect_left(times, t) - 1
        return self.marks[at] if 0 <= at < len(self.marks) else None


def span_of(request: NodesRequest, sampled: tuple[float, float], now: float | None) -> Span:
    """Return the span that answers a request.

    Args:
        request: What the screen wants.
        sampled: The campaign's first and last sample.
        now: The viewer's clock while the campaign runs; None when it is over.
    """
    columns, (first, last) = max(1, request.columns), sampled
    end = last if now is None else max(last, now)
    width_s = request.width_s or _width_of(first, end, columns)
    newest = math.floor((_shown_until(last, end, columns * width_s) if request.end is None else request.end) / width_s)
    if request.end is None:
        newest = min(newest, math.floor(last / width_s) + columns - 1)
        if request.width_s is None:
            newest = max(newest, math.floor(first / width_s) + columns - 1)
    return Span(newest - columns + 1, columns, width_s)


def _shown_until(last: float, now: float, length_s: float) -> float:
    """Return the end of what follows the time: where nobody has said anything for long, it stands still."""
    return max(last, min(now, last + SILENT_SHARE * length_s))


def _width_of(start: float, end: float, columns: int) -> int:
    """Return the least width in which that many columns hold everything."""
    for width_s in WIDTHS_S:
        if math.floor(end / width_s) - math.floor(start / width_s) < columns:
            return width_s
    return WIDTHS_S[-1]


def zoomed(width_s: int, step: int) -> int:
    """Return the width so many steps wider, or narrower where negative."""
    at = bisect_left(WIDTHS_S, width_s) + step
    return WIDTHS_S[max(0, min(len(WIDTHS_S) - 1, at))]


def top_over(columns: Sequence[Column | None], at_least: int) -> int:
    """Return a round size in bytes over everything that was left, and over the floors."""
    known = [column.left_bytes or 0 for column in columns if column is not None]
    floors = [column.warn_bytes or 0 for column in columns if column is not None]
    highest = max((*known, *floors), default=0)
    return max(at_least, next((top * GIB for top in TOPS_GIB if top * GIB > highest), highest))
