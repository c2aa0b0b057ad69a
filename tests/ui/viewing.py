"""A viewer for tests: it looks at the store when told to, at a fixed moment, and says when it has drawn."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from textual.pilot import Pilot

from sparktui.ui.app import SparktuiApp, Start
from sparktui.ui.messages import SnapshotTaken
from sparktui.ui.widgets.panel import Panel
from tests.ui.fixture_store import NOW, Race, build

SIZES = ((80, 24), (120, 36), (200, 60))
P = TypeVar("P", bound=Panel)


class Viewer(SparktuiApp):
    """Never looks by itself: `shown` asks for a look and waits until it is on screen. `moment` is its time."""

    def __init__(self, store: Path, campaign: int | None, start: Start | None = None) -> None:
        self.moment = NOW
        super().__init__(store, campaign, hz=0.001, start=start, clock=lambda: self.moment, folder=store.parent)
        self.drawn = asyncio.Event()

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        self.call_after_refresh(self.drawn.set)

    def panel(self, kind: type[P]) -> P:
        """Return the only panel of a kind on the screen in front."""
        return self.screen.query_one(kind)


def recorded(folder: Path, race: Race | None = None) -> tuple[Path, int]:
    """Make a store that holds one campaign and return both."""
    store = folder / "sparktui.db"
    content, campaign = _recording(race or Race())
    store.write_bytes(content)
    return store, campaign


@cache
def _recording(race: Race) -> tuple[bytes, int]:
    with TemporaryDirectory() as folder:
        store = Path(folder) / "sparktui.db"
        campaign = build(store, race)
        return store.read_bytes(), campaign


async def shown(pilot: Pilot[str]) -> Viewer:
    """Have the viewer look once more and return it when what it saw is drawn."""
    viewer = pilot.app
    assert isinstance(viewer, Viewer)
    viewer.drawn.clear()
    viewer.look()
    async with asyncio.timeout(20):
        await viewer.drawn.wait()
    for _ in range(3):  # what was shown may lay out the screen, which resizes panels, which draw again
        await pilot.pause()
    return viewer


async def finished(pilot: Pilot[Any], group: str) -> None:
    """Wait until the workers of a group have ended and what they said is handled."""
    await pilot.pause()
    working = [worker for worker in pilot.app.workers if worker.group == group]
    if working:
        await pilot.app.workers.wait_for_complete(working)
    await pilot.pause()


def text(panel: Panel) -> str:
    """Return what a panel says, title included."""
    return "\n".join(
        part for part in (str(panel.border_title or ""), str(panel.visual), str(panel.border_subtitle or ""))
    )


def everything(viewer: SparktuiApp) -> str:
    """Return what all panels of the screen in front say."""
    return "\n".join(text(panel) for panel in viewer.screen.query(Panel) if panel.display)


def change(store: Path, statement: str, *values: object) -> None:
    """Change the store as a runner would, from another connection."""
    with closing(sqlite3.connect(store)) as db, db:
        db.execute(statement, values)
