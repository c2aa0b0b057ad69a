"""Sweep: every figure over concurrency, read out level by level, with others' lines behind."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from textual.containers import VerticalScroll

from sparktui.cli import cli
from sparktui.compare.summary import summarise
from sparktui.importing.published import load_published
from sparktui.importing.save import save
from sparktui.store.reader import Reader
from sparktui.ui.chart import CROSSING, draw
from sparktui.ui.sweep import SweepScreen
from sparktui.ui.sweep_feed import SweepFeed
from sparktui.ui.sweep_picture import Choice, Picture, picture
from sparktui.ui.sweep_rows import sweep_rows
from sparktui.ui.sweep_view import SweepRequest, SweepView
from sparktui.ui.widgets.levels import Heading, LevelTable, Readout
from sparktui.ui.widgets.verdicts import VerdictTable
from tests.ui.fixture_store import FINISHED, LEVELS, PUBLISHED, Race, build
from tests.ui.viewing import SIZES, Viewer, change, finished, recorded, shown, text

FIGURES = ("decode", "stream", "prefill", "ttft", "itl", "e2e")


async def opened(viewer: Viewer, pilot: Any) -> SweepScreen:
    await pilot.press("3")
    await shown(pilot)
    await shown(pilot)
    assert isinstance(viewer.screen, SweepScreen)
    return viewer.screen


def drawn(screen: SweepScreen) -> Picture:
    assert screen._picture is not None
    return screen._picture


def view_of(store: Path, campaign: int, **request: Any) -> SweepView:
    with Reader(store) as reader:
        return SweepFeed(reader, campaign).view(None, SweepRequest(**request))


def picture_of(view: SweepView, **choice: Any) -> Picture:
    found = picture(view, Choice(**choice), LEVELS)
    assert found is not None
    return found


@pytest.mark.parametrize("size", SIZES, ids=["80", "120", "200"])
async def test_nothing_is_wider_than_the_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=size) as pilot:
        screen = await opened(viewer, pilot)
        assert screen.query_one(VerticalScroll).max_scroll_x == 0
        for panel in (*screen.query(Heading), *screen.query(Readout), *screen.query(LevelTable)):
            assert max(map(len, str(panel.visual).splitlines())) <= panel.content_size.width
        said = text(screen.query_one(LevelTable))
        assert all(name in said for name in PUBLISHED)
        assert [word.strip("▸") for word in said.splitlines()[1].split()] == ["c", *map(str, LEVELS)]


async def test_the_cursor_reads_out_every_topology_best_first(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 40)) as pilot:
        screen = await opened(viewer, pilot)
        assert screen.query_one(Readout).border_title == "at c64, tok/s · + is several lines"
        await pilot.press("left")
        lines = text(screen.query_one(Readout)).splitlines()
        assert lines[0] == "at c32, tok/s · + is several lines"
        named = [line.split() for line in lines if line[0] in "ABCD"]
        assert [words[1] for words in named] == ["cluster-tp2", "cluster-tp2-ray", "shuffle", "solo"]
        assert named[0][-1] == "leads"
        assert named[0][2].startswith("[38")
        assert any(line.startswith("cluster-tp2 +1") and "vs cluster-tp2-ray" in line for line in lines)


async def test_a_tie_is_told_in_the_numbers_that_compare_has(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(200, 60)) as pilot:
        screen = await opened(viewer, pilot)
        await pilot.press("m", "m", *["left"] * 5)
        tie = next(row for row in drawn(screen).table.rows if row.concurrency == 2)
        leaders = next(line for line in text(screen.query_one(LevelTable)).splitlines() if line.startswith("leads"))
        readout = text(screen.query_one(Readout))
        await pilot.press("4")
        viewer = await shown(pilot)
        compared = text(viewer.screen.query_one("#verdict-prefill", VerdictTable))
    assert tie.lead_over == "solo"
    assert tie.margin == pytest.approx(0.0058, abs=1e-4), "its first is close to its second"
    assert "tie" in leaders
    assert not re.search(r"tie \+", leaders)
    assert all("+16 to +17 % vs solo" in " ".join(said.split()) for said in (readout, compared))


async def test_the_cursor_stops_at_the_first_and_the_last_level(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 40)) as pilot:
        screen = await opened(viewer, pilot)
        for key, level in (("right", "c64"), ("left", "c32"), *(("left", "") for _ in range(9)), ("left", "c1")):
            await pilot.press(key)
            assert level in text(screen.query_one(Readout))
        assert "[1]" in "".join(run for run, _ in draw(drawn(screen).chart, 60, 20)[-1])


async def test_m_shows_every_figure_in_turn_each_with_its_unit(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 40)) as pilot:
        screen = await opened(viewer, pilot)
        seen = []
        for _ in range(len(FIGURES) + 1):
            metric = drawn(screen).table.metric
            assert f"{metric.title}, {metric.unit}" in text(screen.query_one(Heading))
            seen.append(metric.name)
            await pilot.press("m")
        assert seen == [*FIGURES, "decode"]
        await pilot.press("M")
        assert drawn(screen).table.metric.name == "decode"


async def test_l_changes_between_a_linear_and_a_logarithmic_axis(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, FINISHED))
    async with viewer.run_test(size=(120, 40)) as pilot:
        screen = await opened(viewer, pilot)
        assert (drawn(screen).log, drawn(screen).chart.y.low) == (False, 0.0)
        await pilot.press("l")
        assert drawn(screen).log
        assert "log axis" in text(screen.query_one(Heading))
        await pilot.press("l")
        assert not drawn(screen).log


async def test_it_grows_point_by_point_on_an_axis_that_stands_still(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, Race(finished_topologies=0, done_levels=3, done_waves=0))
    fourth = "(SELECT id FROM cell WHERE concurrency = 4 ORDER BY id LIMIT 1)"
    change(store, f"UPDATE wave SET cell = -1 WHERE cell = {fourth}")
    change(store, f"UPDATE cell SET state = 'waiting' WHERE id = {fourth}")
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(120, 40)) as pilot:
        screen = await opened(viewer, pilot)
        before = drawn(screen)
        assert before.levels == (1, 2)
        change(store, f"UPDATE wave SET cell = {fourth} WHERE cell = -1")
        change(store, f"UPDATE cell SET state = 'done' WHERE id = {fourth}")
        await shown(pilot)
        assert drawn(screen).levels == (1, 2, 4)
        assert sorted(at for at, _ in drawn(screen).chart.x.ticks) == sorted(at for at, _ in before.chart.x.ticks)
        assert text(screen.query_one(Readout)).startswith("at c4, tok/s")


async def test_before_anything_is_measured_it_says_so(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path, Race(finished_topologies=0, done_levels=0, done_waves=0)))
    async with viewer.run_test(size=(80, 24)) as pilot:
        screen = await opened(viewer, pilot)
        assert "a point appears as soon as its level is measured" in text(screen.query_one(Readout))
        await pilot.press("left", "m", "l", "g", "e")


async def test_of_a_race_that_is_over_no_point_is_promised(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, Race(finished_topologies=0, done_levels=0, done_waves=0, state="failed"))
    change(store, "UPDATE cell SET state = 'skipped'")
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(80, 24)) as pilot:
        screen = await opened(viewer, pilot)
        assert "nothing was measured: 2 says why" in text(screen.query_one(Readout))


async def test_g_draws_what_is_published_behind_and_then_earlier_campaigns(tmp_path: Path) -> None:
    store, first = recorded(tmp_path, FINISHED)
    second = build(store, FINISHED)
    viewer = Viewer(store, second)
    async with viewer.run_test(size=(120, 40)) as pilot:
        screen = await opened(viewer, pilot)
        behind = []
        for _ in range(4):
            behind.append((drawn(screen).behind.partition(" ")[0], len(drawn(screen).figure.ghosts)))
            await pilot.press("g")
            await shown(pilot)
            await shown(pilot)
    assert behind == [("", 0), ("published", 1), (f"#{first}", 1), ("", 0)]


def test_what_is_published_has_its_own_values_and_small_letters(tmp_path: Path) -> None:
    found = picture_of(view_of(*recorded(tmp_path, FINISHED), ghosts="published"))
    published = found.figure.ghosts[0].table
    assert {row.concurrency: row.values["cluster-tp2"] for row in published.rows}[32] == 382.8
    ghosts = [line for line in found.chart.lines if line.ink == "ghost"]
    assert {line.mark for line in ghosts} == {"a", "b", "c", "d"}
    assert [line.mark for line in found.chart.lines if line.ink != "ghost"] == ["A", "B", "C", "D"]


def test_the_crossover_is_marked_where_it_is_said_to_be(tmp_path: Path) -> None:
    found = picture_of(view_of(*recorded(tmp_path, FINISHED)))
    (crossover,) = found.table.crossovers
    assert 2 ** found.chart.crossings[0] == pytest.approx(crossover.concurrency)
    assert any(ink == CROSSING for _, ink in draw(found.chart, 80, 20)[0])


def test_an_imported_table_is_drawn_without_intervals(tmp_path: Path) -> None:
    store = tmp_path / "sparktui.db"
    found = picture_of(view_of(store, save(store, load_published("gemma4-26b-a4b"))))
    assert found.levels == LEVELS
    assert all(reading.interval is None for reading in found.readings)


def test_every_figure_is_what_show_says_of_the_same_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, campaign = recorded(tmp_path, Race(done_levels=4))
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    told = json.loads(CliRunner().invoke(cli, ["show", str(campaign), "--json"]).output)
    view, checked = view_of(store, campaign), 0
    for figure in range(len(FIGURES)):
        found = picture_of(view, figure=figure)
        for row in [row for row in told["rows"] if row["metric"] == found.table.metric.name]:
            at = picture_of(view, figure=figure, level=row["concurrency"])
            assert {reading.topology: reading.value for reading in at.readings} == row["values"]
            assert {reading.topology: reading.std for reading in at.readings} == row["std"]
            assert at.row is not None
            assert (at.row.winner, at.row.margin, at.row.tie) == (row["winner"], row["margin"], row["tie"])
            checked += 1
        flips = [flip["concurrency"] for flip in told["crossovers"] if flip["metric"] == found.table.metric.name]
        assert {2**place for place in found.chart.crossings} <= {pytest.approx(flip) for flip in flips} or not flips
    assert checked == 3 * len(LEVELS)


def test_further_figures_are_what_is_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    exported = CliRunner().invoke(cli, ["export", str(campaign), "--format", "csv"]).output
    told = {(row["topology"], row["concurrency"], row["metric"]): row for row in csv.DictReader(exported.splitlines())}
    view = view_of(store, campaign)
    for figure in range(len(FIGURES)):
        found = picture_of(view, figure=figure)
        for row in found.table.rows:
            for topology, value in row.values.items():
                assert float(told[topology, str(row.concurrency), found.table.metric.figure]["mean"]) == value


async def test_e_writes_the_points_of_the_figure_on_the_screen(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(120, 40)) as pilot:
        await opened(viewer, pilot)
        await pilot.press("m", "m", "m", "e")
        await finished(pilot, "export")
    (written,) = tmp_path.glob("*.csv")
    assert written.name.startswith(f"sparktui-gemma4-26b-a4b-{campaign}-sweep-")
    rows = list(csv.reader(written.read_text().splitlines()))
    facts = dict(row for row in rows if row[0].startswith("# "))
    assert facts["# unit"] == "ms"
    assert facts["# calculator"] == "usage"
    assert facts["# warning"].startswith("SIMULATED")
    head = next(index for index, row in enumerate(rows) if row[0] == "series")
    points = [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :]]
    with Reader(store) as reader:
        table = next(table for table in summarise(reader, campaign).tables if table.metric.name == "ttft")
    assert {(point["topology"], int(point["concurrency"])): float(point["value"]) for point in points} == {
        (name, row.concurrency): value for row in table.rows for name, value in row.values.items()
    }
    assert {point["topology"] for point in points if point["result"] == "wins"} == {"cluster-tp2", "shuffle"}


def test_a_file_says_of_each_topology_what_it_comes_to_and_with_whom_it_ties(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    change(
        store,
        "UPDATE cell SET taint = 'this client was too slow' WHERE concurrency = 4"
        " AND sweep = (SELECT id FROM sweep WHERE topology = 'shuffle')",
    )
    table = sweep_rows(picture_of(view_of(store, campaign), figure=2))
    assert dict(table.facts)["figure"].startswith("Prefill")
    points = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    at = {point["topology"]: (point["result"], point["ties_with"]) for point in points if point["concurrency"] == 4}
    assert at == {
        "solo": ("behind", None),
        "cluster-tp2": ("ties", "cluster-tp2-ray"),
        "cluster-tp2-ray": ("ties", "cluster-tp2"),
        "shuffle": ("cannot win", None),
    }
    assert {point["simulated"] for point in points} == {"SIMULATED"}


def test_a_file_says_who_is_too_badly_known_to_be_told_from_the_best(tmp_path: Path) -> None:
    found = picture_of(view_of(*recorded(tmp_path, FINISHED)))
    doubted = replace(found.table.rows[0], in_doubt=("solo",))
    figure = replace(found.figure, table=replace(found.table, rows=(doubted,)))
    table = sweep_rows(replace(found, figure=figure))
    results = {row[table.columns.index("topology")]: row[table.columns.index("result")] for row in table.rows}
    assert results == {"solo": "in doubt", "cluster-tp2": "wins", "cluster-tp2-ray": "behind", "shuffle": "behind"}


def test_while_others_are_still_to_be_measured_a_file_says_so_far(tmp_path: Path) -> None:
    table = sweep_rows(picture_of(view_of(*recorded(tmp_path, Race(done_levels=4)))))
    results = {row[table.columns.index("concurrency")]: row[table.columns.index("result")] for row in table.rows}
    assert str(results[64]).endswith("so far")


def test_lines_behind_a_simulated_race_that_were_published_bear_no_mark_of_it(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    table = sweep_rows(picture_of(view_of(store, campaign, ghosts="published")))
    marks = {(row[0], row[1]) for row in table.rows}
    assert marks == {("race", "SIMULATED"), ("published gemma4-26b-a4b", None)}
    assert ("not simulated", "published gemma4-26b-a4b") in table.facts
