"""The screens by name, each imported when it is first gone to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from textual.screen import Screen

from sparktui.ui.explain import Explanation
from sparktui.ui.snapshot import Snapshot

if TYPE_CHECKING:
    from sparktui.ui.asked import Request
    from sparktui.ui.table_shown import TableShown
    from sparktui.ui.whose import Whose


@runtime_checkable
class Place(Protocol):
    """A screen that draws snapshots and can explain its figures."""

    EXPLAIN: ClassVar[tuple[Explanation, ...]]

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""


@runtime_checkable
class Asking(Protocol):
    """A screen that needs more than every snapshot holds; it posts `ViewAsked` when that changes."""

    def request(self) -> Request | None:
        """Return what to read for it while it is in front; None while it wants nothing."""


@runtime_checkable
class Tabular(Protocol):
    """A screen whose figures can be written to a file."""

    def rows_shown(self) -> TableShown | None:
        """Return the figures that are on the screen; None while there are none."""


@runtime_checkable
class ShowingOthers(Protocol):
    """A screen that may show other campaigns than the open one."""

    def whose(self) -> tuple[Whose, ...] | None:
        """Return whose figures they are, nothing where they are no campaign's; None for the open one's."""


@runtime_checkable
class NodeLooking(Protocol):
    """A screen that shows one node before the others."""

    def look_at(self, node: str) -> None:
        """Look at this one."""


def _launch() -> Screen[None]:
    from sparktui.ui.launch import LaunchScreen

    return LaunchScreen()


def _live() -> Screen[None]:
    from sparktui.ui.live import LiveScreen

    return LiveScreen()


def _sweep() -> Screen[None]:
    from sparktui.ui.sweep import SweepScreen

    return SweepScreen()


def _compare() -> Screen[None]:
    from sparktui.ui.compare import CompareScreen

    return CompareScreen()


def _nodes() -> Screen[None]:
    from sparktui.ui.nodes import NodesScreen

    return NodesScreen()


def _history() -> Screen[None]:
    from sparktui.ui.history import HistoryScreen

    return HistoryScreen()


MODES: dict[str, Callable[[], Screen[Any]]] = {
    "launch": _launch,
    "live": _live,
    "sweep": _sweep,
    "compare": _compare,
    "nodes": _nodes,
    "history": _history,
}
