"""Launch: profiles to start, campaigns to open, and what cannot be used says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import OptionList, Static

from sparktui.errors import UsageError
from sparktui.profile import catalog
from sparktui.ui.dialogs import ErrorDialog
from tests.ui.fixture_store import FINISHED
from tests.ui.viewing import Viewer, finished, recorded, shown

GOOD = """\
# A race for tests.
name: small
nodes: {one: {host: simulated}}
model: {id: m, weights_gib: 5}
serving: {launcher: simulated}
topologies: {solo: {kind: solo, nodes: [one], description: alone}}
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "small.yaml").write_text(GOOD)
    (folder / "bad.yaml").write_text("# Broken.\nname: bad\nnods: {}\n")
    monkeypatch.setattr(catalog, "own_folder", lambda: folder)
    monkeypatch.setattr(catalog, "shipped_folder", lambda: folder)


def lines(viewer: Viewer, which: str) -> list[str]:
    options = viewer.screen.query_one(which, OptionList).options
    return [str(option.prompt) for option in options]


async def test_without_a_campaign_the_app_opens_on_launch(tmp_path: Path) -> None:
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "profiles")
        assert viewer.current_mode == "launch"
        assert [line.split()[0] for line in lines(viewer, "#profiles")] == ["bad", "small"]
        assert "SIMULATED" in lines(viewer, "#profiles")[1]
        assert lines(viewer, "#campaigns") == []


async def test_the_plan_of_the_profile_under_the_cursor_is_shown(tmp_path: Path) -> None:
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "profiles")
        await pilot.press("down")
        plan = str(viewer.screen.query_one("#plan", Static).visual)
        await pilot.press("up")
        problems = str(viewer.screen.query_one("#plan", Static).visual)
    assert "A race for tests." in plan
    assert "solo  one  alone" in plan
    assert "nods" in problems


async def test_enter_starts_the_profile_and_shows_it_live(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    started: list[str] = []

    def start(profile: str) -> int:
        started.append(profile)
        return campaign

    viewer = Viewer(store, None, start)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "profiles")
        await pilot.press("down", "enter")
        await finished(pilot, "start")
        await shown(pilot)
        assert started == ["small"]
        assert viewer.current_mode == "live"
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == campaign


async def test_a_start_that_fails_says_why_and_what_to_do(tmp_path: Path) -> None:
    def start(profile: str) -> int:
        raise UsageError("campaign 3 is running", "`sparktui attach 3` shows it")

    viewer = Viewer(tmp_path / "none.db", None, start)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "profiles")
        await pilot.press("down", "enter")
        await finished(pilot, "start")
        assert isinstance(viewer.screen, ErrorDialog)
        said = " ".join(str(static.visual) for static in viewer.screen.query(Static))
        assert "campaign 3 is running" in said
        assert "`sparktui attach 3` shows it" in said
        await pilot.press("escape")
        assert viewer.current_mode == "launch"


async def test_a_profile_that_cannot_be_used_is_not_started(tmp_path: Path) -> None:
    started: list[str] = []
    viewer = Viewer(tmp_path / "none.db", None, lambda name: len(started.append(name) or []))  # type: ignore[func-returns-value]
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "profiles")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(viewer.screen, ErrorDialog)
        assert any("nods" in str(static.visual) for static in viewer.screen.query(Static))
    assert started == []


async def test_a_campaign_of_the_past_is_opened_with_enter(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    viewer = Viewer(store, None)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "campaigns")
        (line,) = lines(viewer, "#campaigns")
        assert "gemma4-26b-a4b" in line
        assert "done" in line
        assert "SIMULATED" in line
        await pilot.press("tab", "enter")
        await shown(pilot)
        assert viewer.current_mode == "live"
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == campaign
