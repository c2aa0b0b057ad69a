"""The screens by name, each imported when it is first gone to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, runtime_checkable

from textual.screen import Screen

from sparktui.ui.explain import Explanation
from sparktui.ui.snapshot import Snapshot


@runtime_checkable
class Place(Protocol):
    """A screen that draws snapshots and can explain its figures."""

    EXPLAIN: ClassVar[tuple[Explanation, ...]]

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot."""


def _launch() -> Screen[None]:
    from sparktui.ui.launch import LaunchScreen

    return LaunchScreen()


def _live() -> Screen[None]:
    from sparktui.ui.live import LiveScreen

    return LiveScreen()


def _compare() -> Screen[None]:
    from sparktui.ui.compare import CompareScreen

    return CompareScreen()


MODES: dict[str, str | Callable[[], Screen[Any]]] = {"launch": _launch, "live": _live, "compare": _compare}
