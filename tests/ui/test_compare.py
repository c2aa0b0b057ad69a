"""Compare: the published shape, honest ties, and a baseline of one's own choice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.containers import VerticalScroll

from sparktui.compare.summary import summarise
from sparktui.store.reader import Reader
from sparktui.ui.compare import Changes, Standing
from sparktui.ui.widgets.verdicts import VerdictTable
from tests.ui.fixture_store import FINISHED
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
        assert all(line.count("[") == line.count("]") == 1 for line in rows[2:-1])
    assert "cluster-tp2 +" in decode[2]
    assert "shuffle +" in decode[8]
    assert "shuffle -2" in ttft[8]
    assert "tie  " in prefill[4]
    assert "higher is better · margin against the runner-up" in decode[-1]
    assert "lower is better" in ttft[-1]


async def test_four_topologies_fit_80_columns_with_their_winner(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(80, 24)) as pilot:
        await pilot.press("4")
        viewer = await shown(pilot)
        assert "cluster-tp2 +" in table(viewer, "decode")[2]
        for panel in viewer.screen.query(VerdictTable):
            assert max(map(len, str(panel.visual).splitlines())) <= panel.content_size.width
        tables = viewer.screen.query_one(VerticalScroll)
        assert tables.max_scroll_x == 0
        await pilot.press("end")
        assert tables.scroll_target_y == tables.max_scroll_y > 0


async def test_crossovers_are_named_with_the_levels_they_lie_between(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        said = text((await shown(pilot)).panel(Changes))
    assert "on shuffle instead of cluster-tp2  (measured at c32 and c64)" in said


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
        await pilot.press("4", "b")
        await shown(pilot)
        viewer = await shown(pilot)
        assert "cluster-tp2 +49 %" in table(viewer, "decode")[2]


async def test_at_80_columns_where_panels_have_no_frame_the_head_names_the_baseline(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(80, 24)) as pilot:
        await pilot.press("4", "b")
        await shown(pilot)
        viewer = await shown(pilot)
        assert "Winner, vs solo" in str(viewer.screen.query_one("#verdict-decode", VerdictTable).visual)


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

    monkeypatch.setattr("sparktui.ui.feed.summarise", counted)
    store, campaign = recorded(tmp_path)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        for _ in range(3):
            await shown(pilot)
        assert calls == 1
        change(store, "UPDATE cell SET state = 'done' WHERE state = 'measuring'")
        await shown(pilot)
        await shown(pilot)
    assert calls == 2
