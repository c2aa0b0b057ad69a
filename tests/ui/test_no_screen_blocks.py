"""Nothing that a screen does once it stands keeps the event loop for longer than anybody would feel."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.ui.fixture_store import NOW, Race
from tests.ui.steps import LIMIT_S, steps_taken
from tests.ui.viewing import Viewer, change, recorded, shown

ATTEMPTS = 3
"""Others use this machine's caches too: one quick run proves that it can be quick."""
KEYS = {
    "1": ("down", "tab", "space", "space", "up"),
    "2": ("question_mark", "escape", "x", "escape"),
    "3": ("m", "left", "right", "l"),
    "4": ("b", "c", "down", "question_mark", "escape"),
    "5": ("left", "right", "minus", "down"),
}
"""What is pressed on each screen, by the screen's own key."""


@pytest.fixture
def no_collections() -> Iterator[None]:
    """Keep full collections out: the app itself freezes what was imported, and tests leave much behind."""
    gc.freeze()
    yield
    gc.unfreeze()


async def quickest(run: Callable[[], Awaitable[None]]) -> tuple[float, str]:
    """Return the slowest step of the best of some attempts."""
    slowest = []
    for _ in range(ATTEMPTS):
        with steps_taken() as steps:
            await run()
        slowest.append(max(steps))
        if slowest[-1][0] < LIMIT_S:
            break
    return min(slowest)


def moved_on(store: Path) -> None:
    """Have the wave go on: more tokens, another sample of each node, another event."""
    change(store, "UPDATE live SET tokens = tokens + 97 WHERE id = (SELECT max(id) FROM live)")
    change(store, "UPDATE node_sample SET mem_available_bytes = mem_available_bytes - 5e7 WHERE t > ?", NOW - 2)
    change(
        store,
        "INSERT INTO event (t, campaign, level, source, kind, text) SELECT ?, id, 'info', '', '', 'more' FROM campaign",
        NOW,
    )


@pytest.mark.parametrize("place", KEYS)
async def test_no_look_and_no_key_takes_longer_than_anybody_feels(
    tmp_path: Path, place: str, no_collections: None
) -> None:
    store, campaign = recorded(tmp_path, Race(done_levels=6))
    async with Viewer(store, campaign).run_test(size=(200, 60)) as pilot:
        await pilot.press(place)
        await shown(pilot)

        async def look() -> None:
            moved_on(store)
            await shown(pilot)

        async def press() -> None:
            for key in KEYS[place]:
                await pilot.press(key)
                await shown(pilot)

        assert await quickest(look) < (LIMIT_S, "")
        await press()
        assert await quickest(press) < (LIMIT_S, "")


async def test_a_handler_that_is_slow_is_seen(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    async with viewer.run_test() as pilot:

        def slow() -> None:
            end = time.thread_time() + 2 * LIMIT_S
            while time.thread_time() < end:
                pass

        async def run() -> None:
            viewer.call_later(slow)
            await pilot.pause()

        assert await quickest(run) > (LIMIT_S, "")
