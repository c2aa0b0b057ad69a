"""What the guard and the health rules say reaches the screen of whoever looks, and stays until it is acknowledged."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sparktui.store.reader import Reader
from sparktui.ui.news_feed import NewsFeed
from sparktui.ui.widgets.log import Log
from sparktui.ui.widgets.masthead import Masthead
from sparktui.ui.widgets.memory import SamplePanel
from sparktui.ui.widgets.nodes import NodeCard
from tests.ui.fixture_store import FINISHED, GIB, NOW, Race
from tests.ui.viewing import SIZES, Viewer, change, everything, recorded, shown, text

STOP = (
    "gf1 has 5.2 GiB left while loading, under its stop floor of 16.0 GiB, falling 4.4 GiB/s: 3 processes killed 212 "
    "ms after the reading"
)


def tell(store: Path, source: str, kind: str, said: str, level: str = "warning", **data: object) -> None:
    change(
        store,
        "INSERT INTO event (t, campaign, level, source, kind, text, data) VALUES (?, 1, ?, ?, ?, ?, ?)",
        *(NOW, level, source, kind, said, json.dumps(data)),
    )


def falling(store: Path, node: str, start_gib: float, gib_s: float, phase: str = "serving") -> None:
    """Have a node's memory fall over the last seconds."""
    change(store, "DELETE FROM node_sample WHERE node = ?", node)
    for step in range(20):
        change(
            store,
            "INSERT INTO node_sample (campaign, t, node, phase, mem_total_bytes, mem_available_bytes, heartbeat)"
            " VALUES (1, ?, ?, ?, ?, ?, ?)",
            *(NOW - 5 + step / 4, node, phase, int(121.7 * GIB), int((start_gib - gib_s * step / 4) * GIB), step),
        )


def cards(viewer: Viewer) -> dict[str, NodeCard]:
    return {card._node: card for card in viewer.screen.query(NodeCard)}


@pytest.mark.parametrize("size", SIZES)
async def test_a_stop_of_the_guard_stands_on_every_screen_until_it_is_acknowledged(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    store, campaign = recorded(tmp_path)
    tell(store, "gf1", "guard-stop", STOP, "error", t=NOW - 1, left_bytes=5 * GIB, ms=212)
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        for key in "14562":
            await pilot.press(key)
            said = " ".join(text((await shown(pilot)).panel(Masthead)).split())
            assert STOP in said
            assert "[a: seen]" in said
        await pilot.press("a")
        viewer = await shown(pilot)
        assert "GUARD" not in everything(viewer).replace(text(viewer.panel(Log)), "")
        await pilot.press("4")
        assert "GUARD" not in text((await shown(pilot)).panel(Masthead))


async def test_what_one_viewer_has_acknowledged_another_still_sees(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    tell(store, "gf1", "guard-stop", STOP, "error", t=NOW - 1)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await shown(pilot)
        await pilot.press("a")
        assert "GUARD" not in text((await shown(pilot)).panel(Masthead))
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        assert "GUARD" in text((await shown(pilot)).panel(Masthead))


async def test_another_stop_after_an_acknowledged_one_is_shown(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    tell(store, "gf1", "guard-stop", STOP, "error", t=NOW - 9)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await shown(pilot)
        await pilot.press("a")
        tell(store, "gf2", "guard-stop", STOP.replace("gf1", "gf2"), "error", t=NOW - 1)
        said = text((await shown(pilot)).panel(Masthead))
    assert "gf2 has 5.2 GiB left" in said
    assert "before" not in said


async def test_a_key_that_would_acknowledge_nothing_is_not_offered(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        assert "a" not in viewer.screen.active_bindings
        tell(store, "gf1", "guard-stop", STOP, "error", t=NOW - 1)
        await shown(pilot)
        assert "a" in viewer.screen.active_bindings


async def test_a_warning_gives_the_card_its_accent_and_says_what_the_guard_will_do(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    falling(store, "gf1", 24.0, 1.0)
    tell(store, "gf1", "guard-warn", "gf1 has 19.3 GiB left")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        card = cards(await shown(pilot))["gf1"]
        assert card.has_class("-warn")
        assert "floor in 13.2 s" in text(card)
        assert "under 6.0 GiB the guard stops cluster-tp2-ray" in text(card)
        tell(store, "gf1", "guard-clear", "gf1 has 38.1 GiB left", "info")
        await shown(pilot)
        assert not card.has_class("-warn")


async def test_without_a_frame_the_card_says_it_in_its_second_line(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    tell(store, "gf1", "guard-warn", "gf1 has 11.3 GiB left")
    async with Viewer(store, campaign).run_test(size=(80, 24)) as pilot:
        card = cards(await shown(pilot))["gf1"]
        assert "under 6.0 GiB the guard stops cluster-tp2-ray" in str(card.visual).splitlines()[1]


def expect_to_be_left(store: Path, node: str, left_gib: int) -> None:
    """Have the verdict on the topology that is up say what loading it leaves."""
    verdict = {
        "level": "safe",
        "node": node,
        "topology": "cluster-tp2-ray",
        "left_bytes": 118 * GIB,
        "needed_bytes": (118 - left_gib) * GIB,
        "remainder_bytes": left_gib * GIB,
        "floor_bytes": 20 * GIB,
        "margin_bytes": 8 * GIB,
        "basis": "weights",
    }
    change(
        store,
        "INSERT INTO sweep_node (sweep, node, verdict) SELECT id, ?, ? FROM sweep WHERE topology = 'cluster-tp2-ray'",
        *(node, json.dumps(verdict)),
    )


@pytest.mark.parametrize("size", SIZES)
async def test_while_loading_one_floor_is_shown_and_where_it_comes_from(tmp_path: Path, size: tuple[int, int]) -> None:
    store, campaign = recorded(tmp_path)
    falling(store, "gf1", 60.0, 2.0, phase="loading")
    expect_to_be_left(store, "gf1", 50)
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        said = text(cards(await shown(pilot))["gf1"])
    assert "stops under 42 (50 expected, less 8)" in said
    assert "warn" not in said


async def test_without_a_prediction_the_floor_of_loading_is_the_profiles(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    falling(store, "gf2", 60.0, 0.0, phase="loading")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        said = text(cards(await shown(pilot))["gf2"])
    assert "the guard stops under 8" in said
    assert "warn" not in said  # it stops no lower than it would warn


async def test_a_load_counts_down_to_its_floor_only_below_what_it_was_expected_to_leave(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    falling(store, "gf1", 60.0, 2.0, phase="loading")
    falling(store, "gf2", 54.0, 2.0, phase="loading")
    for node in ("gf1", "gf2"):
        expect_to_be_left(store, node, 50)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        shown_cards = cards(await shown(pilot))
    assert "floor in" not in text(shown_cards["gf1"])
    assert "floor in" in text(shown_cards["gf2"])


async def test_live_and_nodes_tell_one_pace(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    falling(store, "gf1", 60.0, 1.0, phase="loading")
    change(store, "UPDATE node_sample SET mem_available_bytes = ? WHERE node = 'gf1' AND t < ?", 110 * GIB, NOW - 2)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        (live,) = re.findall(r"falling +(\S+) GiB/s", text(cards(viewer)["gf1"]))
        await pilot.press("5")
        for _ in range(2):
            await shown(pilot)
        sample = next(iter(viewer.screen.query(SamplePanel)))
        (nodes,) = re.findall(r"slope (\S+) GiB/s", text(sample))
    assert float(live) == -float(nodes) == pytest.approx(1.0, abs=0.01)


async def test_findings_about_a_node_stand_at_its_card_until_they_are_over(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    brief = "clock stuck at 850 MHz while 96 % busy"
    tell(store, "gf2", "health-stuck-clock", "gf2: a long sentence", brief=brief, doc="docs/health.md#stuck-clock")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        assert brief in text(cards(viewer)["gf2"])
        assert brief not in text(cards(viewer)["gf1"])
        tell(store, "gf2", "health-stuck-clock", "gf2: over", "info")
        await shown(pilot)
        assert brief not in text(cards(viewer)["gf2"])


async def test_a_gpu_that_is_held_back_and_a_driver_that_hangs_are_said(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(
        store, "UPDATE node_sample SET throttle = 'hw thermal slowdown', nvml_hung = 'temperature' WHERE node = 'gf1'"
    )
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        said = text(cards(await shown(pilot))["gf1"])
    assert "70 C  hw thermal slowdown  2411 MHz" in said
    assert "NVML hangs in temperature" in said


async def test_once_it_is_over_the_cards_do_not_warn_any_more(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    tell(store, "gf1", "guard-warn", "gf1 has 11.3 GiB left")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        card = cards(await shown(pilot))["gf1"]
        assert not card.has_class("-warn")
        assert "the guard stops" not in text(card)


async def test_a_sample_that_was_fetched_late_does_not_take_the_card_back(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(
        store,
        "INSERT INTO node_sample (campaign, t, node, phase, mem_available_bytes, heartbeat)"
        " VALUES (1, ?, 'gf1', 'idle', ?, 0)",
        *(NOW - 30, 99 * GIB),
    )
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        assert "38.1 GiB" in text(cards(await shown(pilot))["gf1"])


async def test_the_log_shows_the_end_of_what_is_loading_once_and_of_what_failed(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    for seconds in (10, 20, 30):
        tail = f"shard {seconds}\n[bold]Loading\x1b[2J"
        tell(store, "shuffle", "loading", f"shuffle: loading, {seconds} s", "info", loading_tail=tail)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Log))
        assert "loading, 30 s" in said
        assert "loading, 20 s" not in said
        assert "│ shard 30\n" in said
        assert "│ [bold]Loading [2J" in said
        tell(store, "shuffle", "failed", "shuffle: ended", "error", log_tail="Traceback\nCUDA out of memory")
        assert "│ CUDA out of memory" in text((await shown(pilot)).panel(Log))


def test_of_several_rows_about_one_stop_the_last_is_kept(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, Race())
    tell(store, "gf1", "guard-stop", "gf1 stopped", "error", t=NOW - 1)
    tell(store, "gf1", "guard-stop", "gf1 stopped: 3 processes killed", "error", t=NOW - 1)
    news = NewsFeed()
    with Reader(store) as reader:
        for _ in range(2):
            news.take(reader.events_since(campaign, news.last))
    assert [stop.text for stop in news.guard_stops] == ["gf1 stopped: 3 processes killed"]
    assert news.told("gf1") == "stop"
    tell(store, "solo", "launching", "solo: launching", "info")
    with Reader(store) as reader:
        news.take(reader.events_since(campaign, news.last))
    assert news.told("gf1") == ""
