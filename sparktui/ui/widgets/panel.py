"""A panel of text that draws itself for the width it has, and repaints only when what it says has changed."""

from __future__ import annotations

from typing import ClassVar

from textual.content import Content
from textual.widgets import Static

from sparktui.ui.snapshot import EMPTY, Snapshot


class Panel(Static):
    """Shows part of a snapshot. Unless it grows, its size is fixed and an update lays nothing out."""

    grows: ClassVar[bool] = False
    """Its height follows what it says: an update then lays the screen out again."""

    def __init__(self, *, id: str | None = None, title: str = "", classes: str | None = None) -> None:
        super().__init__(Content(), markup=False, id=id, classes=classes)
        self.border_title = title
        self._shown: Snapshot = EMPTY
        self._drawn = Content()

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        """Return what to say in `width` columns."""
        raise NotImplementedError

    def show(self, snapshot: Snapshot) -> None:
        """Take a new snapshot and repaint if it says something else."""
        unchanged = self.concern(snapshot) is self.concern(self._shown)
        self._shown = snapshot
        if not unchanged:
            self._redraw()

    def concern(self, snapshot: Snapshot) -> object:
        """Return the part of a snapshot that this draws; while it is the very same object nothing is drawn again."""
        return snapshot

    def make_room(self, rows: int) -> None:
        """Be as high as that many rows need; the screen is laid out again only where this changes."""
        needed = rows + self.outer_size.height - self.content_size.height
        if self.outer_size.height and (self.styles.height is None or self.styles.height.value != needed):
            self.styles.height = needed

    def _redraw(self) -> None:
        width = self.content_size.width
        if width <= 0:
            return
        content = self.draw(self._shown, width)
        if not content.is_same(self._drawn):
            self._drawn = content
            self.update(content, layout=self.grows)

    def on_resize(self) -> None:
        self._redraw()
