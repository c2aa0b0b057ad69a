"""The bottom line: what can be pressed here, and nothing kept of what could be pressed before."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from textual.widget import Widget
from textual.widgets import Static

from sparktui.ui.dialogs import ConfirmDialog
from sparktui.ui.key_line import Entry, fitting
from sparktui.ui.widgets.keybar import Keybar
from sparktui.ui.widgets.long_text import LongText
from tests.ui.fixture_store import FINISHED, Race
from tests.ui.viewing import Viewer, recorded, shown


def _said(viewer: Viewer) -> str:
    return str(viewer.screen.query_one(Keybar).visual)


async def test_it_names_the_keys_of_the_screen_in_front_and_the_palette(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 40)) as pilot:
        viewer = await shown(pilot)
        assert "x Stop" in _said(viewer)
        assert _said(viewer).rstrip().endswith("palette")
        assert "Baseline" not in _said(viewer)
        await pilot.press("4")
        await shown(pilot)
        assert "b Baseline" in _said(viewer)


@pytest.mark.parametrize(("race", "offered"), [(Race(), True), (FINISHED, False), (None, False)])
async def test_stop_is_offered_only_while_there_is_something_to_stop(
    tmp_path: Path, race: Race | None, offered: bool
) -> None:
    store, campaign = recorded(tmp_path, race)
    async with Viewer(store, None if race is None else campaign).run_test(size=(160, 40)) as pilot:
        await pilot.press("2")
        viewer = await shown(pilot)
        assert ("x Stop" in _said(viewer)) is ("x" in viewer.screen.active_bindings) is offered


async def test_a_click_on_a_key_is_the_key(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 40)) as pilot:
        viewer = await shown(pilot)
        await pilot.click(Keybar, offset=(_said(viewer).index("x Stop") + 1, 0))
        await pilot.pause()
        assert isinstance(viewer.screen, ConfirmDialog)


async def test_going_from_screen_to_screen_leaves_nothing_behind(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 40)) as pilot:
        await shown(pilot)
        held = []
        for _ in range(4):
            for key in "24":
                await pilot.press(key)
                await shown(pilot)
            gc.collect()
            held.append(sum(isinstance(thing, Widget) for thing in gc.get_objects()))
        assert held[-1] == held[1]


@pytest.mark.parametrize("key", "123456")
async def test_at_80_columns_the_keys_that_matter_are_there_and_none_is_cut(tmp_path: Path, key: str) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        viewer = await shown(pilot)
        said = _said(viewer)
        assert len(said.rstrip()) <= 78
        entries = said.split("  ")
        names = {found.binding.description for found in viewer.screen.active_bindings.values()} | {"palette"}
        assert {entry.split()[0] for entry in entries if entry.strip()} >= {"e", "s", "q"}
        assert "? Help" in entries
        assert all(len(words) == 1 or words[1] in names for entry in entries if (words := entry.split()))
        screens = [found.binding for found in viewer.screen.active_bindings.values() if found.node is viewer.screen]
        own = [binding.description for binding in screens if binding.show and binding.description]
        assert all(name in said for name in own)


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("key", "123456")
async def test_the_keys_of_every_screen_are_named_from_80_columns_on(tmp_path: Path, key: str, width: int) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(width, 24)) as pilot:
        await pilot.press(key)
        said = _said(await shown(pilot))
    assert "e CSV  s SVG  q Quit" in said


async def test_history_names_under_its_list_the_keys_that_the_bottom_line_has_no_room_for(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        viewer = await shown(pilot)
        assert "space marks · / filters" in str(viewer.screen.query_one("#kept", Static).visual)
        await pilot.press("question_mark")
        await pilot.pause()
        assert "Show only what has these words in it" in " ".join(viewer.screen.query_one(LongText).text.split())


def test_what_matters_least_goes_first_and_the_way_to_all_keys_last() -> None:
    entries = [
        Entry("mark", "space", "Mark"),
        Entry("explain", "?", "Help"),
        Entry("export", "e", "CSV"),
        Entry("quit", "q", "Quit"),
        Entry("stop", "x", "Stop", enabled=False),
        Entry("theme", "t", "Theme"),
        Entry("palette", "^p", "palette"),
    ]

    def left(width: int) -> str:
        return " ".join(" ".join(filter(None, (entry.key, entry.name))) for entry in fitting(entries, width))

    assert left(62) == "space Mark ? Help e CSV q Quit x Stop t Theme ^p palette"
    assert left(54) == "space Mark ? Help e CSV q Quit t Theme ^p palette"
    assert left(46) == "space Mark ? Help e CSV q Quit t Theme ^p"
    assert left(33) == "space Mark ? Help e CSV q Quit"
    assert left(28) == "space Mark ? Help e CSV q"
    assert left(20) == "space Mark ? e q"
    assert left(1) == "?"
