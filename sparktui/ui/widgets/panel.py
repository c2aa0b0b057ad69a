"""A panel of text that draws itself for the width it has, and repaints only the lines that say something else."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from sparktui.ui.snapshot import EMPTY, Snapshot


class Panel(Widget):
    """Shows part of a snapshot, line by line: nothing wraps. Unless it grows, an update lays nothing out."""

    grows: ClassVar[bool] = False
    """Its height follows how many lines it has."""
    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, title: str = "", classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._titles = ("", "")
        self._shown: Snapshot = EMPTY
        self._drawn = Content()
        self._lines: list[Content] = []
        self.entitle(title)

    @property
    def visual(self) -> Content:
        """All that it says."""
        return self._drawn

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        """Return what to say in `width` columns."""
        raise NotImplementedError

    def show(self, snapshot: Snapshot) -> None:
        """Take a new snapshot and repaint what it changes."""
        unchanged = self.concern(snapshot) is self.concern(self._shown)
        self._shown = snapshot
        if not unchanged:
            self._redraw()

    def concern(self, snapshot: Snapshot) -> object:
        """Return the part of a snapshot that this draws; while it is the very same object nothing is drawn again."""
        return snapshot

    def entitle(self, title: str, subtitle: str = "") -> None:
        """Set what stands in the frame, as plain text; the frame is painted again only where that changes."""
        if (title, subtitle) != self._titles:
            self._titles = (title, subtitle)
            self.border_title, self.border_subtitle = Content(title), Content(subtitle)

    def make_room(self, rows: int) -> None:
        """Be as high as that many rows need; the screen is laid out again only where this changes."""
        needed = rows + self.outer_size.height - self.content_size.height
        if self.outer_size.height and (self.styles.height is None or self.styles.height.value != needed):
            self.styles.height = needed

    def render(self) -> Content:
        """Return all that it says, for whoever wants it as one piece."""
        return self._drawn

    def render_line(self, y: int) -> Strip:
        """Return one line; what has not changed is kept by Textual."""
        width = self.content_size.width
        if width < 1 or y >= len(self._lines):
            return Strip.blank(width, self.visual_style.rich_style)
        return Visual.to_strips(self, self._lines[y], width, 1, self.visual_style)[0]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines it has."""
        return len(self._lines)

    def _redraw(self) -> None:
        width = self.content_size.width
        if width > 0:
            self._say(self.draw(self._shown, width))

    def _say(self, content: Content) -> None:
        before, self._drawn = self._lines, content
        self._lines = content.split(allow_blank=True)
        if self.grows and len(before) != len(self._lines):
            self.refresh(layout=True)
        elif changed := _changed(before, self._lines):
            self.refresh(*(Region(0, row, self.content_size.width, 1) for row in changed))

    def on_resize(self) -> None:
        self._redraw()
        self.refresh()


def _changed(before: list[Content], after: list[Content]) -> list[int]:
    """Return the rows that say something else, those that are gone included."""
    common = min(len(before), len(after))
    longer = range(common, max(len(before), len(after)))
    return [row for row in range(common) if not before[row].is_same(after[row])] + list(longer)
