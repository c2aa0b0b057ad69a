"""A text longer than the screen: only the lines in sight are drawn, so that it opens at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

Write = Callable[[int], Sequence[Content]]
"""Returns the lines of a text for so many columns."""


class LongText(ScrollView, can_focus=True):
    """Lines to be scrolled through.

    Args:
        write: Writes them for the width there is; lines that are wider all the same can be scrolled to.
    """

    def __init__(self, write: Write, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._write = write
        self._lines: Sequence[Content] = ()

    @property
    def text(self) -> str:
        """All of it, as it is written for the present width."""
        return "\n".join(line.plain for line in self._lines)

    def on_resize(self) -> None:
        self._fit()

    def watch_show_vertical_scrollbar(self) -> None:
        self._fit()  # the bar takes columns, and no resize tells

    def _fit(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        self._lines = self._write(width)
        longest = max((line.cell_length for line in self._lines), default=0)
        self.virtual_size = Size(max(width, longest), len(self._lines))

    def render_line(self, y: int) -> Strip:
        left, top = self.scroll_offset
        width = self.scrollable_content_region.width
        row = top + y
        if width < 1 or row >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[row]
        strips = Visual.to_strips(self, line, max(width, left + width), 1, self.visual_style, pad=True)
        return strips[0].crop(left, left + width)
