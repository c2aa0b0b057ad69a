"""Every key, on every screen: what it does, what it writes, and what it asks first."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList, Static
from textual.widgets._toast import Toast

from sparktui.ui import explain
from sparktui.ui.app import farewell
from sparktui.ui.dialogs import ConfirmDialog, ErrorDialog, ExplainDialog
from sparktui.ui.empty import NOTHING_OPEN
from sparktui.ui.explain_compare import COMPARE
from sparktui.ui.explain_launch import LAUNCH
from sparktui.ui.explain_live import LIVE
from sparktui.ui.explain_sweep import SWEEP
from sparktui.ui.feed import Feed
from sparktui.ui.snapshot import EMPTY
from sparktui.ui.widgets.long_text import LongText
from sparktui.ui.widgets.progress import Progress
from sparktui.ui.widgets.slots import Slots
from tests.ui.fixture_store import FINISHED, NOW
from tests.ui.viewing import Viewer, change, finished, recorded, shown, text


def controls(store: Path) -> list[tuple[str, str | None]]:
    with closing(sqlite3.connect(store)) as db:
        return db.execute("SELECT command, topology FROM control").fetchall()


async def test_numbers_switch_screens(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    async with viewer.run_test() as pilot:
        keys = {"1": "launch", "2": "live", "3": "sweep", "4": "compare", "5": "nodes"}
        for key, mode in (*keys.items(), ("2", "live")):
            await pilot.press(key)
            assert viewer.current_mode == mode


async def test_a_hidden_screen_is_not_drawn(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    async with Viewer(store, campaign).run_test() as pilot:
        live = (await shown(pilot)).screen.query_one(Progress)
        await pilot.press("4")
        change(store, "UPDATE cell SET runs = 9")
        viewer = await shown(pilot)
        assert "of 5" in text(live)
        await pilot.press("2")
        await shown(pilot)
        assert "of 9" in text(viewer.screen.query_one(Progress))


async def test_q_leaves_the_campaign_running_and_says_how_to_come_back(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test() as pilot:
        await shown(pilot)
        await pilot.press("q")
    assert (
        viewer.return_value
        == f"Campaign {campaign} (gemma4-26b-a4b) goes on. Come back with: sparktui attach {campaign}"
    )
    assert controls(store) == []


async def test_a_race_whose_runner_is_gone_is_interrupted_on_every_screen_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(80, 24)) as pilot:
        where = text((await shown(pilot)).panel(Progress))
        assert f"interrupted: no runner. sparktui stop {campaign} ends what is left, 6 r goes on" in where
        assert "none in flight" in text(viewer.panel(Slots))
        await pilot.press("x")
        (toast,) = viewer._notifications
        assert f"sparktui stop {campaign} ends what is left" in toast.message
        await pilot.press("1")
        await finished(pilot, "campaigns")
        options = viewer.screen.query_one("#campaigns", OptionList)
        assert "interrupted" in str(options.get_option_at_index(0).prompt)
        await pilot.press("q")
    assert controls(store) == []
    assert "has no runner" in str(viewer.return_value)


async def test_a_race_that_has_a_runner_is_not_interrupted(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    asked: list[int] = []

    def alive(number: int) -> bool:
        asked.append(number)
        return True

    with Feed(store, lambda: NOW, alive=alive) as feed:
        snapshot = feed.take(campaign)
        feed.take(campaign)
    assert snapshot.campaign is not None
    assert not snapshot.campaign.interrupted
    assert snapshot.wave is not None
    assert asked == [campaign], "once a second is often enough"


async def test_q_has_nothing_to_say_when_nothing_goes_on(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test() as pilot:
        await shown(pilot)
        await pilot.press("q")
    assert viewer.return_value == ""
    assert farewell(EMPTY) == ""


async def test_a_race_started_elsewhere_is_opened_where_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    races: list[int | None] = [None]
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    monkeypatch.setattr("sparktui.ui.feed.running_campaign", lambda: races[-1])
    monkeypatch.setattr("sparktui.ui.feed.has_runner", lambda _: True)
    store, campaign = recorded(tmp_path)
    async with Viewer(store, None).run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        viewer = await shown(pilot)
        assert NOTHING_OPEN in text(viewer.panel(Progress))
        races.append(campaign)
        viewer.moment += 2
        for _ in range(2):
            await shown(pilot)
        assert viewer.snapshot.campaign is not None
        assert "(3 of 4)" in text(viewer.panel(Progress))
        assert [toast.message for toast in viewer._notifications] == ["campaign 1 is running: 2 shows it"]


async def test_a_campaign_that_is_open_stays_when_a_race_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    monkeypatch.setattr("sparktui.ui.feed.running_campaign", lambda: 2)
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        for _ in range(2):
            viewer = await shown(pilot)
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == 1


async def test_x_stops_only_after_a_yes(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test() as pilot:
        await shown(pilot)
        for refusal in ("n", "escape", "enter"):
            await pilot.press("x")
            assert isinstance(viewer.screen, ConfirmDialog)
            await pilot.press(refusal)
        assert controls(store) == []
        await pilot.press("x", "y")
        await finished(pilot, "control")
    assert controls(store) == [("stop", None)]


def skips(viewer: Viewer) -> dict[str, Any]:
    commands = viewer.get_system_commands(viewer.screen)
    return {command.title: command.callback for command in commands if command.title.startswith("Skip")}


async def test_the_palette_ends_one_topology_only_after_a_yes(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test() as pilot:
        await shown(pilot)
        ((title, skip),) = skips(viewer).items()
        assert title == "Skip: end cluster-tp2-ray"
        for key in ("n", "y"):
            skip()
            await pilot.pause()
            assert isinstance(viewer.screen, ConfirmDialog)
            assert "no resume measures" in " ".join(str(one.content) for one in viewer.screen.query(Static))
            assert controls(store) == []
            await pilot.press(key)
        await finished(pilot, "dialog")
        await finished(pilot, "control")
    assert controls(store) == [("end-topology", "cluster-tp2-ray")]


async def test_of_a_finished_campaign_no_topology_can_be_ended(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test() as pilot:
        await shown(pilot)
        assert skips(viewer) == {}


async def test_x_does_nothing_to_a_finished_campaign(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test() as pilot:
        await shown(pilot)
        await pilot.press("x")
        assert not isinstance(viewer.screen, ConfirmDialog)


async def test_s_writes_the_screen_as_svg(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    async with viewer.run_test() as pilot:
        await shown(pilot)
        await pilot.press("4", "s")
        await finished(pilot, "export")
    (written,) = tmp_path.glob("*.svg")
    assert "-compare-" in written.name
    assert "SIMULATED" in written.read_text()


async def test_toasts_take_two_lines_above_the_keys_and_the_newest_takes_the_lasts_place(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(80, 24), notifications=True) as pilot:
        viewer = await shown(pilot)
        for key in "es":
            await pilot.press(key)
            await finished(pilot, "export")
        await pilot.pause()
        (toast,) = viewer.screen.query(Toast)
        assert ".svg" in str(toast.render())
        assert toast.region.height <= 2
        assert toast.region.bottom == 23


async def test_a_file_that_cannot_be_written_is_said_and_nothing_breaks(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    viewer._folder = tmp_path / "missing"
    async with viewer.run_test() as pilot:
        await shown(pilot)
        await pilot.press("s")
        await finished(pilot, "export")
        assert isinstance(viewer.screen, ErrorDialog)


@pytest.mark.parametrize(
    ("key", "figures"),
    [("1", LAUNCH), ("2", LIVE), ("3", SWEEP), ("4", COMPARE)],
    ids=["launch", "live", "sweep", "compare"],
)
async def test_question_mark_explains_every_figure_and_key(
    tmp_path: Path, key: str, figures: tuple[explain.Explanation, ...]
) -> None:
    viewer = Viewer(*recorded(tmp_path))
    async with viewer.run_test() as pilot:
        await pilot.press(key)
        await shown(pilot)
        await pilot.press("question_mark")
        assert isinstance(viewer.screen, ExplainDialog)
        await pilot.pause()
        box = viewer.screen.query_one(LongText)
        said = box.text
        assert max(map(len, said.splitlines())) <= box.scrollable_content_region.width
        for figure in figures:
            assert figure.name in said
        assert "the campaign goes on" in said
        assert "Scroll" not in said
        assert "super+c" not in said
        assert said.startswith("Keys of this screen\n")
        assert said.index(figures[0].name) < said.index("Keys of every screen")
        await pilot.press("question_mark")
        assert not isinstance(viewer.screen, ExplainDialog)


async def test_the_palette_offers_every_key(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    async with viewer.run_test() as pilot:
        await pilot.press("4")
        await shown(pilot)
        offered = {command.title.partition(":")[0] for command in viewer.get_system_commands(viewer.screen)}
    assert offered >= {
        *("Launch", "Live", "Sweep", "Compare", "Nodes", "History", "Baseline", "Help", "CSV", "SVG", "Stop"),
        *("Theme", "Themes", "Quit", "Export everything"),
    }


async def test_a_store_that_breaks_is_said_once_and_read_again_when_it_is_back(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test() as pilot:
        await shown(pilot)
        change(store, "ALTER TABLE event RENAME TO gone")
        for _ in range(3):
            viewer.look()
            await pilot.pause(0.1)
        assert isinstance(viewer.screen, ErrorDialog)
        await pilot.press("escape")
        assert not isinstance(viewer.screen, ErrorDialog)
        change(store, "ALTER TABLE gone RENAME TO event")
        await shown(pilot)


async def test_a_campaign_that_is_not_there_is_said(tmp_path: Path) -> None:
    store, _ = recorded(tmp_path)
    viewer = Viewer(store, 99)
    async with viewer.run_test() as pilot:
        while not isinstance(viewer.screen, ErrorDialog):
            await pilot.pause()
        await pilot.pause()
        assert any("no campaign 99" in str(static.visual) for static in viewer.screen.query(Static))


def test_colours_are_named_in_the_themes_alone() -> None:
    import re

    import sparktui.ui

    folder = Path(next(iter(sparktui.ui.__path__)))
    files = [path for path in folder.rglob("*") if path.suffix in (".py", ".tcss") and path.name != "themes.py"]
    assert len(files) > 20
    assert [path.name for path in files if re.search(r"#[0-9a-fA-F]{6}\b", path.read_text())] == []
