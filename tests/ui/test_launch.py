"""Launch: profiles to start, whether their nodes can take it, what exactly would happen, and campaigns to open."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import OptionList, Static

from sparktui.errors import BusyError, UsageError
from sparktui.profile import catalog
from sparktui.ui.app import SparktuiApp
from sparktui.ui.dialogs import ConfirmDialog, ErrorDialog, TextDialog
from sparktui.ui.launch import LaunchScreen
from sparktui.ui.launch_lists import find_profiles, profiles_stamp
from sparktui.ui.launch_messages import ProfilesRead
from sparktui.ui.places import MODES
from sparktui.ui.widgets.before import Meaning, NodesNow
from sparktui.ui.widgets.long_text import LongText
from sparktui.ui.widgets.topologies import Profiles, Topologies
from tests.ui.fixture_store import FINISHED, PROFILE_YAML
from tests.ui.viewing import SIZES, Viewer, change, finished, recorded, shown

SMALL = """\
# A race for tests.
name: small
nodes: {one: {host: simulated}, two: {host: simulated, fragile: true}}
model: {id: m, weights_gib: 5}
serving: {launcher: simulated, kv_gib: 20}
topologies:
  solo: {kind: solo, nodes: [one]}
  both: {kind: cluster, nodes: [one, two], distributed: ray}
workload: {pp: 64, tg: 8, concurrency: [1, 4], runs: 2}
"""
TOO_MUCH = SMALL.replace("name: small", "name: toomuch").replace(
    "weights_gib: 5", "weights_gib: 90, weights_gib_per_rank: 1"
)
TOO_MUCH = TOO_MUCH.replace("kv_gib: 20", "kv_gib: 22")
HERE = """\
# This machine, for real.
name: here
nodes: {me: {host: local}}
model: {id: m}
serving: {launcher: command, argv: [serve-it, "--port", "{port}"]}
topologies: {solo: {kind: solo, nodes: [me]}}
"""


@pytest.fixture(autouse=True)
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    (folder / "bad.yaml").write_text("# Broken.\nname: bad\nnods: {}\n")
    monkeypatch.setattr(catalog, "own_folder", lambda: folder)
    monkeypatch.setattr(catalog, "shipped_folder", lambda: folder)
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path / "home"))
    return folder


def lines(viewer: Viewer, which: str) -> list[str]:
    options = viewer.screen.query_one(which, OptionList).options
    return [str(option.prompt) for option in options]


async def chosen(pilot: Pilot[str], name: str) -> Viewer:
    """Put the cursor on a profile, and wait until all that can be known of it is."""
    viewer = pilot.app
    assert isinstance(viewer, Viewer)
    await finished(pilot, "profiles")
    options = viewer.screen.query_one("#profiles", OptionList)
    options.highlighted = options.get_option_index(name)
    await pilot.pause()
    assert isinstance(viewer.screen, LaunchScreen)
    viewer.screen._settled()
    await finished(pilot, "prospect")
    await pilot.pause()
    return viewer


def said(viewer: Viewer) -> str:
    return str(viewer.screen.query_one(Meaning).visual)


class Starter:
    """Stands in for the start of a runner; remembers what was asked for."""

    def __init__(self, campaign: int = 1, error: UsageError | None = None) -> None:
        self.asked: list[tuple[str, tuple[str, ...] | None]] = []
        self._campaign = campaign
        self._error = error

    def __call__(self, profile: str, only: tuple[str, ...] | None) -> int:
        self.asked.append((profile, only))
        if self._error is not None:
            raise self._error
        return self._campaign


async def test_without_a_campaign_the_app_opens_on_launch(tmp_path: Path) -> None:
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "profiles")
        assert viewer.current_mode == "launch"
        assert [line.split()[0] for line in lines(viewer, "#profiles")] == ["bad", "small"]
        assert "SIMULATED" in lines(viewer, "#profiles")[1]
        assert lines(viewer, "#campaigns") == []


@pytest.mark.parametrize("size", SIZES)
async def test_every_topology_says_where_what_it_needs_and_whether_each_node_can_take_it(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with Viewer(tmp_path / "none.db", None).run_test(size=size) as pilot:
        viewer = await chosen(pilot, "small")
        solo, both = lines(viewer, "#topologies")
        nodes = str(viewer.screen.query_one(NodesNow).visual)
    assert solo.split() == ["[x]", "solo", "one", "28.0", "safe", "+90", "-", "-"]
    assert both.split() == ["[x]", "both", "one", "+", "two,", "Ray", "25.5", "safe", "+93", "safe", "+93", "-"]
    assert "two fragile  118.4 of 121.7 GiB" in nodes


async def test_the_topology_under_the_cursor_is_judged_in_a_sentence_and_the_load_is_told(tmp_path: Path) -> None:
    async with Viewer(tmp_path / "none.db", None).run_test(size=(120, 36)) as pilot:
        viewer = await chosen(pilot, "small")
        await pilot.press("tab", "down")
        text = " ".join(said(viewer).split())
    assert "two safe: 118.4 left - 25.5 needed = 92.9 GiB, over the 20 GiB a launch must leave" in text
    assert "c 1 4 · pp64 tg8 · 2 waves each · m" in text
    assert "figures by our own rules (usage); c in Compare: benchy-0.3.5, benchy-0.4.0" in text
    assert "A race for tests." in text
    assert "one $ " in text


async def test_a_refused_topology_says_why_with_its_arithmetic_and_is_not_started(
    tmp_path: Path, profiles: Path
) -> None:
    (profiles / "toomuch.yaml").write_text(TOO_MUCH)
    start = Starter()
    viewer = Viewer(tmp_path / "none.db", None, start)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "toomuch")
        solo, both = lines(viewer, "#topologies")
        await pilot.press("tab")
        text = " ".join(said(viewer).split())
        await pilot.press("space")
        await pilot.pause()
        (toast,) = viewer._notifications
        await pilot.press("enter")
        await finished(pilot, "start")
    assert solo.startswith("[ ] solo")
    assert "refuse" in solo
    assert both.startswith("[x] both")
    assert "one refuse: 118.4 left - 115.0 needed = 3.4 GiB, under the 8 GiB a launch must leave" in text
    assert "one refuse" in toast.message
    assert start.asked == [("toomuch", ("both",))]


async def test_only_the_ticked_topologies_are_started(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    start = Starter(campaign)
    viewer = Viewer(store, None, start)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("tab", "space", "enter")
        await finished(pilot, "start")
        await shown(pilot)
        assert start.asked == [("small", ("both",))]
        assert viewer.current_mode == "live"
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == campaign


async def test_with_everything_ticked_the_whole_profile_is_started(tmp_path: Path) -> None:
    start = Starter()
    async with Viewer(recorded(tmp_path)[0], None, start).run_test(size=(80, 24)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("enter")
        await finished(pilot, "start")
    assert start.asked == [("small", None)]


async def test_with_nothing_ticked_nothing_is_started_and_it_says_so(tmp_path: Path) -> None:
    start = Starter()
    viewer = Viewer(tmp_path / "none.db", None, start)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("tab", "space", "down", "space", "enter")
        await pilot.pause()
        assert isinstance(viewer.screen, ErrorDialog)
    assert start.asked == []


async def test_a_click_on_a_profile_starts_nothing(tmp_path: Path) -> None:
    start = Starter()
    async with Viewer(tmp_path / "none.db", None, start).run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "small")
        await pilot.click("#profiles", offset=(5, 2))
        await finished(pilot, "start")
    assert start.asked == []


async def test_d_shows_the_exact_commands_of_what_is_ticked(tmp_path: Path) -> None:
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("tab", "space", "d")
        await pilot.pause()
        assert isinstance(viewer.screen, TextDialog)
        text = viewer.screen.query_one(LongText).text
        await pilot.press("escape")
        assert isinstance(viewer.screen, LaunchScreen)
    assert "two $ " in text
    assert "undo:" in text
    assert "# both: requests for m go to http://127.0.0.1:" in text
    assert "# solo" not in text


@pytest.mark.parametrize("size", SIZES)
async def test_no_command_is_cut_at_the_edge(tmp_path: Path, size: tuple[int, int]) -> None:
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=size) as pilot:
        await chosen(pilot, "small")
        known = viewer.screen._choice.prospect.commands if isinstance(viewer.screen, LaunchScreen) else {}
        await pilot.press("d")
        await pilot.pause()
        box = viewer.screen.query_one(LongText)
        rows = box.text.splitlines()
        assert max(map(len, rows)) <= box.scrollable_content_region.width
    commands = "".join("".join(text.split()) for text in known.values())
    assert "".join("".join(rows).split()) == commands != ""


async def test_c_looks_at_the_nodes_for_real_and_shows_what_it_found(tmp_path: Path, profiles: Path) -> None:
    (profiles / "here.yaml").write_text(HERE)
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "here")
        nodes = str(viewer.screen.query_one(NodesNow).visual)
        await pilot.press("c")
        await finished(pilot, "check")
        assert isinstance(viewer.screen, TextDialog)
        text = viewer.screen.query_one(LongText).text
    assert "me" in nodes
    assert " of " in nodes
    assert "GiB left of" in text
    assert "PROBLEM  program     serve-it is not there" in text


async def test_a_node_that_does_not_answer_is_said_and_never_safe(tmp_path: Path, profiles: Path) -> None:
    (profiles / "here.yaml").write_text(HERE.replace("host: local", "host: nobody.invalid"))
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "here")
        nodes = str(viewer.screen.query_one(NodesNow).visual)
        (solo,) = lines(viewer, "#topologies")
    assert "no answer" in nodes
    assert "unknown" in solo
    assert "safe" not in solo


async def test_how_long_it_takes_is_told_from_what_the_same_race_took_before(tmp_path: Path, profiles: Path) -> None:
    (profiles / "gemma4-26b-a4b.yaml").write_text(PROFILE_YAML)
    store, _ = recorded(tmp_path, FINISHED)
    async with Viewer(store, None).run_test(size=(120, 36)) as pilot:
        viewer = await chosen(pilot, "gemma4-26b-a4b")
        about = [line[-9:].strip() for line in lines(viewer, "#topologies")]
    assert about[0] == "10 m 27 s"
    assert all(" m " in text for text in about)


async def test_e_writes_the_topologies_with_their_verdicts(tmp_path: Path) -> None:
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("e")
        await finished(pilot, "write")
        table = viewer.screen.rows_shown() if isinstance(viewer.screen, LaunchScreen) else None
    assert table is not None
    verdicts = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [(row["topology"], row["node"], row["verdict"]) for row in verdicts] == [
        ("solo", "one", "safe"),
        ("both", "one", "safe"),
        ("both", "two", "safe"),
    ]
    (written,) = tmp_path.glob("sparktui-launch-*.csv")
    with written.open(newline="") as file:
        assert [row[3] for row in csv.reader(file) if row[0] == "solo"] == ["one"]


@pytest.mark.parametrize(("profile", "marked"), [("small", True), ("here", False)])
async def test_its_file_says_simulated_of_the_profile_and_not_of_the_open_campaign(
    tmp_path: Path, profiles: Path, profile: str, marked: bool
) -> None:
    (profiles / "here.yaml").write_text(HERE)
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 36)) as pilot:
        await pilot.press("1")
        await chosen(pilot, profile)
        await pilot.press("e")
        await finished(pilot, "export")
    (written,) = tmp_path.glob("sparktui-launch-*.csv")
    content = written.read_text()
    assert ("SIMULATED" in content) == marked
    assert "# campaign" not in content


async def test_the_problems_of_a_profile_are_shown_with_file_and_key_and_it_is_not_started(tmp_path: Path) -> None:
    start = Starter()
    viewer = Viewer(tmp_path / "none.db", None, start)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await finished(pilot, "profiles")
        assert "nods" in said(viewer)
        assert "bad.yaml" in said(viewer)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(viewer.screen, ErrorDialog)
        assert any("nods" in str(static.visual) for static in viewer.screen.query(Static))
    assert start.asked == []


async def test_real_engines_are_started_only_after_a_yes(tmp_path: Path, profiles: Path) -> None:
    (profiles / "here.yaml").write_text(HERE)
    start = Starter()
    viewer = Viewer(tmp_path / "none.db", None, start)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await chosen(pilot, "here")
        for key in ("enter", "n"):
            await pilot.press("enter", key)
            await finished(pilot, "start")
            assert start.asked == []
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(viewer.screen, ConfirmDialog)
        text = " ".join(str(static.visual) for static in viewer.screen.query(Static))
        assert "Start here?" in text
        assert "launched on me, one topology after another: solo" in text
        await pilot.press("y")
        await finished(pilot, "start")
    assert start.asked == [("here", None)]


async def test_a_profile_that_is_added_or_written_to_shows_without_a_restart(tmp_path: Path, profiles: Path) -> None:
    async with Viewer(tmp_path / "none.db", None).run_test(size=(120, 36)) as pilot:
        viewer = await chosen(pilot, "small")
        (profiles / "again.yaml").write_text(SMALL.replace("name: small", "name: again"))
        (profiles / "small.yaml").write_text(SMALL.replace("runs: 2", "runs: 7"))
        assert isinstance(viewer.screen, LaunchScreen)
        viewer.screen._read_profiles()
        await finished(pilot, "profiles")
        await pilot.pause()
        assert [line.split()[0] for line in lines(viewer, "#profiles")] == ["again", "bad", "small"]
        options = viewer.screen.query_one("#profiles", OptionList)
        assert options.highlighted == 2
        assert "7 waves each" in said(viewer)


async def test_the_same_files_read_once_more_leave_what_is_known_alone(tmp_path: Path) -> None:
    async with Viewer(tmp_path / "none.db", None).run_test(size=(120, 36)) as pilot:
        viewer = await chosen(pilot, "small")
        screen = viewer.screen
        assert isinstance(screen, LaunchScreen)
        known = screen._choice
        screen.post_message(ProfilesRead(find_profiles(), profiles_stamp()))
        await pilot.pause()
        # Where its cursor is, and how its nodes are, may be told anew at any moment.
        assert replace(screen._choice, topology=known.topology, prospect=known.prospect) == known
        assert screen._choice.prospect is not None
        assert (screen._choice.prospect.samples.keys()) == known.prospect.samples.keys()


def question(viewer: Viewer) -> str:
    assert isinstance(viewer.screen, ConfirmDialog)
    return " ".join(" ".join(str(static.visual).split()) for static in viewer.screen.query(Static))


async def test_the_question_before_a_start_repeats_what_is_known_to_be_wrong(tmp_path: Path, profiles: Path) -> None:
    (profiles / "here.yaml").write_text(HERE)
    (profiles / "away.yaml").write_text(HERE.replace("host: local", "host: nobody.invalid"))
    async with Viewer(tmp_path / "none.db", None).run_test(size=(80, 24)) as pilot:
        viewer = await chosen(pilot, "away")
        await pilot.press("enter")
        await pilot.pause()
        assert "me does not answer: c says why" in question(viewer)
        await pilot.press("n")
        await chosen(pilot, "here")
        await pilot.press("enter")
        await pilot.pause()
        assert "me does not answer" not in question(viewer)
        await pilot.press("n", "c")
        await finished(pilot, "check")
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert "PROBLEM me: program serve-it is not there" in question(viewer)


async def test_a_start_beside_a_running_race_leads_to_it(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, None, Starter(error=BusyError(campaign)))
    async with viewer.run_test(size=(80, 24)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("enter")
        await finished(pilot, "start")
        assert isinstance(viewer.screen, ConfirmDialog)
        assert not list(viewer._notifications), "nothing is starting"
        await pilot.press("y")
        await shown(pilot)
        assert viewer.current_mode == "live"
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == campaign


@pytest.mark.parametrize(
    ("width", "said"), [(80, "2 nodes  2 topologies"), (120, "2 nodes"), (200, "2 nodes  2 topologies")]
)
async def test_a_profiles_size_is_told_whole_or_not_at_all(
    tmp_path: Path, profiles: Path, width: int, said: str
) -> None:
    (profiles / "gemma4-26b-a4b.yaml").write_text(SMALL.replace("name: small", "name: gemma4-26b-a4b"))
    (profiles / "small.yaml").unlink()
    async with Viewer(tmp_path / "none.db", None).run_test(size=(width, 36)) as pilot:
        viewer = await chosen(pilot, "gemma4-26b-a4b")
        room = viewer.screen.query_one(Profiles).scrollable_content_region.width
        line = lines(viewer, "#profiles")[1]
    assert line.startswith("gemma4-26b-a4b  SIMULATED")
    assert len(line) <= room
    assert (said in line) == (room >= len("gemma4-26b-a4b  SIMULATED  ") + len(said))


async def test_where_there_are_no_campaigns_their_list_is_passed_by(tmp_path: Path) -> None:
    async with Viewer(tmp_path / "none.db", None).run_test(size=(80, 24)) as pilot:
        viewer = await chosen(pilot, "small")
        been = []
        for _ in range(4):
            await pilot.press("tab")
            been.append(viewer.focused.id if viewer.focused else None)
    assert been == ["topologies", "profiles", "topologies", "profiles"]


async def test_the_way_to_the_campaigns_is_told_from_where_the_cursor_is(tmp_path: Path) -> None:
    viewer = Viewer(recorded(tmp_path)[0], None)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "campaigns")
        campaigns = viewer.screen.query_one("#campaigns")
        titles = []
        for _ in range(3):
            await pilot.pause()
            titles.append(str(campaigns.border_title))
            if not campaigns.has_focus:
                await pilot.press("tab")
        assert campaigns.has_focus
    assert [title.partition(" · ")[2] for title in titles] == [
        "Tab twice, then Enter opens",
        "Tab, then Enter opens",
        "Enter opens",
    ]


async def test_a_start_that_fails_says_why_and_what_to_do(tmp_path: Path) -> None:
    start = Starter(error=UsageError("campaign 3 is running", "`sparktui attach 3` shows it"))
    viewer = Viewer(tmp_path / "none.db", None, start)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("enter")
        await finished(pilot, "start")
        assert isinstance(viewer.screen, ErrorDialog)
        text = " ".join(str(static.visual) for static in viewer.screen.query(Static))
        assert "campaign 3 is running" in text
        assert "`sparktui attach 3` shows it" in text
        await pilot.press("escape")
        assert viewer.current_mode == "launch"


async def test_nodes_are_left_alone_while_something_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await shown(pilot)
        await pilot.press("1")
        await chosen(pilot, "small")
        await shown(pilot)
        screen = viewer.screen
        assert isinstance(screen, LaunchScreen)
        if screen._settling is not None:
            screen._settling.stop()  # it asks by itself
        asked: list[str] = []
        monkeypatch.setattr(screen, "_ask", lambda name, _: asked.append(name))
        screen._again()
        assert asked == []
        change(store, "UPDATE campaign SET state = 'done'")
        await shown(pilot)
        screen._again()
        assert asked == ["small"]


async def test_a_campaign_of_the_past_is_opened_with_enter(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    viewer = Viewer(store, None)
    async with viewer.run_test(size=(80, 24)) as pilot:
        await finished(pilot, "campaigns")
        (line,) = lines(viewer, "#campaigns")
        assert "gemma4-26b-a4b" in line
        assert "done" in line
        assert "SIMULATED" in line
        viewer.screen.query_one("#campaigns").focus()
        await pilot.press("enter")
        await shown(pilot)
        assert viewer.current_mode == "live"
        assert viewer.snapshot.campaign is not None
        assert viewer.snapshot.campaign.id == campaign


async def test_the_cursor_of_the_topologies_stays_where_it_is_when_more_becomes_known(tmp_path: Path) -> None:
    viewer = Viewer(tmp_path / "none.db", None)
    async with viewer.run_test(size=(120, 36)) as pilot:
        await chosen(pilot, "small")
        await pilot.press("tab", "down")
        await chosen(pilot, "small")
        assert viewer.screen.query_one(Topologies).under_cursor == "both"


async def test_nothing_is_made_of_screens_that_nobody_has_gone_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def noted(mode: str, make: Callable[[], Screen[Any]]) -> Callable[[], Screen[Any]]:
        def making() -> Screen[Any]:
            made.append(mode)
            return make()

        return making

    monkeypatch.setattr(SparktuiApp, "MODES", {mode: noted(mode, make) for mode, make in MODES.items()})
    async with SparktuiApp(tmp_path / "none.db", None).run_test():
        assert made == ["launch"]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
async def test_names_of_topologies_are_whole_from_80_columns_on(tmp_path: Path, profiles: Path, width: int) -> None:
    (profiles / "small.yaml").write_text(SMALL.replace("  both:", "  cluster-tp2-ray:"))
    async with Viewer(tmp_path / "none.db", None).run_test(size=(width, 30)) as pilot:
        viewer = await chosen(pilot, "small")
        assert any("cluster-tp2-ray " in line for line in lines(viewer, "#topologies"))
        heads = str(viewer.screen.query_one("#heads", Static).visual)
        assert ("where" in heads) == (width != 100)
