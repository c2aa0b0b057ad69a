"""The bottom line: what can be pressed here, and nothing kept of what could be pressed before."""

from __future__ import annotations

import gc
from pathlib import Path

from textual.widget import Widget

from sparktui.ui.dialogs import ConfirmDialog
from sparktui.ui.widgets.keybar import Keybar
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
