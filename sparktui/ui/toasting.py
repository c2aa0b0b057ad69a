"""What is said in passing: one line or two above the keys, the newest in the place of the last."""

from __future__ import annotations

from textual.app import ReturnType

from sparktui.ui.messages import FileWritten
from sparktui.ui.terminal import TerminalApp


class ToastingApp(TerminalApp[ReturnType]):
    """Shows one toast at a time: two of them cover half of a small terminal, and the older is old news."""

    def on_notify(self) -> None:
        self.clear_notifications()  # before Textual adds the new one

    def on_file_written(self, message: FileWritten) -> None:
        path = message.path.absolute()
        self.notify(f"written: {path.name}\nin {path.parent}", markup=False, timeout=8)
