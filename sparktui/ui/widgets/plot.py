"""The chart on the screen: drawn again when a point arrives or its size changes, never on a tick."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from sparktui.colours import SLOTS
from sparktui.ui.chart import AXIS, CROSSING, CURSOR, Chart, Rows, draw
from sparktui.ui.sweep_picture import GHOST_INK

INKS = (AXIS, CURSOR, CROSSING, GHOST_INK, *(f"topology-{index}" for index in range(SLOTS)))


class Plot(Widget):
    """Shows a chart; the style sheet gives each ink its colour."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"plot--{ink}" for ink in INKS}

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._chart: Chart | None = None

    def show(self, chart: Chart | None) -> None:
        """Draw a chart; nothing happens where it is the one that is drawn."""
        if chart != self._chart:
            self._chart = chart
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        if self._chart is None or y >= height:
            return Strip.blank(width, self.rich_style)
        return self._strip(draw(self._chart, width, height), y)

    def _strip(self, rows: Rows, y: int) -> Strip:
        segments = [Segment(text, self.get_component_rich_style(f"plot--{ink}")) for text, ink in rows[y]]
        return Strip(segments, self.size.width)
