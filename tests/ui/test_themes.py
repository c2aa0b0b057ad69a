"""Dark, light and the terminal's own colours: chosen with a key, found again, and none needed to read a screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color

from sparktui.ui import themes
from sparktui.ui.settings import NAME, Settings, read_settings, write_settings
from tests.ui.fixture_store import FINISHED
from tests.ui.viewing import Viewer, finished, recorded, shown

BLACK = Color(0, 0, 0)


async def test_t_changes_between_dark_light_and_the_terminals_own(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    async with viewer.run_test() as pilot:
        seen = [viewer.theme]
        for _ in range(3):
            await pilot.press("t")
            seen.append(viewer.theme)
    assert seen == [themes.DARK_NAME, themes.LIGHT_NAME, themes.ANSI_NAME, themes.DARK_NAME]


async def test_the_theme_chosen_is_found_again(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    first = Viewer(store, campaign)
    async with first.run_test() as pilot:
        assert not (tmp_path / NAME).exists()
        await pilot.press("t")
        await finished(pilot, "settings")
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    second = Viewer(store, campaign)
    async with second.run_test():
        assert second.theme == themes.LIGHT_NAME


@pytest.mark.parametrize("content", ["", "not json", "[1]", '{"theme": 3}', '{"theme": "gone"}', '{"other": 1}'])
async def test_a_settings_file_that_makes_no_sense_is_passed_over(tmp_path: Path, content: str) -> None:
    (tmp_path / NAME).write_text(content)
    viewer = Viewer(*recorded(tmp_path))
    async with viewer.run_test():
        assert viewer.theme == themes.DARK_NAME


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    write_settings(tmp_path / "new", Settings("sparktui-light"))
    assert read_settings(tmp_path / "new") == Settings("sparktui-light")
    assert read_settings(tmp_path / "nowhere") == Settings()


@pytest.mark.parametrize("theme", ["nord", "textual-light", "ansi-dark", "ansi-light"])
async def test_every_other_theme_can_be_chosen(tmp_path: Path, theme: str) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(80, 24)) as pilot:
        viewer.theme = theme
        for key in "23":
            await pilot.press(key)
            await shown(pilot)
            assert "SIMULATED" in viewer.export_screenshot()


async def test_the_terminals_own_theme_uses_no_colour_beyond_its_sixteen(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 40)) as pilot:
        viewer.theme = themes.ANSI_NAME
        for key in "12345":
            await pilot.press(key)
            await shown(pilot)
            assert colours(viewer) - set(range(16)) <= {None}


async def test_without_colour_nothing_is_coloured_and_everything_is_still_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 40)) as pilot:
        for key in "12345":
            await pilot.press(key)
            await shown(pilot)
            await shown(pilot)
            assert colours(viewer) == {None}
            assert "SIMULATED" in viewer.export_screenshot()


def colours(viewer: Viewer) -> set[int | None]:
    """Return the numbers of all colours on the screen; None is the terminal's default, true colours count from 1000."""
    found: set[int | None] = set()
    for strip in viewer.screen._compositor.render_strips():
        seen = strip.apply_filter(viewer._filters[-1], BLACK) if viewer.no_color else strip
        for style in (segment.style for segment in seen):
            for colour in (style.color, style.bgcolor) if style else ():
                if colour is not None:
                    found.add(1000 if colour.triplet else colour.number)
    return found
