"""Live: what an owner reads off it, at every size, while all is well and when it is not."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from textual.widgets import Digits

from sparktui.ui.text import clock
from sparktui.ui.widgets.engines import Engines
from sparktui.ui.widgets.figures import Figures
from sparktui.ui.widgets.log import Log
from sparktui.ui.widgets.long_text import LongText
from sparktui.ui.widgets.nodes import NodeCard
from sparktui.ui.widgets.outcome import Outcome
from sparktui.ui.widgets.panel import Panel
from sparktui.ui.widgets.progress import Progress
from sparktui.ui.widgets.reasons import Reasons
from sparktui.ui.widgets.slots import Slots
from sparktui.ui.widgets.verdicts import VerdictTable
from tests.ui.fixture_store import FINISHED, GIB, NOW, Race
from tests.ui.viewing import SIZES, Viewer, change, everything, recorded, shown, text


async def test_progress_says_where_the_race_is_and_how_long_it_takes(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Progress))
    assert "cluster-tp2-ray (3 of 4) · c16 · wave 3 of 5" in said
    assert "cell 15 s" in said
    assert "all 9 m" in said


@pytest.mark.parametrize("width", [80, 100, 120])
async def test_where_the_race_is_is_told_whole(tmp_path: Path, width: int) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE live SET t = t + 118 WHERE id % 2 = 0 AND t < ?", NOW - 118)
    change(store, "UPDATE wave SET duration_us = 90000000")
    async with Viewer(store, campaign).run_test(size=(width, 36)) as pilot:
        said = text((await shown(pilot)).panel(Progress)).splitlines()[1]
    assert "cluster-tp2-ray (3 of 4) · c16 · wave 3 of 5" in said
    assert "…" not in said


async def test_decode_is_large_and_agrees_with_the_streams_beside_it(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        large = float(viewer.screen.query_one(Digits).value)
        wave = viewer.snapshot.wave
    assert wave is not None
    assert wave.decode_tps is not None
    assert large == pytest.approx(wave.decode_tps, abs=0.06)
    assert wave.stream_p5_tps is not None
    assert wave.stream_p50_tps is not None
    assert wave.stream_p95_tps is not None
    assert wave.stream_p5_tps <= wave.stream_p50_tps <= wave.stream_p95_tps


async def test_what_a_stream_gets_is_the_load_workers_own_figure_like_the_spread_beside_it(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE live SET active = 1, stream_p5_tps = 15.0, stream_p50_tps = 16.0, stream_p95_tps = 17.0")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Figures))
    assert "each stream     16.00 tok/s  p5 15.00  p95 17.00" in said


async def test_a_topology_begins_with_no_history_of_the_one_before(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        assert (await shown(pilot)).snapshot.trends.decode_tps.values
        change(store, "UPDATE cell SET state = 'failed' WHERE state = 'measuring'")
        change(store, "UPDATE sweep SET state = 'done' WHERE state = 'measuring'")
        change(store, "UPDATE sweep SET state = 'launching' WHERE topology = 'shuffle'")
        assert not (await shown(pilot)).snapshot.trends.decode_tps.values
        change(store, "UPDATE sweep SET state = 'measuring' WHERE topology = 'shuffle'")
        shuffle = "(SELECT min(cell.id) FROM cell JOIN sweep ON sweep.id = sweep WHERE topology = 'shuffle')"
        change(store, f"UPDATE cell SET state = 'measuring', started = ? WHERE id = {shuffle}", NOW - 2)
        copied = "wave_seq, warmup, 10 * id AS tokens, prefilled, waiting, prefill, active, done, failed, slots"
        change(
            store,
            "INSERT INTO live (t, cell, wave_seq, warmup, tokens, prefilled, waiting, prefill, active, done, failed,"
            f" slots) SELECT t, {shuffle}, {copied} FROM live WHERE t > ?",
            NOW - 3,
        )
        assert 1 <= len((await shown(pilot)).snapshot.trends.decode_tps.values) <= 4


async def test_a_viewer_that_comes_late_draws_the_cells_before_too(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(
        store,
        "UPDATE live SET cell = (SELECT max(id) FROM cell WHERE state = 'done') WHERE t < ?",
        NOW - 30,
    )
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        assert len((await shown(pilot)).snapshot.trends.decode_tps.values) > 100


async def test_time_left_falls_by_the_second_within_a_wave(tmp_path: Path) -> None:
    viewer = Viewer(*recorded(tmp_path))
    left = []
    async with viewer.run_test(size=(120, 36)) as pilot:
        for into_s in (1, 2, 3):
            viewer.moment = NOW - 150 + into_s  # its live pictures are of one wave that began 150 s ago
            await shown(pilot)
            left.append((viewer.snapshot.remaining.cell_s, viewer.snapshot.remaining.all_s))
    cell, every = ([before - after for before, after in pairwise(each)] for each in zip(*left, strict=True))
    assert cell == every == [pytest.approx(1.0), pytest.approx(1.0)]


async def test_figures_carry_units_and_percentiles(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Figures))
    assert "tok/s" in said
    assert "ms p50" in said
    assert "p5 15.82  p95 18.06" in said
    assert "p95 2 192  worst 2 329" in said
    assert "p95 66.6   worst 91.3" in said
    assert "waiting 0" in said


async def test_a_node_shows_memory_left_with_the_floors_of_its_kind(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        fragile, sturdy = (text(card) for card in viewer.screen.query(NodeCard))
    assert "gf1 · fragile · rank 1 · serving" in fragile
    assert "38.1 GiB" in fragile
    assert "stop 6  warn 12" in fragile
    assert "stop 4  warn 8" in sturdy
    assert "GPU holds 77.2 GiB" in sturdy
    assert "gf2 · rank 0 · serving" in sturdy
    assert "free 6.2" in sturdy
    assert "RDMA in 1.9  out 1.9 GB/s of 25" in sturdy


async def test_slots_count_and_draw_each_request_with_its_own_glyph(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Slots))
    assert "█13 decoding" in said
    assert "▒2 prefill" in said
    assert "✗1 failed" in said
    assert said.count("█") == 13 + 1


async def test_the_engine_and_this_client_speak_for_themselves(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Engines))
    assert "gf2              15        0   4.1 %" in said
    assert "stamps 0.04 ms late (kernel) · 11 % CPU" in said


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("race", [Race(), FINISHED, Race(stalled_s=30.0)], ids=["running", "over", "stalled"])
async def test_everything_fits_at_every_size(tmp_path: Path, size: tuple[int, int], race: Race) -> None:
    async with Viewer(*recorded(tmp_path, race)).run_test(size=size) as pilot:
        viewer = await shown(pilot)
        screen = viewer.screen.region
        for panel in viewer.screen.query(Panel):
            if not panel.region:
                continue
            assert screen.contains_region(panel.region), panel
            lines = str(panel.visual).splitlines()
            assert max(map(len, lines), default=0) <= panel.content_size.width, panel
            assert len(lines) <= panel.content_size.height, panel


@pytest.mark.parametrize("ending", ["failed", "guard", "stopped"])
@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_topology_that_came_to_no_good_end_does_not_look_as_if_it_had_not_been_its_turn(
    tmp_path: Path, ending: str, size: tuple[int, int]
) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE sweep SET state = ? WHERE topology = 'cluster-tp2'", ending)
    gone = "(SELECT cell.id FROM cell JOIN sweep ON sweep.id = sweep WHERE topology = 'cluster-tp2')"
    change(store, f"UPDATE cell SET state = 'failed' WHERE id IN {gone}")
    change(store, f"DELETE FROM wave WHERE cell IN {gone}")
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        viewer = await shown(pilot)
        gauges = text(viewer.panel(Progress)).splitlines()[2]
        table = text(viewer.screen.query_one("#verdict-decode", VerdictTable))
    word = "stopped by guard" if ending == "guard" else ending
    assert gauges.count(word) == 1
    if size[0] > 80:
        assert table.count(ending) == 7
    change(store, "UPDATE campaign SET state = 'partial'")
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        assert word in text((await shown(pilot)).panel(Outcome))


@pytest.mark.parametrize("width", [80, 100, 120])
async def test_no_word_and_no_figure_is_cut(tmp_path: Path, width: int) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE live SET slots = ?", bytes([0] * 11 + [1] * 10 + [2] * 12 + [3] * 14 + [4] * 17))
    async with Viewer(store, campaign).run_test(size=(width, 36)) as pilot:
        viewer = await shown(pilot)
        slots, engines = text(viewer.panel(Slots)).splitlines()[1], text(viewer.panel(Engines))
        nodes = [text(card) for card in viewer.screen.query(NodeCard)]
    assert [word for word in slots.split() if word.isalpha()] in (
        ["waiting", "prefill", "decoding", "done", "failed"],
        [],
    )
    assert slots.replace("  ", " ").startswith(("·11", "·11 waiting"))
    assert "17" in slots
    assert "…" not in slots + engines + "".join(nodes)
    assert "preempted" in engines
    assert "% CPU" in engines
    assert all("GiB/s" in node and "swap 0" in node and "PSI 0.0 %" in node for node in nodes)


async def test_at_80_columns_the_fast_streams_and_what_is_in_flight_are_told_too(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=(80, 24)) as pilot:
        said = text((await shown(pilot)).panel(Figures))
    assert "p5 15.82  p95 18.06" in said
    assert "in flight 15" in said


@pytest.mark.parametrize("size", SIZES)
async def test_simulated_is_visible_on_every_screen(tmp_path: Path, size: tuple[int, int]) -> None:
    async with Viewer(*recorded(tmp_path)).run_test(size=size) as pilot:
        for key in "124":
            await pilot.press(key)
            assert "SIMULATED" in everything(await shown(pilot))


async def test_a_measured_campaign_does_not_say_simulated(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, Race(source="measured"))).run_test() as pilot:
        assert "SIMULATED" not in everything(await shown(pilot))


async def test_a_stall_falls_to_zero_and_shows_its_age(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, Race(stalled_s=12.0))).run_test(size=(80, 24)) as pilot:
        viewer = await shown(pilot)
        assert viewer.screen.query_one(Digits).value.strip() == "0.0"
        assert "silent for 12 s" in text(viewer.panel(Progress))
        cards = list(viewer.screen.query(NodeCard))
        assert all("last seen 13 s ago" in text(card) for card in cards)
        assert all(card.has_class("-stale") for card in cards)


async def test_after_the_end_a_node_is_as_it_was_then_and_one_that_was_lost_before_says_so(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    change(store, "UPDATE node_sample SET phase = 'stopping'")
    change(store, "UPDATE node_sample SET t = t - 160 WHERE node = 'gf2'")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        first, second = (str(card.border_title) for card in viewer.screen.query(NodeCard))
    assert first == "gf1 · fragile · at the end, 40 s ago"
    assert re.fullmatch(r"gf2 · stopping · last seen 2 m 0\d s before the end", second)


async def test_unknown_is_a_dash_and_never_zero(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(
        store,
        "UPDATE node_sample SET power_w = NULL, temp_c = NULL, gpu_procs_bytes = NULL, mem_available_bytes = NULL,"
        " rdma_rx_bytes = NULL, rdma_tx_bytes = NULL",
    )
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        said = text(next(iter(viewer.screen.query(NodeCard))))
    assert "GPU holds - GiB" in said
    assert "- W  - C" in said
    assert "left      - GiB" in said
    assert "falling - GiB/s" in said
    assert "RDMA" not in said


async def test_before_the_first_wave_every_figure_is_a_dash(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "DELETE FROM live")
    change(store, "DELETE FROM server_sample")
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        assert viewer.screen.query_one(Digits).value.strip() == "-"
        assert "- tok/s" in text(viewer.panel(Figures))
        assert "none in flight" in text(viewer.panel(Slots))
        assert "no word from the engine's metrics" in text(viewer.panel(Engines))


async def test_a_node_under_a_floor_changes_its_card_and_counts_down(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "DELETE FROM node_sample WHERE node = 'gf1'")
    for second in range(5):
        change(
            store,
            "INSERT INTO node_sample (campaign, t, node, phase, mem_total_bytes, mem_available_bytes, heartbeat)"
            " VALUES (?, ?, 'gf1', 'serving', ?, ?, 0)",
            *(campaign, NOW - 5 + second, 121 * GIB, (19 - 2 * second) * GIB),
        )
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        card = next(iter(viewer.screen.query(NodeCard)))
        assert card.has_class("-warn")
        assert not card.has_class("-stop")
        assert "floor in 2.5 s" in text(card)
        assert "under 6.0 GiB the guard stops cluster-tp2-ray" in text(card)


async def test_hostile_text_from_an_engine_stays_plain_text(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(
        store,
        "INSERT INTO event (t, campaign, level, source, kind, text) VALUES (?, ?, 'error', 'solo', 'x', ?)",
        *(NOW, campaign, "[bold red]no[/] \x1b[2J\x07[@click=app.quit]x"),
    )
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Log))
    assert "✗ [bold red]no[/]  [2J [@click=app.quit]x" in said
    assert "\x1b" not in said


LONG = "a word that is " + "rather " * 30 + "long"


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 36), (200, 60)])
async def test_an_event_is_shown_whole_where_there_is_room_and_all_of_them_are_a_key_away(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    store, campaign = recorded(tmp_path)
    tail = json.dumps({"log_tail": f"{LONG} beneath"})
    said = "INSERT INTO event (t, campaign, level, source, kind, text, data) VALUES (?, ?, 'error', 'x', '', ?, ?)"
    change(store, said, NOW, campaign, LONG, tail)
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        viewer = await shown(pilot)
        panel = viewer.panel(Log)
        drawn = panel.visual.plain.splitlines()
        assert len(drawn) <= panel.content_size.height
        assert all(len(line) <= panel.content_size.width for line in drawn)
        assert any(line.startswith(clock(NOW)) and "✗ a word that is rather" in line for line in drawn)
        if size[1] > 30:
            assert LONG in " ".join(" ".join(drawn).split())
        await pilot.press("l")
        await pilot.pause()
        whole = viewer.screen.query_one(LongText)
        assert f"{LONG} │ {LONG}"[:200] in " ".join(whole.text.split())
        assert "beneath" in whole.text
        assert "solo c1: " in whole.text
        assert "…" not in whole.text
        assert whole.is_vertical_scroll_end
        await pilot.press("l")
        assert (await shown(pilot)).screen is viewer.screen_stack[0]


@pytest.mark.parametrize(("size", "slots", "rows"), [((80, 24), 64, 1), ((200, 60), 512, 6)])
async def test_many_requests_fit(tmp_path: Path, size: tuple[int, int], slots: int, rows: int) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE live SET slots = ?", bytes([2]) * slots)
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        viewer = await shown(pilot)
        panel = viewer.panel(Slots)
        await pilot.pause()
        drawn = str(panel.visual).splitlines()[1:]
        assert "".join(drawn).count("█") == slots
        assert len(drawn) == rows
        assert panel.content_size.height >= rows + 1


async def test_a_finished_race_says_what_it_came_to_and_where_to_go(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        said = text(viewer.panel(Outcome))
        assert "done" in text(viewer.panel(Progress))
        assert "took 2 h 59 m" in text(viewer.panel(Progress))
        assert not viewer.panel(Figures).region
    assert said.startswith("result · margins against the runner-up")
    assert "cluster-tp2 c1 c2 c4 c8 c16 c32 +1.4 to +7.9 %   shuffle c64 +6.9 %" in said
    assert "4 all tables" in said


@pytest.mark.parametrize("size", SIZES)
async def test_a_failed_race_says_why_to_the_end_and_each_reason_once(tmp_path: Path, size: tuple[int, int]) -> None:
    store, campaign = recorded(tmp_path, FINISHED)
    unarmed = "not launched: the guard of gf2 is not armed: ssh gf2: could not resolve hostname gf2: name not known"
    port = "the port of gf2 (http://10.0.0.1:8000) is taken by something that this race did not start, process 4321"
    change(store, "UPDATE campaign SET state = 'failed'")
    change(store, "UPDATE sweep SET state = 'failed', error = ?", unarmed)
    change(store, "UPDATE sweep SET error = ? WHERE topology = 'solo'", port)
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        panel = (await shown(pilot)).panel(Reasons)
        rows = str(panel.visual).splitlines()
        assert panel.content_size.height == len(rows)
        assert max(map(len, rows)) <= panel.content_size.width
    said = " ".join(" ".join(rows).split())
    assert said == f"solo: {port} cluster-tp2, cluster-tp2-ray, shuffle: {unarmed}"


async def test_a_race_in_which_nothing_failed_has_no_reasons(tmp_path: Path) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(80, 24)) as pilot:
        assert not (await shown(pilot)).panel(Reasons).display


@pytest.mark.parametrize(("replicas", "said"), [(2, "run"), (3, "run"), (8, "8 engines")])
async def test_on_one_line_no_engine_hides_another(tmp_path: Path, replicas: int, said: str) -> None:
    store, campaign = recorded(tmp_path)
    for number in range(3, replicas + 2):
        change(
            store,
            "INSERT INTO server_sample (sweep, t, backend, running, waiting, kv_pct, preemptions)"
            " SELECT max(sweep), ?, ?, 31, 0, 0.8, 0 FROM server_sample",
            *(NOW, f"gf{number}"),
        )
    async with Viewer(store, campaign).run_test(size=(80, 24)) as pilot:
        panel = (await shown(pilot)).panel(Engines)
        line = str(panel.visual).splitlines()[0]
        assert len(line) <= panel.content_size.width
    assert said in line
    assert "…" not in line
    assert said == "8 engines" or [word for word in line.split() if word.startswith("gf")] == [
        f"gf{number}" for number in range(2, replicas + 2)
    ]


async def test_launching_says_for_how_long(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    change(store, "UPDATE cell SET state = 'waiting' WHERE state = 'measuring'")
    change(store, "UPDATE sweep SET state = 'launching', launched = ? WHERE state = 'measuring'", NOW - 42)
    async with Viewer(store, campaign).run_test(size=(80, 24)) as pilot:
        assert "cluster-tp2-ray (3 of 4) · launching for 42 s" in text((await shown(pilot)).panel(Progress))


async def test_what_the_runner_writes_is_on_screen_after_the_next_look(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await shown(pilot)
        change(
            store,
            "INSERT INTO event (t, campaign, level, source, kind, text) VALUES (?, ?, 'info', 'runner', '', 'just in')",
            *(NOW, campaign),
        )
        assert "just in" in text((await shown(pilot)).panel(Log))


def with_nodes(store: Path, count: int) -> None:
    """Let so many nodes say what gf2 says."""
    same = (
        "campaign, t, phase, mem_total_bytes, mem_available_bytes, mem_free_bytes, gpu_procs_bytes, swap_used_bytes,"
        " gpu_util_pct, power_w, temp_c, sm_mhz, heartbeat"
    )
    for number in range(3, count + 1):
        copied = f"SELECT 'gf{number}', {same} FROM node_sample WHERE node = 'gf2'"
        change(store, f"INSERT INTO node_sample (node, {same}) {copied}")


@pytest.mark.parametrize("size", SIZES)
async def test_many_nodes_leave_room_for_the_requests_and_say_what_is_left_on_each(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    store, campaign = recorded(tmp_path)
    with_nodes(store, 16)
    change(store, "UPDATE node_sample SET mem_available_bytes = ? WHERE node = 'gf1'", 3 * GIB)
    async with Viewer(store, campaign).run_test(size=size) as pilot:
        await shown(pilot)
        viewer = await shown(pilot)
        cards = list(viewer.screen.query(NodeCard))
        said = [card.visual.plain for card in cards]
        assert [line.split()[0] for line in said] == [f"gf{number}" for number in range(1, 17)]
        assert all(" left " in line and "GiB" in line for line in said)
        assert "under its stop fl" in said[0]
        assert "GPU 77.2 GiB" in said[1]
        for widget in (*cards, viewer.panel(Slots), viewer.panel(Engines)):
            assert viewer.screen.region.contains_region(widget.region)


async def test_cards_come_back_when_there_is_room_for_them(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path)
    with_nodes(store, 4)
    async with Viewer(store, campaign).run_test(size=(100, 30)) as pilot:
        viewer = await shown(pilot)
        assert {card.size.height for card in viewer.screen.query(NodeCard)} == {1}
        await pilot.resize_terminal(120, 40)
        await shown(pilot)
        assert {card.outer_size.height for card in viewer.screen.query(NodeCard)} == {6}


async def test_a_race_that_was_stopped_declares_no_winner_and_says_how_to_finish_it(tmp_path: Path) -> None:
    store, campaign = recorded(tmp_path, Race(state="stopped", finished_topologies=1, done_levels=6, done_waves=0))
    change(store, "UPDATE sweep SET state = 'stopped' WHERE state IN ('measuring', 'waiting')")
    async with Viewer(store, campaign).run_test(size=(80, 24)) as pilot:
        said = text((await shown(pilot)).panel(Outcome))
        await pilot.press("4")
        table = str((await shown(pilot)).screen.query_one("#verdict-decode", VerdictTable).visual).splitlines()
    assert re.search(r"^cluster-tp2-ray +not launched +0 of 7 levels", said, re.MULTILINE)
    assert re.search(r"^cluster-tp2 +stopped +6 of 7 levels", said, re.MULTILINE)
    assert "decode  cluster-tp2 c1 c2 c4 c8 c16 c32 so far +36 to +50 %\n" in said
    assert re.search(r"^        only solo measured c64 35\d\.\d tok/s$", said, re.MULTILINE), "what it reached"
    assert f"not finished: 13 of 28 cells measured   6 r or sparktui resume {campaign} finishes it" in said
    assert table[0].endswith("So far")
    assert table[-1].endswith("only solo measured")
    assert "[" not in table[-1]
