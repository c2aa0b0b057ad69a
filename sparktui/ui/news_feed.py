"""A campaign's events as the screens need them: the last lines of the log, and what stands against each node."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from sparktui.store.rows import EventRow
from sparktui.ui.node_values import Alarm, GuardStop
from sparktui.ui.snapshot import Event

EVENTS_KEPT = 200
"""More than the tallest terminal shows."""
TAIL_LINES = 3
HEALTH = "health-"
"""What the kinds of events about a node's health begin with."""
BEGINS = "launching"
"""The kind of event after which an earlier stop of the guard says nothing of a node any more."""
LOADING = "loading"
"""The kind of event that is told again and again until a topology is up; only the last of them is news."""


class NewsFeed:
    """Takes a campaign's events in order, each once."""

    def __init__(self) -> None:
        self.events: tuple[Event, ...] = ()
        self._lines: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.guard_stops: tuple[GuardStop, ...] = ()
        self._told: dict[str, Alarm] = {}
        self._findings: dict[str, dict[str, str]] = {}

    @property
    def last(self) -> int:
        """The newest event's id; 0 before the first."""
        return self.events[-1].id if self.events else 0

    def told(self, node: str) -> Alarm:
        """Return what the guard has told of a node, as far as it still holds."""
        return self._told.get(node, "")

    def findings(self, node: str) -> tuple[str, ...]:
        """Return what is not well with a node."""
        return tuple(self._findings.get(node, {}).values())

    def take(self, rows: Iterable[EventRow]) -> None:
        """Take what is new."""
        new = tuple(rows)
        for row in new:
            self._note(row)
            self._append(_event(row))
        if new:
            self.events = tuple(self._lines)

    def _append(self, event: Event) -> None:
        before = self._lines[-1] if self._lines else None
        if before is not None and before.kind == event.kind == LOADING and before.source == event.source:
            self._lines.pop()
        self._lines.append(event)

    def _note(self, row: EventRow) -> None:
        if row.kind.startswith(HEALTH):
            self._note_health(row)
        elif row.kind == "guard-stop":
            self._note_stop(_guard_stop(row))
        elif row.kind in ("guard-warn", "guard-clear"):
            self._told[row.source] = "warn" if row.kind == "guard-warn" else ""
        elif row.kind == BEGINS:
            self._told.clear()

    def _note_health(self, row: EventRow) -> None:
        standing = self._findings.setdefault(row.source, {})
        if row.level == "info":
            standing.pop(row.kind, None)
        else:
            standing[row.kind] = str(row.data.get("brief") or row.text)

    def _note_stop(self, stop: GuardStop) -> None:
        """Keep one entry a stop, though it may be told more than once: first that it was due, then what was done."""
        self._told[stop.node] = "stop"
        others = tuple(other for other in self.guard_stops if (other.node, other.t) != (stop.node, stop.t))
        self.guard_stops = (*others, stop)


def _event(row: EventRow) -> Event:
    return Event(row.id, row.t, row.level, row.source, row.kind, row.text, _tail(row))


def _tail(row: EventRow) -> tuple[str, ...]:
    """Return the last lines of the log that goes with an event: of what is loading, or of what has failed."""
    if row.kind != LOADING and row.level != "error":
        return ()
    tail = row.data.get("loading_tail") or row.data.get("log_tail") or ""
    return tuple(str(tail).strip().splitlines()[-TAIL_LINES:])


def _guard_stop(row: EventRow) -> GuardStop:
    t = row.data.get("t")
    return GuardStop(float(t) if isinstance(t, int | float) else row.t, row.source, row.text)
