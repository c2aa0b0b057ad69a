"""The events, newest at the bottom. What engines and nodes wrote is shown as plain text, never interpreted."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from textual.content import Content

from sparktui.ui.snapshot import Event, Snapshot
from sparktui.ui.text import clipped, clock, harmless, lines
from sparktui.ui.widgets.panel import Panel

MARKS = {"info": (" ", ""), "warning": ("!", "$warning"), "error": ("✗", "bold $error")}
INDENT = 11


class Log(Panel):
    """As many of the last lines as there is room for; under what loads or has failed, the end of its own log."""

    def __init__(self) -> None:
        super().__init__(id="log", classes="box", title="events")

    def concern(self, snapshot: Snapshot) -> object:
        return snapshot.events

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        rows: list[Content] = []
        for event in reversed(snapshot.events):
            left = self.content_size.height - len(rows)
            if left <= 0:
                break
            rows[:0] = _fitting(event, width, left)
        return lines(rows)


def every_line(events: Sequence[Event], width: int) -> list[Content]:
    """Return all events with the logs under them, each whole however many lines it takes."""
    room = max(1, width - INDENT)
    return [
        row
        for event in events
        for row in (*_text(event, room), *_tail([part for line in event.tail for part in _wrapped(line, room)]))
    ]


def _fitting(event: Event, width: int, rows: int) -> list[Content]:
    """Return an event in at most so many lines: its beginning, and the end of the log under it."""
    room = max(1, width - INDENT)
    head = _text(event, room)
    if len(head) > rows:
        return [*head[: rows - 1], head[rows - 1].truncate(width - 1) + Content("…")]
    left = rows - len(head)
    return [*head, *_tail([clipped(harmless(line), room) for line in event.tail[-left:]] if left else [])]


def _text(event: Event, room: int) -> list[Content]:
    mark, style = MARKS.get(event.level, MARKS["info"])
    first, *further = _wrapped(event.text, room)
    head = Content.assemble((clock(event.t), "$dim"), " ", (f"{mark} {first}", style))
    return [head, *(Content.styled(f"{'':{INDENT}}{part}", style) for part in further)]


def _tail(lines: Sequence[str]) -> list[Content]:
    return [Content.styled(f"{'':{INDENT - 2}}│ {line}", "$dim") for line in lines]


def _wrapped(text: str, room: int) -> list[str]:
    return textwrap.wrap(harmless(text), room) or [""]
