"""Nodes: what an owner reads off the flight recorder, and how it is moved through, at every size."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from sparktui.nodes.history import clock
from sparktui.ui.nodes import NodesScreen
from sparktui.ui.nodes_view import NodesView
from sparktui.ui.widgets.long_text import LongText
from sparktui.ui.widgets.memory import SamplePanel, ScenePanel, StripPanel, Timeline, Told, Words
from tests.core.flown import COLLAPSE, LAST, LOADING, READY, T0, store_collapse
from tests.ui.fixture_store import FINISHED, Race
from tests.ui.viewing import SIZES, Viewer, change, everything, finished, recorded, shown, text

WIDE = (120, 40)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "sparktui.db"
    store_collapse(path)
    return path


async def opened(pilot: Pilot[str], *keys: str) -> NodesScreen:
    """Go to Nodes and press keys, each when what came before is drawn."""
    await pilot.press("5")
    await shown(pilot)
    await shown(pilot)
    for key in keys:
        await pilot.press(key)
        await shown(pilot)
    assert isinstance(pilot.app.screen, NodesScreen)
    return pilot.app.screen


def view_of(screen: NodesScreen) -> NodesView:
    assert screen._view is not None
    return screen._view


def sample(screen: NodesScreen, node: str = "gf1") -> str:
    return text(next(panel for panel in screen.query(SamplePanel) if panel.node == node))


async def test_a_node_that_collapsed_is_remembered_in_words_in_its_strip_and_in_the_log(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        words, told = text(screen.query_one(Words)), text(screen.query_one(Told))
        strip = text(next(iter(screen.query(StripPanel))))
    assert f"gf1 last seen {clock(LAST)}, 6.3 GiB left, falling 4.4 GiB/s, phase loading" in words
    assert "the guard had warned 4.1 s before" in words.replace("\n", " ")
    assert f"gf1 fragile · 6.3 GiB left at {clock(LAST)} · least 6.3 at {clock(LAST)} in cluster-tp2" in strip
    assert "├idle···" in strip
    assert "✗✗" in strip
    assert f"{clock(LAST)} ✗ gf1 has 6.3 GiB left" in told


async def test_topologies_and_events_stand_on_the_same_axis_as_the_strips(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        up, log, _ = text(screen.query_one(Timeline)).strip("\n").split("\n")
        span = view_of(screen).span
    gutter = up.index("├solo") - span.column(T0)
    assert up.index("├clus") == gutter + span.column(LOADING)
    assert log.index("✗") == gutter + span.column(LAST)


@pytest.mark.parametrize("size", SIZES)
async def test_the_last_words_are_told_to_their_end(store: Path, size: tuple[int, int]) -> None:
    async with Viewer(store, 1).run_test(size=size) as pilot:
        words = (await opened(pilot)).query_one(Words)
        said = str(words.visual).splitlines()
        assert "the guard had warned 4.1 s before" in " ".join(said)
        assert max(map(len, said)) <= words.content_size.width
        assert words.content_size.height == len(said)


@pytest.mark.parametrize("size", SIZES)
async def test_last_words_appear_when_they_come(store: Path, size: tuple[int, int]) -> None:
    change(store, "UPDATE event SET kind = 'later ' || kind")
    async with Viewer(store, 1).run_test(size=size) as pilot:
        words = (await opened(pilot)).query_one(Words)
        assert not words.display
        await pilot.press("2")
        await shown(pilot)
        change(
            store,
            "INSERT INTO event (t, campaign, level, source, kind, text, data)"
            " SELECT t, campaign, level, source, substr(kind, 7), text, data FROM event WHERE kind LIKE 'later %'",
        )
        pilot.app.moment += 2  # type: ignore[attr-defined]
        await opened(pilot)
        assert words.display
        assert words.content_size.height == len(str(words.visual).splitlines()) > 0


async def test_it_is_said_which_sample_is_shown(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        assert " · newest sample · " in sample(await opened(pilot))
        assert " · least left in 5 s · " in sample(await opened(pilot, "p"))


async def test_the_axis_ends_at_what_the_node_has(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE node_sample SET mem_available_bytes = mem_total_bytes - 1000000 WHERE node = 'gf1'")
    async with Viewer(store, campaign).run_test(size=WIDE) as pilot:
        strip = text(next(iter((await opened(pilot)).query(StripPanel))))
    assert " 122 ┤" in strip
    assert "128" not in strip


async def test_well_nodes_have_no_last_words(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        assert not screen.query_one(Words).display
        assert "38.1 GiB left · least 38.1" in everything(pilot.app)  # type: ignore[arg-type]


async def test_the_sample_under_the_cursor_is_shown_with_every_reading_and_its_unit(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        said = sample(await opened(pilot, "p"))
    assert f"gf1 · {clock(LAST)}.0 · least left in 5 s · loading · cluster-tp2" in said
    for reading in (
        "left 6.3 GiB",
        "slope -4.38 GiB/s",
        "GPU processes hold 111.7 GiB",
        "clock 2411 MHz",
        "plain in/out -",
    ):
        assert reading in said


async def test_over_the_sample_stands_which_floor_holds_when(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        said = " ".join(sample(await opened(pilot, "p")).split())
    assert "marked fragile: a launch must leave 20 GiB; stops under 16 loading, 6 serving; warns at 12 left 6.3" in said


async def test_left_and_right_move_through_the_samples_and_newest_comes_back(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, "home")
        assert f"gf2 · {clock(T0 - 5)}.0 · least left in 5 s · idle · no topology up" in sample(screen, "gf2")
        for key in ("shift+right", "right", "right"):
            await pilot.press(key)
            await shown(pilot)
        assert view_of(screen).strips[1].at == pytest.approx(READY - 5, abs=5)
        await pilot.press("end")
        await shown(pilot)
        assert view_of(screen).strips[1].at == LAST + 20


async def test_warnings_are_gone_through_one_by_one(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, "down", "p", "p")
        assert view_of(screen).request.at == pytest.approx(COLLAPSE + 5.9)
        assert "! gf1 has 20.0 GiB left while loading" in text(screen.query_one(Told))
        assert [panel.node for panel in screen.query(SamplePanel) if panel.has_class("-chosen")] == ["gf1"]


async def test_where_there_is_no_further_warning_that_is_said(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, "n")
        assert view_of(screen).request.at is None
        assert [toast.message for toast in pilot.app._notifications] == ["no warning or error after this moment"]
        await pilot.press("p")
        assert "before" not in str([toast.message for toast in pilot.app._notifications])


async def test_zoom_shows_less_time_in_more_detail_and_whole_shows_all(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, "plus", "equals_sign")
        assert view_of(screen).span.width_s == 2
        await pilot.press("minus")
        await shown(pilot)
        assert view_of(screen).span.width_s == 3
        await pilot.press("w")
        await shown(pilot)
        span = view_of(screen).span
    assert span.start <= T0 - 5
    assert span.end > LAST + 20


async def test_a_look_back_stays_where_it_is_while_the_campaign_goes_on(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot, "left")
        before = view_of(screen).span
        change(store, "UPDATE node_sample SET t = t + 100 WHERE node = 'gf2' AND t > ?", LAST)
        await shown(pilot)
        assert view_of(screen).span == before
        await pilot.press("end")
        await shown(pilot)
        assert view_of(screen).span.end > LAST + 100


async def test_only_the_screen_in_front_has_its_view_read(store: Path) -> None:
    viewer = Viewer(store, 1)
    async with viewer.run_test(size=WIDE) as pilot:
        await shown(pilot)
        assert viewer.snapshot.view is None
        await opened(pilot)
        assert isinstance(viewer.snapshot.view, NodesView)
        await pilot.press("2")
        await shown(pilot)
        await shown(pilot)
        assert viewer.snapshot.view is None


@pytest.mark.parametrize("size", SIZES, ids=["80", "120", "200"])
@pytest.mark.parametrize("kind", ["collapse", "running", "over", "none"])
async def test_everything_fits_at_every_size(tmp_path: Path, size: tuple[int, int], kind: str) -> None:
    if kind in ("collapse", "none"):
        store_collapse(tmp_path / "sparktui.db", samples=[] if kind == "none" else None)
        viewer = Viewer(tmp_path / "sparktui.db", 1)
    else:
        viewer = Viewer(*recorded(tmp_path, FINISHED if kind == "over" else Race()))
    async with viewer.run_test(size=size) as pilot:
        screen = await opened(pilot, "a")
        for panel in screen.query(ScenePanel):
            if panel.display and panel.region and not isinstance(panel, Words):
                lines = str(panel.visual).split("\n")
                assert max(len(line) for line in lines) <= max(1, panel.content_size.width), panel
                assert panel.region.right <= size[0]
        if kind != "none":
            assert all(panel.region.bottom <= size[1] - 1 for panel in screen.query(StripPanel))
            assert any(panel.content_size.height >= 5 for panel in screen.query(SamplePanel) if panel.display)


async def test_eight_nodes_keep_their_strips_and_one_sample(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    for number in range(3, 9):
        change(
            viewer.store_path,
            "INSERT INTO node_sample (campaign, t, node, phase, mem_available_bytes, heartbeat) "
            "SELECT campaign, t, ?, phase, mem_available_bytes, heartbeat FROM node_sample WHERE node = 'gf2'",
            f"gf{number}",
        )
    async with viewer.run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot, *["down"] * 5)
        assert len(screen.query(StripPanel)) == 8
        assert [panel.node for panel in screen.query(SamplePanel) if panel.display] == ["gf6"]
        chosen = next(panel for panel in screen.query(StripPanel) if panel.node == "gf6")
        assert screen.region.contains_region(chosen.region)


async def test_a_campaign_without_samples_says_so(tmp_path: Path) -> None:
    store_collapse(tmp_path / "sparktui.db", samples=[])
    async with Viewer(tmp_path / "sparktui.db", 1).run_test(size=WIDE) as pilot:
        await opened(pilot, "left", "p", "plus", "home", "w", "down")
        assert "no node has been sampled yet" in everything(pilot.app)  # type: ignore[arg-type]


async def test_while_its_samples_are_read_no_campaign_is_said_to_have_none(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        viewer = await shown(pilot)
        await viewer.action_go("nodes")
        said = text(viewer.screen.query_one(Told))
        assert "reading" in said
        assert "sampled" not in said


async def test_a_key_that_has_two_names_is_explained_once(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        await opened(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        said = pilot.app.screen.query_one(LongText).text
    assert said.count("Less time, in more detail") == 1


async def test_every_figure_is_explained_and_every_key_named(store: Path) -> None:
    async with Viewer(store, 1).run_test(size=WIDE) as pilot:
        screen = await opened(pilot)
        explained = " ".join(f"{part.name} {part.what}" for part in screen.EXPLAIN).lower()
        for strip in view_of(screen).strips:
            for reading in strip.readings:
                word = reading.name.split()[0].rstrip(":").lower()
                assert word in explained, reading.name
        assert {binding.id for binding in screen._bindings.key_to_bindings["p"]} == {"mark-before"}


async def test_what_is_shown_can_be_written_with_units_and_origin(store: Path, tmp_path: Path) -> None:
    viewer = Viewer(store, 1)
    async with viewer.run_test(size=WIDE) as pilot:
        await opened(pilot, "e")
        await finished(pilot, "export")
    (path,) = tmp_path.glob("*-nodes-*.csv")
    lines = path.read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith(("#", '"#'))))
    worst = min((row for row in rows if row["node"] == "gf1"), key=lambda row: float(row["left_gib"]))
    assert (worst["left_gib"], worst["topology"], worst["under_floor"]) == ("6.27", "cluster-tp2", "stop")
    assert any("of the samples of 5 s" in line for line in lines)


Compare = Callable[..., bool]


def test_looks_as_stored(store: Path, snap_compare: Compare) -> None:
    async def prepare(pilot: Pilot[Any]) -> None:
        await opened(pilot, "a", "p")

    assert snap_compare(Viewer(store, 1), terminal_size=(120, 36), run_before=prepare)
