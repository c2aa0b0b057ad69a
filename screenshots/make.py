"""Make the pictures from the real app: a race on simulated nodes, one that the guard cuts short, and a plot.

.venv/bin/python screenshots/make.py
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from animation import animated, anonymous, self_contained

from sparktui.exporting.files import export
from sparktui.importing.published import open_published
from sparktui.store.reader import Reader
from sparktui.ui.app import SparktuiApp
from sparktui.ui.themes import DARK_NAME, LIGHT_NAME

FOLDER = Path(__file__).parent
SIZE = (120, 36)
PHOTOGRAPHED = ("cluster-tp2", 16)
"""The cell in the picture of Live."""
SETTLED_S, FRAME_S = 3.0, 1.2
LIVE_FRAMES = 7
AFTER = (("3", "sweep"), ("4", "compare"), ("5", "nodes"), ("6", "history"), ("1", "launch"))
"""The screens pictured when the race is over, with their keys."""


@contextmanager
def race(*options: str) -> Iterator[Path]:
    """Start a race on simulated nodes and return its store; stop what is left of it in the end."""
    with tempfile.TemporaryDirectory() as home:
        env = os.environ | {"SPARKTUI_HOME": home}
        command = [sys.executable, "-m", "sparktui"]
        subprocess.run([*command, "demo", "--detach", *options], env=env, check=True, stdout=subprocess.DEVNULL)
        os.environ["SPARKTUI_HOME"] = home
        try:
            yield Path(home) / "sparktui.db"
        finally:
            subprocess.run([*command, "stop"], env=env, check=False, capture_output=True)


def wait_until(store: Path, holds: Callable[[Reader], bool]) -> None:
    """Wait until something holds of a race, or it is over."""
    while True:
        with Reader(store) as reader:
            if holds(reader) or reader.campaign(1).finished is not None:
                return
        time.sleep(0.5)


def measures_the_cell(reader: Reader) -> bool:
    """Tell whether the photographed cell is being measured."""
    cells = [(sweep.topology, cell) for sweep in reader.sweeps(1) for cell in reader.cells(sweep.id)]
    return any((name, cell.concurrency, cell.state) == (*PHOTOGRAPHED, "measuring") for name, cell in cells)


def guard_has_acted(reader: Reader) -> bool:
    """Tell whether the guard has ended something."""
    return any(sweep.state == "guard" for sweep in reader.sweeps(1))


def picture(app: SparktuiApp) -> str:
    """Return what the app shows."""
    return anonymous(self_contained(app.export_screenshot()), str(FOLDER.parent))


async def photograph(store: Path, keys: Sequence[tuple[str, str]], theme: str, suffix: str = "") -> None:
    """Open the app on a race and save what each of its screens shows."""
    app = SparktuiApp(store, 1)
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        for key, name in keys:
            await pilot.press(key)
            await pilot.pause(SETTLED_S)
            (FOLDER / f"{name}{suffix}.svg").write_text(picture(app))


async def film(store: Path, frames: int, keys: str) -> list[str]:
    """Return frames of the app, one for each key, or a number of the screen in front."""
    app = SparktuiApp(store, 1)
    taken = []
    async with app.run_test(size=SIZE) as pilot:
        app.theme = DARK_NAME
        await pilot.pause(SETTLED_S)
        for number in range(frames):
            if keys:
                await pilot.press(keys[number])
            await pilot.pause(SETTLED_S if keys else FRAME_S)
            taken.append(picture(app))
    return taken


def picture_race() -> None:
    """Picture every screen, dark and light, and make the film."""
    with race() as store:
        wait_until(store, measures_the_cell)
        asyncio.run(photograph(store, [("2", "live")], DARK_NAME))
        asyncio.run(photograph(store, [("2", "live")], LIGHT_NAME, "-light"))
        frames = asyncio.run(film(store, LIVE_FRAMES, ""))
        wait_until(store, lambda reader: False)
        for theme, suffix in ((DARK_NAME, ""), (LIGHT_NAME, "-light")):
            asyncio.run(photograph(store, AFTER, theme, suffix))
        frames += asyncio.run(film(store, 3, "345"))
    seconds = [FRAME_S] * LIVE_FRAMES + [3.5] * 3
    (FOLDER / "demo.svg").write_text(animated(frames, seconds))


def picture_guard() -> None:
    """Picture what the guard leaves to be read when it has ended a topology."""
    with race("--fault", "gf1-collapse") as store:
        wait_until(store, guard_has_acted)
        asyncio.run(photograph(store, [("2", "guard"), ("5", "guard-nodes"), ("w", "guard-nodes")], DARK_NAME))


def main() -> None:
    """Make every picture."""
    picture_race()
    picture_guard()
    with open_published("gemma4-26b-a4b") as (reader, campaign):
        export(reader, campaign, "svg", FOLDER / "published.svg")
    for path in FOLDER.glob("*.svg"):
        path.chmod(0o644)


if __name__ == "__main__":
    main()
