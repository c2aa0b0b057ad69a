"""What screens ask for that is not of the open campaign: all of them, or several side by side.

They belong to the feed's thread.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sparktui.ui.compared_view import CompareRequest
from sparktui.ui.history_view import HistoryRequest

if TYPE_CHECKING:  # a screen nobody has gone to costs nothing, its imports included
    from sparktui.ui.asked import Asked, View
    from sparktui.ui.compared_feed import ComparedFeed
    from sparktui.ui.history_feed import HistoryFeed


class StoreViews:
    """Answers for the screen in front."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def close(self) -> None:
        """Close what was opened."""
        for feed in (self.__dict__.get("_history"), self.__dict__.get("_compared")):
            if feed is not None:
                feed.close()

    def view(self, asked: Asked) -> View | None:
        """Return what is asked for; None where that is of the open campaign.

        Raises:
            SparktuiError: The store cannot be read, or holds no such campaign.
        """
        match asked.view:
            case HistoryRequest():
                return self._history.view()
            case CompareRequest() as request:
                return self._compared.view(request, asked)
        return None

    @cached_property
    def _history(self) -> HistoryFeed:
        from sparktui.ui.history_feed import HistoryFeed

        return HistoryFeed(self._path)

    @cached_property
    def _compared(self) -> ComparedFeed:
        from sparktui.ui.compared_feed import ComparedFeed

        return ComparedFeed(self._path)
