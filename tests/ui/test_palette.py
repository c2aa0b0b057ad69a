"""The palette: every name leads somewhere, and what it finds it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from sparktui.profile import catalog
from sparktui.ui.app import SparktuiApp
from sparktui.ui.dialogs import ConfirmDialog
from sparktui.ui.palette import Names
from tests.ui.fixture_store import FINISHED
from tests.ui.test_launch import HERE, SMALL, Starter
from tests.ui.viewing import Viewer, finished, recorded, shown


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    monkeypatch.setattr(catalog, "own_folder", lambda: folder)
    monkeypatch.setattr(catalog, "shipped_folder", lambda: folder)


async def offered(pilot: Pilot[str], typed: str = "") -> dict[str, Any]:
    """Return what the palette offers for what is typed, by title."""
    names = Names(pilot.app.screen)
    await names.startup()
    return {str(hit.prompt): hit async for hit in (names.search(typed) if typed else names.discover())}


async def test_every_profile_campaign_and_node_is_offered(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test() as pilot:
        await shown(pilot)
        assert set(await offered(pilot)) == {"Start small", "Node gf1", "Node gf2", "Open campaign 1: gemma4-26b-a4b"}
        assert set(await offered(pilot, "gf2")) == {"Node gf2"}


async def test_without_a_store_the_profiles_are_offered(tmp_path: Path) -> None:
    async with Viewer(tmp_path / "none.db", None).run_test() as pilot:
        assert set(await offered(pilot)) == {"Start small"}


async def test_a_profile_is_started_a_campaign_opened_and_a_node_looked_at(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    start = Starter(campaign)
    viewer = Viewer(store, None, start)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await (await offered(pilot, "open"))["Open campaign 1: gemma4-26b-a4b"].command()
        await shown(pilot)
        assert viewer.current_mode == "live"
        await (await offered(pilot, "gf2"))["Node gf2"].command()
        assert viewer.current_mode == "nodes"
        (await offered(pilot, "start small"))["Start small"].command()
        await finished(pilot, "start")
    assert start.asked == [("small", None)]


async def test_real_engines_are_started_only_after_a_yes(tmp_path: Path) -> None:
    (tmp_path / "profiles" / "here.yaml").write_text(HERE)
    start = Starter()
    viewer = Viewer(tmp_path / "none.db", None, start)
    async with viewer.run_test(size=(120, 36)) as pilot:
        (await offered(pilot, "start here"))["Start here"].command()
        await pilot.pause()
        assert isinstance(viewer.screen, ConfirmDialog)
        assert start.asked == []
        await pilot.press("y")
        await finished(pilot, "start")
    assert start.asked == [("here", None)]


def test_the_app_asks_for_these_names() -> None:
    assert Names in SparktuiApp.COMMANDS
