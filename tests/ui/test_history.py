"""History: every campaign, and what can be done to them."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList, Static

from sparktui.compare.select import selected
from sparktui.compare.summary import compare
from sparktui.errors import UsageError
from sparktui.ui.compare import CompareScreen
from sparktui.ui.dialogs import ConfirmDialog, ErrorDialog
from sparktui.ui.doing import Doing
from sparktui.ui.history import HistoryScreen
from sparktui.ui.history_feed import HistoryFeed
from sparktui.ui.history_line import Layout
from sparktui.ui.history_view import HistoryRow, HistoryView, LevelWinner, levels_shown
from sparktui.ui.live import LiveScreen
from sparktui.ui.widgets.answers import Standing
from tests.ui.fixture_store import FINISHED, Race, build
from tests.ui.viewing import SIZES, Viewer, change, finished, recorded, shown, text

Calls = list[tuple[str, Any]]


def doing(calls: Calls, *, missing: bool = True) -> Doing:
    """Return what notes instead of doing: the runner's side has tests of its own."""

    def resume(campaign: int) -> bool:
        calls.append(("resume", campaign))
        return missing

    def lost(campaigns: tuple[int, ...]) -> tuple[str, ...]:
        if 99 in campaigns:
            raise UsageError("campaign 99 is running")
        return tuple(f"campaign {campaign}: 7 waves" for campaign in campaigns)

    def delete(campaigns: tuple[int, ...]) -> None:
        calls.append(("delete", campaigns))

    return Doing(resume, lost, delete)


def three(folder: Path) -> Path:
    """Store a finished, a stopped and a running campaign, numbered in that order."""
    store, _ = recorded(folder, replace(FINISHED, runs=2))
    build(store, Race(state="stopped", done_levels=2, runs=2))
    build(store, Race(runs=2))
    change(store, "UPDATE campaign SET name = 'other', detail = 'asked to stop' WHERE id = 2")
    return store


async def gone_to(pilot: Pilot[str]) -> Viewer:
    """Go to History and wait until the winners of every campaign are there."""
    await pilot.press("6")
    for _ in range(50):
        viewer = await shown(pilot)
        view = viewer.snapshot.view
        if isinstance(view, HistoryView) and all(row.winners is not None for row in view.rows):
            return viewer
    raise AssertionError("winners are never known")


def listed(viewer: Viewer) -> list[str]:
    options = viewer.screen.query_one(OptionList).options
    return [str(option.prompt) for option in options]


async def test_space_marks_where_the_cursor_is_and_leaves_it_there(tmp_path: Path) -> None:
    async with Viewer(three(tmp_path), None).run_test() as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("space", "down", "space", "end", "space", "space")
        marked = [row.split()[1] for row in listed(viewer) if row.startswith("●")]
        at = viewer.screen.query_one(OptionList).highlighted
    assert marked == ["3", "2"]
    assert at == 3


async def test_the_list_is_drawn_again_only_when_a_campaign_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = three(tmp_path)
    async with Viewer(store, None).run_test() as pilot:
        viewer = await gone_to(pilot)
        drawn: list[object] = []
        draw = HistoryScreen._draw

        def noted(screen: HistoryScreen) -> None:
            drawn.append(screen)
            draw(screen)

        monkeypatch.setattr(HistoryScreen, "_draw", noted)
        await shown(pilot)
        assert drawn == []
        change(store, "UPDATE campaign SET name = 'changed' WHERE id = 3")
        await shown(pilot)
        assert len(drawn) == 1
        assert any("changed" in line for line in listed(viewer))


def viewer_of(store: Path, campaign: int | None = None, calls: Calls | None = None, *, missing: bool = True) -> Viewer:
    viewer = Viewer(store, campaign)
    viewer.doing = None if calls is None else doing(calls, missing=missing)
    return viewer


@pytest.mark.parametrize("size", SIZES)
async def test_one_line_a_campaign_newest_first_with_its_winners_and_no_line_is_cut(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with viewer_of(three(tmp_path)).run_test(size=size) as pilot:
        viewer = await gone_to(pilot)
        rows = listed(viewer)
        widest = viewer.screen.query_one(OptionList).scrollable_content_region.width
    assert len(rows) == 4
    assert [row.split()[0] for row in rows[:3]] == ["3", "2", "1"]
    assert "4/4" in rows[2]
    assert "2/4" in rows[1]
    assert "c1 cl" in rows[2]
    assert "c64 s" in rows[2]
    assert "stopped" in rows[1]
    assert "gemma" in rows[3]
    assert "PUBLISHED" in rows[3]
    assert "06 Apr" in rows[3] or "2026-04-06" in rows[3]
    assert all("SIMULATED" in row for row in rows[:3])
    assert max(len(row.rstrip()) for row in rows) <= widest


def settled(feed: HistoryFeed) -> HistoryView:
    """Look until every winner is known: each look works out at least one more."""
    for _ in range(1000):
        view = feed.view()
        if all(row.winners is not None for row in view.rows):
            return view
    raise AssertionError("winners are never known")


def test_the_levels_with_room_are_the_lowest_c8_and_the_highest() -> None:
    assert levels_shown((1, 2, 4, 8, 16, 32, 64)) == (1, 8, 64)
    assert levels_shown((1, 2, 4, 16, 64)) == (1, 4, 64)
    assert levels_shown((2, 4)) == (2, 4)
    assert levels_shown(()) == ()


@pytest.mark.parametrize(
    ("found", "wide", "narrow"),
    [
        (LevelWinner(8, None, only="solo", so_far=True), "c8 only solo", "c8 only 1"),
        (LevelWinner(8, "cluster-tp2", so_far=True), "c8 cluster-tp2 so far", "c8 clus…tp2"),
        (LevelWinner(8, "solo", ("solo", "shuffle")), "c8 solo = shuffle", "c8 tie"),
        (LevelWinner(8, "tp2", ("tp2", "tp2-ray")), "c8 tp2 = tp2-ray", "c8 tie"),
        (LevelWinner(8, None, only="server", rate=771.1), "c8 771.1", "c8 771.1"),
        (LevelWinner(8, None), "c8 -", "c8 -"),
    ],
)
def test_who_has_not_won_is_called_no_winner(found: LevelWinner, wide: str, narrow: str) -> None:
    row = HistoryRow("3", 3, "race", "measured", "stopped", 1, ("solo", "cluster-tp2"), winners=(found,))
    for room, said in ((26, wide), (12, narrow)):
        line = Layout(name=8, winner=room, levels=1, when=13).line(row, marked=False)
        assert f"  {said} " in line.plain
        assert not any("topology" in str(span.style) for span in line.spans), "no winner's colour"
    won = replace(row, winners=(LevelWinner(8, "solo"),))
    assert any("topology" in str(span.style) for span in Layout(8, 26, 1, 13).line(won, marked=False).spans)


@pytest.mark.parametrize("room", range(6, 30))
@pytest.mark.parametrize("level", [1, 16, 300])
def test_no_winner_runs_into_what_stands_beside_it(level: int, room: int) -> None:
    names = ("cluster-tp2", "cluster-tp2-ray")
    for found in (
        LevelWinner(level, None, only="cluster-tp2", so_far=True),
        LevelWinner(level, "cluster-tp2"),
        LevelWinner(level, "cluster-tp2", names),
    ):
        row = HistoryRow("3", 3, "race", "measured", "stopped", 1, names, winners=(found, found))
        line = Layout(name=8, winner=room, levels=2, when=13).line(row, marked=False).plain
        assert re.search(rf"c{level} \S.* c{level} \S.* stopped", line) or room - len(f"c{level} ") < 4, line


async def test_the_winners_are_those_that_show_tells(tmp_path: Path) -> None:
    store = three(tmp_path)
    feed = HistoryFeed(store)
    view = settled(feed)
    feed.close()
    for row in view.rows:
        with selected([row.key], store) as selections:
            told = {r.concurrency: r for t in compare(selections).tables if t.metric.name == "decode" for r in t.rows}
        for found in row.winners or ():
            same = told[found.concurrency]
            assert (found.winner, found.tied, found.only) == (same.winner, same.tied, same.only)
            assert found.so_far == bool(same.awaited)


async def test_a_look_at_many_campaigns_lists_them_all_before_their_winners_are_known(tmp_path: Path) -> None:
    store, _ = recorded(tmp_path, Race(state="done", finished_topologies=1, runs=2))
    for number in range(2, 101):
        change(
            store,
            "INSERT INTO campaign (id, name, profile_yaml, source, created, host, version, state)"
            " SELECT ?, name, profile_yaml, source, created, host, version, state FROM campaign WHERE id = 1",
            number,
        )
    feed = HistoryFeed(store)
    assert len(feed.view().rows) == 101
    assert len(settled(feed).rows) == 101
    feed.close()


async def test_a_campaign_whose_runner_is_gone_is_interrupted(tmp_path: Path) -> None:
    store = three(tmp_path)
    gone = HistoryFeed(store, running=lambda: None)
    there = HistoryFeed(store, running=lambda: 3)
    assert [row.state for row in gone.view().rows][:3] == ["interrupted", "stopped", "done"]
    assert there.view().rows[0].state == "running"
    gone.close()
    there.close()


async def test_without_a_store_there_are_the_published_ones(tmp_path: Path) -> None:
    async with viewer_of(tmp_path / "none.db").run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        assert [row.split()[-1] for row in listed(viewer)] == ["PUBLISHED"]
    assert not (tmp_path / "none.db").exists()


async def test_enter_opens_what_is_over_in_compare_and_what_runs_in_live(tmp_path: Path) -> None:
    async with viewer_of(three(tmp_path)).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("enter")
        await shown(pilot)
        assert isinstance(viewer.screen, LiveScreen)
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == 3
        await gone_to(pilot)
        await pilot.press("down", "down", "enter")
        await shown(pilot)
        assert isinstance(viewer.screen, CompareScreen)
        assert viewer.snapshot.campaign.id == 1


async def test_the_marked_campaigns_stand_side_by_side_and_esc_leaves_the_open_one(tmp_path: Path) -> None:
    store = three(tmp_path)
    async with viewer_of(store, 1).run_test(size=(200, 60)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("c")
        assert isinstance(viewer.screen, HistoryScreen)  # one alone is nothing to compare
        await pilot.press("down", "space", "down", "space")
        await pilot.press("c")
        await shown(pilot)
        viewer = await shown(pilot)
        screen = viewer.screen
        assert isinstance(screen, CompareScreen)
        said = text(screen.query_one(Standing))
        assert "gemma4-26b-a4b #1, other #2" in said
        table = screen.rows_shown()
        assert table is not None
        with selected(("1", "2"), store) as selections:
            expected = compare(selections)
        assert any("1/solo" in column or "1/solo" in map(str, row) for row in table.rows for column in table.columns)
        assert expected.topologies[0] == "1/solo"
        await pilot.press("b")
        await shown(pilot)
        await pilot.press("escape")
        viewer = await shown(pilot)
        assert "#2" not in text(screen.query_one(Standing))


async def test_a_published_campaign_opens_in_compare_and_beside_ones_own(tmp_path: Path) -> None:
    async with viewer_of(three(tmp_path)).run_test(size=(160, 50)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("end", "enter")
        viewer = await shown(pilot)
        assert "published/gemma4-26b-a4b" in text(viewer.screen.query_one(Standing))
        await gone_to(pilot)
        await pilot.press("end", "space", "home", "space", "c")
        viewer = await shown(pilot)
        said = text(viewer.screen.query_one(Standing))
        assert "published/gemma4-26b-a4b" in said
        assert "#3" in said


async def test_resume_asks_and_then_goes_to_live(tmp_path: Path) -> None:
    calls: Calls = []
    async with viewer_of(three(tmp_path), calls=calls).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("down", "r")
        assert isinstance(viewer.screen, ConfirmDialog)
        assert "2 of 4 topologies are done" in said_by(viewer)
        assert "but for what was skipped" in said_by(viewer)
        await pilot.press("n")
        assert calls == []
        await pilot.press("r", "y")
        await finished(pilot, "resume")
        await shown(pilot)
        assert calls == [("resume", 2)]
        assert isinstance(viewer.screen, LiveScreen)
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == 2


async def test_what_runs_is_done_or_was_not_measured_here_is_not_resumed(tmp_path: Path) -> None:
    calls: Calls = []
    async with viewer_of(three(tmp_path), calls=calls).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        for keys in (("home", "r"), ("home", "down", "down", "r"), ("end", "r")):
            await pilot.press(*keys)
            assert isinstance(viewer.screen, HistoryScreen)
    assert calls == []


async def test_delete_says_what_is_lost_and_asks_with_no_as_the_answer_at_hand(tmp_path: Path) -> None:
    calls: Calls = []
    async with viewer_of(three(tmp_path), 1, calls).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("down", "space", "down", "space", "d")
        await finished(pilot, "delete")
        assert isinstance(viewer.screen, ConfirmDialog)
        assert "Delete these 2 campaigns for good?" in said_by(viewer)
        assert "campaign 1: 7 waves; campaign 2: 7 waves" in said_by(viewer)
        assert isinstance(viewer.focused, Button)
        assert viewer.focused.id == "no"
        await pilot.press("enter")
        assert calls == []
        await pilot.press("d")
        await finished(pilot, "delete")
        await pilot.press("y")
        await finished(pilot, "delete")
        await shown(pilot)
        assert calls == [("delete", (1, 2))]
        assert viewer.snapshot.campaign is None  # the open one was among them


async def test_a_published_campaign_is_not_deleted_and_it_is_said_why(tmp_path: Path) -> None:
    calls: Calls = []
    async with viewer_of(three(tmp_path), calls=calls).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("end", "d")
        await pilot.pause()
        assert [toast.message for toast in viewer._notifications] == [
            "published campaigns are part of sparktui: they cannot be deleted"
        ]
    assert calls == []


async def test_what_may_not_be_deleted_is_an_error_and_no_question(tmp_path: Path) -> None:
    calls: Calls = []
    store = three(tmp_path)
    change(store, "UPDATE campaign SET id = 99 WHERE id = 3")
    async with viewer_of(store, calls=calls).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("home", "d")
        await finished(pilot, "delete")
        assert isinstance(viewer.screen, ErrorDialog)
    assert calls == []


async def test_a_filter_leaves_what_has_all_its_words(tmp_path: Path) -> None:
    async with viewer_of(three(tmp_path)).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("slash", *"other", "space", *"stop")
        assert [row.split()[0] for row in listed(viewer)] == ["2"]
        said = str(viewer.screen.query_one("#kept", Static).visual)
        assert "'other stop' hides 3 of 4 campaigns: Esc shows all" in said
        await pilot.press("enter")
        assert viewer.focused is viewer.screen.query_one(OptionList)
        await pilot.press("escape")
        assert len(listed(viewer)) == 4
        assert not viewer.screen.query_one(Input).has_class("-asked")


async def test_a_filter_never_hides_a_race_that_has_just_begun(tmp_path: Path) -> None:
    store = three(tmp_path)
    async with viewer_of(store).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("slash", *"other", "enter")
        assert len(listed(viewer)) == 1
        build(store, replace(FINISHED, runs=2))
        viewer = await gone_to(pilot)
        assert [row.split()[0] for row in listed(viewer)][:2] == ["4", "3"]
        await pilot.press("slash", *"other")
        build(store, replace(FINISHED, runs=2))
        await shown(pilot)
        assert [row.split()[0] for row in listed(viewer)] == ["2"]  # not while somebody types


async def test_what_is_listed_is_written_and_each_marked_campaign_whole(tmp_path: Path) -> None:
    async with viewer_of(three(tmp_path)).run_test(size=(120, 36)) as pilot:
        viewer = await gone_to(pilot)
        await pilot.press("e")
        await finished(pilot, "export")
        await pilot.press("down", "space", "down", "space", "w")
        await finished(pilot, "export")
        assert viewer.is_running
    files = sorted(path.name for path in tmp_path.glob("*.csv"))
    assert len(files) == 3
    listing = next(path for path in tmp_path.glob("*history*.csv"))
    rows = [row for row in csv.reader(listing.read_text().splitlines()) if not row[0].startswith("#")]
    assert rows[0][:2] == ["campaign", "begun"]
    assert [row[0] for row in rows[1:]] == ["3", "2", "1", "published/gemma4-26b-a4b"]
    whole = next(path for path in tmp_path.glob("*-1-campaign-*.csv"))
    assert "cluster-tp2" in whole.read_text()


def test_a_row_is_found_by_any_of_its_words() -> None:
    row = HistoryRow("3", 3, "gemma4", "simulated", "stopped", 1, ("solo", "shuffle"), detail="asked to stop")
    assert row.says("")
    assert row.says("GEMMA shuffle")
    assert row.says("sim 3")
    assert not row.says("gemma cluster")


def said_by(viewer: Viewer) -> str:
    return "\n".join(str(part.visual) for part in viewer.screen.query(Static))
