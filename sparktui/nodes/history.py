"""What a node's samples and a campaign's log say afterwards: last words, the closest call, episodes of warnings. Pure.

Moments are seconds since the epoch, by the clock of whoever wrote them down: a node's samples and its guard's words by
the node's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sparktui.moments import local_time
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.slope import pace
from sparktui.units import GIB, gib

STEADY_BYTES_S = GIB // 4
"""A slower change is called steady."""

WARNINGS = ("guard-warn", "guard-clear", "guard-stop")
"""Kinds of log lines that a node's guard has told."""
TROUBLES = ("guard-stop", "agent-lost", "node-rebooted", "failed")
"""Kinds of log lines after which the minutes before them are worth a look."""


@dataclass(frozen=True, slots=True)
class Run:
    """Something that was up on the nodes for a while: a topology, or one of its levels being measured."""

    topology: str
    start: float
    end: float | None
    """None while it is up, and where nobody saw it end."""
    concurrency: int | None = None

    def __str__(self) -> str:
        return self.topology if self.concurrency is None else f"{self.topology} c{self.concurrency}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the log at the moment it speaks of."""

    t: float
    level: str
    """info | warning | error"""
    source: str
    """The node's name, where it is about one."""
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Episode:
    """A warning of a node's guard, from its first word to the last."""

    node: str
    start: float
    end: float | None
    """None where it was never said to be over."""
    ended: Literal["clear", "stop", ""]
    text: str
    """Why it began."""


@dataclass(frozen=True, slots=True)
class LastWords:
    """A node's last sample of a span of time, in its context."""

    node: str
    t: float
    left_bytes: int | None
    slope_bytes_s: float | None
    """Negative while memory fell; None where it was sampled too seldom to say."""
    phase: str
    run: Run | None
    """What was up."""
    warned_before_s: float | None
    """How long the guard's warning had stood; None where none did."""
    silent: bool = True
    """Nothing was heard of it later."""

    def __str__(self) -> str:
        falling = _pace(self.slope_bytes_s)
        seen = "last seen" if self.silent else "at"
        words = [f"{self.node} {seen} {clock(self.t)}", f"{gib(self.left_bytes)} GiB left"]
        words += [falling] if falling else []
        words += [f"phase {self.phase}", f"topology {self.run}" if self.run else "no topology up"]
        warned = "" if self.warned_before_s is None else f"; the guard had warned {self.warned_before_s:.1f} s before"
        return ", ".join(words) + warned


@dataclass(frozen=True, slots=True)
class ClosestCall:
    """When a node had least left while one topology was up."""

    node: str
    t: float
    left_bytes: int
    run: Run | None

    def __str__(self) -> str:
        run = f"{self.run}, " if self.run else ""
        return f"{self.node} never had less than {gib(self.left_bytes)} GiB left ({run}{clock(self.t)[:5]})"


def last_words(
    samples: Sequence[NodeSample], runs: Iterable[Run], episodes: Iterable[Episode], *, silent: bool = True
) -> LastWords | None:
    """Return what a node's samples, oldest first, end with; None without any.

    Args:
        samples: Up to the moment that matters.
        runs: What was up, and when.
        episodes: Of warnings.
        silent: Whether the node has said nothing since.
    """
    if not samples:
        return None
    last = samples[-1]
    standing = [e.start for e in episodes if e.node == last.node and e.start <= last.t <= (e.end or last.t)]
    return LastWords(
        node=last.node,
        t=last.t,
        left_bytes=last.mem_available_bytes,
        slope_bytes_s=slope_bytes_s(samples),
        phase=last.phase,
        run=running_at(runs, last.t),
        warned_before_s=last.t - max(standing) if standing else None,
        silent=silent,
    )


def slope_bytes_s(samples: Sequence[NodeSample]) -> float | None:
    """Return how fast MemAvailable changed over the last seconds, falling negative; None with too few samples."""
    return pace([(s.t, float(s.mem_available_bytes)) for s in samples if s.mem_available_bytes is not None])


def running_at(runs: Iterable[Run], t: float) -> Run | None:
    """Return what was up at a moment: of a topology and its level the level, for it began last."""
    up = [run for run in runs if run.start <= t and (run.end is None or t <= run.end)]
    return max(up, key=lambda run: run.start, default=None)


def episodes(marks: Iterable[Mark]) -> tuple[Episode, ...]:
    """Return the warnings of all nodes' guards, in the order they began; marks may come in any order."""
    found: list[Episode] = []
    standing: dict[str, Mark] = {}
    for mark in sorted(marks, key=lambda mark: mark.t):
        if mark.kind == "guard-warn":
            standing.setdefault(mark.source, mark)
        elif mark.kind in WARNINGS:
            began = standing.pop(mark.source, None)
            if began is not None:
                ended: Literal["clear", "stop"] = "clear" if mark.kind == "guard-clear" else "stop"
                found.append(Episode(mark.source, began.t, mark.t, ended, began.text))
    found += [Episode(node, mark.t, None, "", mark.text) for node, mark in standing.items()]
    return tuple(sorted(found, key=lambda episode: episode.start))


def troubles(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return the marks of what went wrong, oldest first."""
    return tuple(sorted((mark for mark in marks if mark.kind in TROUBLES), key=lambda mark: mark.t))


def moment_of(data: Mapping[str, object], told: float) -> float:
    """Return the moment that a line of the log speaks of: its own `t`, or when it was told."""
    t = data.get("t")
    return float(t) if isinstance(t, int | float) else told


def clock(t: float) -> str:
    """Return the local time of day."""
    return local_time(t)


def _pace(slope: float | None) -> str:
    if slope is None:
        return ""
    if abs(slope) < STEADY_BYTES_S:
        return "steady"
    return f"{'falling' if slope < 0 else 'rising'} {abs(slope) / GIB:.1f} GiB/s"
