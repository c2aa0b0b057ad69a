"""The last events, newest at the bottom. What engines and nodes wrote is shown as plain text, never interpreted."""

from __future__ import annotations

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
        room = self.content_size.height
        rows = [row for event in snapshot.events[-room:] for row in _lines(event, width)] if room else []
        return lines(rows[-room:])


def _lines(event: Event, width: int) -> Sequence[Content]:
    mark, style = MARKS.get(event.level, MARKS["info"])
    room = max(0, width - INDENT)
    head = Content.assemble((clock(event.t), "$dim"), " ", (f"{mark} {clipped(harmless(event.text), room)}", style))
    tail = [Content.styled(f"{'':{INDENT - 2}}│ {clipped(harmless(line), room)}", "$dim") for line in event.tail]
    return [head, *tail]
