"""The top line: whose numbers these are, and which screen is which as far as there is room."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.ui.widgets.masthead import Masthead
from tests.ui.fixture_store import FINISHED, Race, build
from tests.ui.viewing import Viewer, change, recorded, shown

NAMES = ("Launch", "Live", "Sweep", "Compare", "Nodes", "History")


async def top(folder: Path, name: str, width: int, key: str = "2") -> str:
    store, campaign = recorded(folder)
    change(store, "UPDATE campaign SET name = ?", name)
    async with Viewer(store, campaign).run_test(size=(width, 36)) as pilot:
        await pilot.press(key)
        return str((await shown(pilot)).panel(Masthead).visual)


@pytest.mark.parametrize(("name", "width"), [("demo", 80), ("gemma4-26b-a4b", 120)])
async def test_every_screen_is_named_where_there_is_room(tmp_path: Path, name: str, width: int) -> None:
    said = await top(tmp_path, name, width)
    assert all(f"{number} {title}" in said for number, title in enumerate(NAMES, 1))
    assert "SIMULATED" in said


@pytest.mark.parametrize("key", "123456")
async def test_where_there_is_less_room_names_are_left_out_whole_but_never_that_of_the_one_in_front(
    tmp_path: Path, key: str
) -> None:
    said = await top(tmp_path, "gemma4-26b-a4b", 80, key)
    named = [title for title in NAMES if title in said]
    assert NAMES[int(key) - 1] in named
    assert len(named) >= 5
    assert [word for word in said.split() if word.isdigit()] == list("123456")
    assert "gemma4-26b-a4b #1" in said
    assert len(said) <= 80


@pytest.mark.parametrize("width", [80, 120])
async def test_of_campaigns_side_by_side_the_simulated_ones_are_marked_whatever_the_room(
    tmp_path: Path, width: int
) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    build(store, Race(source="measured"))
    async with Viewer(store, campaign).run_test(size=(width, 36)) as pilot:
        viewer = await shown(pilot)
        await viewer.compare_campaigns(("published/gemma4-26b-a4b", "2", "1"))
        await shown(pilot)
        said = str((await shown(pilot)).panel(Masthead).visual)
    assert " SIMULATED   gemma4-26b-a4b #1 ·" in said
    assert said.count("SIMULATED") == 1
