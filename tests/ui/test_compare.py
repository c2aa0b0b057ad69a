"""Compare: the published shape, honest ties, and a baseline of one's own choice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from textual.containers import VerticalScroll

from sparktui.compare.summary import summarise
from sparktui.store.reader import Reader
from sparktui.ui.widgets.answers import Advice, Crossings, Notes, Standing
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.outcome import Outcome
from sparktui.ui.widgets.verdicts import VerdictTable, _spread
from tests.ui.fixture_store import FINISHED, Race, build
from tests.ui.viewing import Viewer, change, recorded, shown, text


def table(viewer: Viewer, metric: str) -> list[str]:
    return text(viewer.screen.query_one(f"#verdict-{metric}", VerdictTable)).splitlines()


async def test_each_metric_has_a_row_per_level_and_the_best_in_brackets(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        viewer = await shown(pilot)
        decode, prefill, ttft = (table(viewer, metric) for metric in ("decode", "prefill", "ttft"))
    levels = [line.split()[0] for line in decode[2:-1]]
    assert levels == ["1", "2", "4", "8", "16", "32", "64"]
    assert decode[1].split() == ["c", "solo", "cluster-tp2", "cluster-tp2-ray", "shuffle", "Winner"]
    for rows in (decode, prefill, ttft):
        assert all(line.count("[") == line.count("]") >= 1 for line in rows[2:-1])
    assert "cluster-tp2 +" in decode[2]
    assert "shuffle +" in decode[8]
    assert "shuffle -2" in ttft[8]
    assert prefill[4].count("[") == 3, "all that tie are the best"
    assert "tie, +17 to +18 % vs solo" in prefill[4]
    assert "higher is better · margin against the runner-up" in decode[-1]
    assert "lower is better" in ttft[-1]


async def test_four_topologies_fit_80_columns_with_their_winner(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        viewer = await shown(pilot)
        assert "cluster-tp2 +" in table(viewer, "decode")[2]
        assert "tie, +16 to +17 % vs solo" in table(viewer, "prefill")[3], "a range is not cut to one of its ends"
        for panel in viewer.screen.query(VerdictTable):
            assert max(map(len, str(panel.visual).splitlines())) <= panel.content_size.width
        tables = viewer.screen.query_one(VerticalScroll)
        assert tables.max_scroll_x == 0
        await pilot.press("end")
        assert tables.scroll_target_y == tables.max_scroll_y > 0


async def test_who_leads_up_to_how_many_users_is_said_in_a_sentence(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        said = text((await shown(pilot)).panel(Crossings))
    assert re.search(r"cluster-tp2 wins decode up to \d\d users \(\d\d to \d\d\), shuffle beyond", said)


async def test_the_advice_names_a_topology_and_its_reason_for_every_use_case(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(200, 60)) as pilot:
        await pilot.press("4")
        said = text((await shown(pilot)).panel(Advice))
    assert "cluster-tp2" in said
    assert "shuffle" in said
    assert "% decode over" in said


async def test_a_tainted_cell_is_marked_cannot_win_and_is_named_with_its_reason(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    change(
        store,
        "UPDATE cell SET taint = 'this client was too slow' WHERE concurrency = 4"
        " AND sweep = (SELECT id FROM sweep WHERE topology = 'cluster-tp2')",
    )
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        viewer = await shown(pilot)
        row = table(viewer, "decode")[4]
        notes, legend = text(viewer.panel(Notes)), text(viewer.panel(Standing))
    assert re.search(r"148\.\d( ±\S+)?~", row)
    assert "[148" not in row
    assert "c4 cluster-tp2 cannot win: this client was too slow" in notes
    for mark in ("[best, or all that tie]", "±", "*", "~"):
        assert mark in legend


async def test_c_works_the_figures_out_by_every_calculator_in_turn_and_keeps_them(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        by = []
        for _ in range(4):
            await shown(pilot)
            viewer = await shown(pilot)
            by.append(text(viewer.panel(Standing)).splitlines()[1].rpartition("level · ")[2].split()[0])
            await pilot.press("c")
        assert "working out" not in text(viewer.panel(Standing))
    assert by == ["usage", "benchy-0.3.5", "benchy-0.4.0", "usage"]


async def test_b_cycles_the_baseline_from_the_runner_up_through_every_topology(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        against = []
        for _ in range(6):
            viewer = await shown(pilot)
            against.append(table(viewer, "decode")[-1].rpartition("against ")[2])
            await pilot.press("b")
    assert against == ["the runner-up", "solo", "cluster-tp2", "cluster-tp2-ray", "shuffle", "the runner-up"]


async def test_against_solo_the_margin_is_the_published_one(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        await shown(pilot)
        await pilot.press("b")
        viewer = await shown(pilot)
        assert "cluster-tp2 +49 %" in table(viewer, "decode")[2]


@pytest.mark.parametrize("width", [80, 100, 120])
async def test_where_the_baseline_has_no_figure_a_margin_says_whom_it_is_against(tmp_path: Path, width: int) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    mine = "sweep = (SELECT id FROM sweep WHERE topology = 'cluster-tp2')"
    change(store, f"DELETE FROM wave WHERE cell IN (SELECT id FROM cell WHERE {mine})")
    change(store, f"UPDATE cell SET state = 'failed' WHERE {mine}")
    change(store, "UPDATE sweep SET state = 'guard' WHERE topology = 'cluster-tp2'")
    async with Viewer(store, campaign).run_test(size=(width, 36)) as pilot:
        await pilot.press("4", "b", "b")
        for _ in range(3):
            viewer = await shown(pilot)
        rows = str(viewer.screen.query_one("#verdict-decode", VerdictTable).visual).splitlines()
    assert "Winner, vs cluster-tp2" in rows[0]
    said = [row.rpartition("  ")[2] for row in rows[1:]]
    assert all(re.fullmatch(r"\S+( \S+ % vs \S+( \(.*\))?)?|tie.*", one) for one in said), said
    assert ("vs" in said[0]) == (width > 80)


async def test_at_80_columns_where_panels_have_no_frame_the_head_names_the_baseline(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(80, 24)) as pilot:
        await pilot.press("4", "b")
        await shown(pilot)
        viewer = await shown(pilot)
        assert "Winner, vs solo" in str(viewer.screen.query_one("#verdict-decode", VerdictTable).visual)


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_how_a_topology_ended_stands_apart_from_what_is_beside_it(tmp_path: Path, width: int) -> None:
    store, campaign = recorded(tmp_path, Race(state="stopped", finished_topologies=0, done_levels=2, done_waves=0))
    change(store, "UPDATE sweep SET state = 'stopped' WHERE state IN ('measuring', 'waiting')")
    async with Viewer(store, campaign).run_test(size=(width, 24)) as pilot:
        await pilot.press("4")
        rows = table(await shown(pilot), "decode")
    assert any(" 16 " in row and "stopped" in row for row in rows), rows
    assert not re.search(r"\dstopped", "".join(rows))


async def test_what_was_measured_and_has_no_such_figure_is_not_called_stopped(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    change(store, "UPDATE sweep SET state = 'stopped' WHERE topology = 'shuffle'")
    change(store, "UPDATE cell SET state = 'skipped' WHERE concurrency = 64 AND sweep = 4")
    change(store, "DELETE FROM wave WHERE cell IN (SELECT id FROM cell WHERE sweep = 4 AND concurrency IN (1, 64))")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        rows = table(await shown(pilot), "decode")
    of_shuffle = {row.split()[0]: row.split("   ")[-2:] for row in rows if row[:3].strip().isdigit()}
    assert "stopped" not in str(of_shuffle["1"])
    assert "stopped" in str(of_shuffle["64"])


async def test_while_it_runs_the_tables_hold_what_there_is(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        viewer = await shown(pilot)
        assert "so far 18 of 28 cells measured" in text(viewer.panel(Standing))
        unfinished = table(viewer, "decode")[6]
    assert "*" in unfinished
    assert unfinished.count(" - ") == 1


async def test_tables_are_computed_when_a_cell_ends_and_not_on_every_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def counted(reader: Reader, campaign: int, **asked: Any) -> object:
        nonlocal calls
        calls += 1
        return summarise(reader, campaign, **asked)

    monkeypatch.setattr("sparktui.ui.comparison_feed.summarise", counted)
    store, campaign = recorded(tmp_path)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        for _ in range(3):
            await shown(pilot)
        assert calls == 1
        change(store, "UPDATE cell SET state = 'done' WHERE state = 'measuring'")
        await shown(pilot)
        await shown(pilot)
    assert calls == 2


@pytest.mark.parametrize(
    ("spread", "value", "said"),
    [
        (1022.4, "10 679", "1 022"),
        (0.04, "304.0", "0.04"),
        (0.2, "1 342", "0.2"),
        (0.0, "304.0", "0"),
        (1.25, "38.68", "1.25"),
        (3, "1 342", "3"),
    ],
)
def test_a_spread_is_written_like_its_value(spread: float, value: str, said: str) -> None:
    assert _spread(spread, value) == said


async def test_what_was_chosen_is_not_shown_under_the_title_of_the_open_campaign(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        await viewer.compare_campaigns(("published/gemma4-26b-a4b",))
        assert "#1" not in text((await shown(pilot)).panel(Masthead))
        await pilot.press("escape")
        assert "#1" in text((await shown(pilot)).panel(Masthead))


@pytest.mark.parametrize("opened", [1, 2], ids=["the same again", "another"])
async def test_whoever_opens_a_campaign_compares_that_one(tmp_path: Path, opened: int) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    build(store, Race(runs=2))
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        await viewer.compare_campaigns(("published/gemma4-26b-a4b",))
        await shown(pilot)
        await pilot.press("b")
        assert "published" in text((await shown(pilot)).panel(Standing))
        await viewer.open_campaign(opened, "live")
        await pilot.press("4")
        viewer = await shown(pilot)
        assert "published" not in text(viewer.panel(Standing))
        assert f"#{opened}" in text(viewer.panel(Masthead))
        assert table(viewer, "decode")[-1].endswith("against the runner-up")


async def test_from_another_screen_4_leads_to_all_tables_of_the_open_campaign(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        await viewer.compare_campaigns(("published/gemma4-26b-a4b",))
        await pilot.press("4")
        assert "published" in text((await shown(pilot)).panel(Masthead)), "it is in front already"
        await pilot.press("2")
        viewer = await shown(pilot)
        assert "4 all tables" in text(viewer.panel(Outcome))
        await pilot.press("4")
        viewer = await shown(pilot)
        assert "gemma4-26b-a4b #1" in text(viewer.panel(Masthead))
        assert "published" not in text(viewer.panel(Standing))


async def test_where_none_is_open_4_leads_back_to_what_was_chosen(tmp_path: Path) -> None:
    store, _ = recorded(tmp_path, FINISHED)
    async with Viewer(store, None).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        await viewer.compare_campaigns(("published/gemma4-26b-a4b",))
        await pilot.press("6", "4")
        await shown(pilot)
        assert "published" in text((await shown(pilot)).panel(Standing))


async def test_a_baseline_stays_where_the_screen_is_left_and_gone_to_again(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4", "b", "2", "4")
        await shown(pilot)
        assert table(await shown(pilot), "decode")[-1].endswith("against solo")


async def test_a_baseline_of_one_campaign_is_not_asked_of_the_next(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    build(store, FINISHED)
    change(store, "UPDATE sweep SET topology = 'alone' WHERE campaign = 2 AND topology = 'solo'")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await pilot.press("4", "b")
        viewer = await shown(pilot)
        await viewer.open_campaign(2, "live")
        await shown(pilot)
        await pilot.press("4")
        assert "alone" in table(await shown(pilot), "decode")[1]


async def test_columns_for_which_there_is_no_room_are_named(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(80, 24)) as pilot:
        await pilot.app.compare_campaigns(("published/gemma4-26b-a4b", "1"))  # type: ignore[attr-defined]
        for _ in range(3):
            viewer = await shown(pilot)
        panel = viewer.screen.query_one("#verdict-decode", VerdictTable)
        lines = str(panel.visual).splitlines()
        assert "no room for 1 more: 1/shuffle" in lines[-1]
        assert max(map(len, lines)) <= panel.content_size.width
        assert panel.content_size.height == len(lines)


async def test_the_one_that_is_unlike_the_others_is_named_and_the_others_have_their_winner(tmp_path: Path) -> None:
    store, _ = recorded(tmp_path, FINISHED)
    build(store, FINISHED)
    build(store, FINISHED)
    change(store, """UPDATE sweep SET fingerprint = '{"model": "m"}'""")
    change(store, """UPDATE sweep SET fingerprint = '{"model": "other"}' WHERE campaign = 3""")
    async with Viewer(store, 1).run_test(size=(200, 60)) as pilot:
        await pilot.app.compare_campaigns(("1/solo", "2/shuffle", "3/cluster-tp2"))  # type: ignore[attr-defined]
        for _ in range(3):
            viewer = await shown(pilot)
        said, rows = text(viewer.panel(Standing)), table(viewer, "decode")
        notes = text(viewer.panel(Notes))
    assert "gemma4-26b-a4b #3 not ranked: unlike the others, see the notes" in said
    assert "shuffle +" in rows[8]
    assert "[57" not in rows[2], "the unlike one has no brackets, though it is the fastest"
    assert "[39" in rows[2]
    assert "model: m (solo, shuffle) against other (cluster-tp2)" in notes
    assert "3 not ranked with the others: not measured like" in notes


async def test_loads_that_have_tables_of_their_own_are_said_above_them(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    change(store, "UPDATE cell SET pp = 512")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await pilot.app.compare_campaigns(("published/gemma4-26b-a4b", "1"))  # type: ignore[attr-defined]
        for _ in range(3):
            viewer = await shown(pilot)
        assert "2 loads, each with tables of its own" in text(viewer.panel(Standing))
        names = table(viewer, "decode-1")[1].split()
    assert min(len(name) for name in names if "…" in name) >= 15, "names have the room there is"


async def test_no_fact_above_the_tables_is_cut(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        first = text((await shown(pilot)).panel(Standing)).splitlines()[1]
    assert "so far" in first
    assert first.rstrip().endswith(("usage", "token_ids", "a level"))
