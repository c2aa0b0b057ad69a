"""Make the README pictures from the real app: a race on simulated nodes, while it runs and when it is over, and a plot.

.venv/bin/python screenshots/make.py
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sparktui.exporting.files import export
from sparktui.importing.published import open_published
from sparktui.store.reader import Reader
from sparktui.ui.app import SparktuiApp

FOLDER = Path(__file__).parent
SIZE = (120, 36)
PHOTOGRAPHED = ("cluster-tp2", 16)
"""The cell in the picture of Live."""


def start(home: Path) -> Path:
    """Start the race and return its store."""
    argv = [sys.executable, "-m", "sparktui", "demo", "--detach"]
    subprocess.run(argv, env={**os.environ, "SPARKTUI_HOME": str(home)}, check=True, stdout=subprocess.DEVNULL)
    return home / "sparktui.db"


def wait_for(store: Path, state: str) -> None:
    """Wait until the photographed cell is being measured, or the whole race is done."""
    topology, level = PHOTOGRAPHED
    while True:
        with Reader(store) as reader:
            if reader.campaign(1).state == "done":
                return
            for sweep in reader.sweeps(1):
                for cell in reader.cells(sweep.id):
                    if (sweep.topology, cell.concurrency, cell.state) == (topology, level, state):
                        return
        time.sleep(0.5)


async def photograph(store: Path, key: str, name: str, seconds: float) -> None:
    """Open the app on the race, let it draw for a while, and save what it shows."""
    app = SparktuiApp(store, 1)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(key)
        await pilot.pause(seconds)
        app.save_screenshot(f"{name}.svg", path=str(FOLDER))


def main() -> None:
    """Make every picture."""
    with tempfile.TemporaryDirectory() as home:
        store = start(Path(home))
        wait_for(store, "measuring")
        asyncio.run(photograph(store, "2", "live", 4.0))
        wait_for(store, "over")
        asyncio.run(photograph(store, "4", "compare", 2.0))
    with open_published("gemma4-26b-a4b") as (reader, campaign):
        export(reader, campaign, "svg", FOLDER / "published.svg")
    (FOLDER / "published.svg").chmod(0o644)


if __name__ == "__main__":
    main()
