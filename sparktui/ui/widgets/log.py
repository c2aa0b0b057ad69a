"""The last events, newest at the bottom. What engines and nodes wrote is shown as plain text, never interpreted."""

from __future__ import annotations

from textual.content import Content

from sparktui.ui.snapshot import Event, Snapshot
from sparktui.ui.text import clipped, clock, harmless, lines
from sparktui.ui.widgets.panel import Panel

MARKS = {"info": (" ", ""), "warning": ("!", "$warning"), "error": ("✗", "bold $error")}


class Log(Panel):
    """As many of the last events as there are lines."""

    def __init__(self) -> None:
        super().__init__(id="log", classes="box", title="events")

    def concern(self, snapshot: Snapshot) -> object:
        return snapshot.events

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        room = self.content_size.height
        return lines([_line(event, width) for event in snapshot.events[-room:]] if room else [])


def _line(event: Event, width: int) -> Content:
    mark, style = MARKS.get(event.level, MARKS["info"])
    text = clipped(harmless(event.text), max(0, width - 11))
    return Content.assemble((clock(event.t), "$dim"), " ", (f"{mark} {text}", style))
