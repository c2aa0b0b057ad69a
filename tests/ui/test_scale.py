"""A hundred campaigns, 16 nodes, 8 topologies, 512 users: every screen comes up, goes on, and names things in turn."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest

from sparktui.nodes.order import by_number
from tests.ui.scale_store import CAMPAIGNS, LEVELS, NODES, TOPOLOGIES, build_grown
from tests.ui.steps import LIMIT_S
from tests.ui.test_no_screen_blocks import KEYS, moved_on, quickest
from tests.ui.viewing import SIZES, Viewer, finished, shown

PLACES = "123456"
PATIENCE_S = 15.0
"""For the figures of a campaign with 14 000 requests, which are worked out beside the screen, on a shared machine."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("grown") / "sparktui.db"
    assert build_grown(store) == CAMPAIGNS
    return store


def lines(viewer: Viewer) -> str:
    strips = viewer.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


async def until_shown(pilot: object, viewer: Viewer, *texts: str) -> str:
    """Look again and again until all of that stands on the screen."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        await shown(pilot)  # type: ignore[arg-type]
        seen = lines(viewer)
        if all(text in seen for text in texts):
            return seen
        assert time.monotonic() < deadline, f"{texts} never came:\n{seen}"


def test_nodes_are_in_the_order_of_their_numbers() -> None:
    assert sorted(["gf10", "gf2", "a", "gf1", "gf2b", "10.0.0.10", "10.0.0.9"], key=by_number) == [
        "10.0.0.9", "10.0.0.10", "a", "gf1", "gf2", "gf2b", "gf10",
    ]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
async def test_every_screen_shows_what_there_is(grown: Path, size: tuple[int, int]) -> None:
    on_screen = {
        "1": (str(CAMPAIGNS),),
        "2": (f"(8 of {len(TOPOLOGIES)})", f"all {LEVELS[-1]} streams", "gf1 "),
        "3": ("Decode", "shuffle-16"),
        "4": ("79 of 80 cells measured",),
        "5": ("gf1 ",),
        "6": (str(CAMPAIGNS),),
    }
    viewer = Viewer(grown, CAMPAIGNS)
    async with viewer.run_test(size=size) as pilot:
        for place, texts in on_screen.items():
            await pilot.press(place)
            await until_shown(pilot, viewer, *texts)


async def test_nodes_follow_each_other_by_their_numbers_on_screen(grown: Path) -> None:
    viewer = Viewer(grown, CAMPAIGNS)
    async with viewer.run_test(size=(200, 60)) as pilot:
        for place in "25":
            await pilot.press(place)
            seen = await until_shown(pilot, viewer, " gf1 ", " gf2 ", " gf3 ")
            found = [seen.index(f" {name} ") for name in NODES if f" {name} " in seen]
            assert found == sorted(found)


@pytest.mark.parametrize("place", PLACES)
async def test_no_look_and_no_key_takes_longer_than_anybody_feels(grown: Path, place: str) -> None:
    gc.freeze()
    async with Viewer(grown, CAMPAIGNS).run_test(size=(200, 60)) as pilot:
        await pilot.press(place)
        await shown(pilot)
        await finished(pilot, "figures")

        async def look() -> None:
            moved_on(grown)
            await shown(pilot)

        async def press() -> None:
            for key in KEYS.get(place, ("down", "down", "up")):
                await pilot.press(key)
                await shown(pilot)

        assert await quickest(look) < (LIMIT_S, "")
        await press()
        assert await quickest(press) < (LIMIT_S, "")
    gc.unfreeze()
