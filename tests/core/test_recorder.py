"""`sparktui nodes`: what is known of the nodes' last minutes, from the store alone."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from sparktui.cli import cli
from sparktui.errors import UsageError
from sparktui.nodes.history import clock
from sparktui.nodes.sample import NodeSample
from sparktui.recorder.command import fragile_nodes
from sparktui.recorder.document import to_json
from sparktui.recorder.flight import Records
from sparktui.recorder.readings import rate, readings
from sparktui.recorder.text import WIDTH, render
from sparktui.store.reader import Reader
from tests.core.flown import COLLAPSE, LAST, LOADING, T0, samples_of, store_collapse
from tests.core.measured import store_campaign
from tests.core.node_samples import GIB, samples

MINUTES = 600.0


def printed(store: Path, last_s: float = MINUTES, **options: object) -> str:
    with Reader(store) as reader:
        return render(Records(reader, 1).flight(last_s, **options))  # type: ignore[arg-type]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "sparktui.db"
    store_collapse(path)
    return path


def test_the_minutes_before_a_guard_stop_say_who_when_how_fast_and_what_ran(store: Path) -> None:
    said = printed(store)
    assert f"the last 10 m 00 s before {clock(LAST)}, when this happened:\n  gf1 has 6.3 GiB left" in said
    assert (
        f"  gf1 last seen {clock(LAST)}, 6.3 GiB left, falling 4.4 GiB/s, phase loading,\n"
        "    topology cluster-tp2; the guard had warned 4.1 s before\n"
        f"  least left    6.3 GiB at {clock(LAST)}, cluster-tp2\n"
        f"  warned from {clock(COLLAPSE + 5.9)} for 4.1 s, until its guard stopped what ran\n"
    ) in said
    assert "! warns under 12.0 · ✗ stops under 16.0 loading, 6.0 serving" in said
    assert f"  {clock(COLLAPSE + 5.9)}  warning: gf1 has 20.0 GiB left while loading" in said


def test_the_line_of_memory_falls_and_is_marked_where_it_was_under_a_floor(store: Path) -> None:
    spark, under = (line for line in printed(store, 10.0, node="gf1").splitlines() if "▂" in line or "✗✗" in line)
    assert spark.split()[2] == "▂▂▂▂▂▂▂▁▁▁"
    assert under.index("✗") == spark.index("▁")


def test_the_sample_that_crossed_is_the_last_row_of_the_table_and_in_the_line(store: Path) -> None:
    with Reader(store) as reader:
        (gf1,) = Records(reader, 1).flight(MINUTES, node="gf1").nodes
    last = gf1.columns[-1]
    assert last is not None
    assert last.left_bytes == gf1.samples[-1].mem_available_bytes == int(6.27 * GIB)
    rows = [line.split() for line in printed(store, node="gf1").splitlines() if line.endswith("2411 4.00")]
    assert rows[-1][:5] == [f"{clock(LAST)}.0", "loading", "6.3", "5.3", "111.7"]


def test_every_line_of_ours_fits_eighty_columns(store: Path) -> None:
    assert max(len(line) for line in printed(store).splitlines()) <= WIDTH


def test_each_topology_has_its_closest_call_only_on_the_nodes_it_was_on(store: Path) -> None:
    with Reader(store) as reader:
        gf1, gf2 = Records(reader, 1).flight(MINUTES).nodes
    assert [(str(call.run), call.left_bytes // GIB) for call in gf1.closest] == [("cluster-tp2", 6)]
    assert [(str(call.run), call.left_bytes // GIB) for call in gf2.closest] == [("solo c1", 36), ("cluster-tp2", 100)]


def test_a_node_that_was_lost_before_anything_was_done_is_remembered_at_its_last_sample(tmp_path: Path) -> None:
    store_collapse(tmp_path / "s.db", silent=True)
    said = printed(tmp_path / "s.db")
    assert f"before {clock(LAST)}, when this happened:\n  gf1 last seen, 6.3 GiB left; silent for 5 s" in said
    assert f"warned from {clock(COLLAPSE + 5.9)} on" in said


def test_newest_shows_the_last_samples_whatever_went_wrong_before(store: Path) -> None:
    said = printed(store, 60.0, newest=True)
    assert f"the last 1 m 00 s before {clock(LAST + 20)}, the newest sample\n" in said
    assert f"gf1 last seen {clock(LAST)}" in said
    assert f"gf2 at {clock(LAST)}, 100.0 GiB left" in printed(store, 60.0)


def test_samples_fetched_late_tell_the_same_as_those_that_came_in_time(tmp_path: Path) -> None:
    recorded = [*samples_of("gf1", T0 - 5, LAST), *samples_of("gf2", T0 - 5, LAST + 20)]
    store_collapse(tmp_path / "in_order.db")
    random.Random(5).shuffle(recorded)
    store_collapse(tmp_path / "late.db", samples=recorded)
    assert printed(tmp_path / "late.db") == printed(tmp_path / "in_order.db")


def test_an_unknown_node_is_refused_with_those_there_are(store: Path) -> None:
    with pytest.raises(UsageError, match="no samples of 'gf3'") as unknown:
        printed(store, node="gf3")
    assert unknown.value.hint == "of: gf1, gf2"


@pytest.mark.parametrize(("source", "why"), [("imported", "was imported"), ("measured", "no samples of any node")])
async def test_where_nothing_was_sampled_that_is_said(tmp_path: Path, source: str, why: str) -> None:
    await store_campaign(tmp_path / "s.db", {"solo": {1: (10.0,)}}, source=source)
    with Reader(tmp_path / "s.db") as reader:
        with pytest.raises(UsageError, match=why):
            Records(reader, 1)
        assert fragile_nodes(reader, 1) == ()


def test_only_fragile_nodes_are_named_beside_the_tables(store: Path) -> None:
    with Reader(store) as reader:
        (call,) = fragile_nodes(reader, 1)
    assert str(call) == f"gf1 never had less than 6.3 GiB left (cluster-tp2, {clock(LAST)[:5]})"


def test_data_says_the_same_as_text_with_units_in_the_names(store: Path) -> None:
    with Reader(store) as reader:
        told = json.loads(json.dumps(to_json(Records(reader, 1).flight(MINUTES))))
    gf1 = told["nodes"][0]
    assert told["focus"]["kind"] == "guard-stop"
    assert (
        gf1["last_words"]["left_bytes"] == gf1["closest"][0]["left_bytes"] == gf1["samples"][-1]["mem_available_bytes"]
    )
    assert gf1["last_words"]["slope_bytes_s"] == pytest.approx(-4.38 * GIB, rel=0.01)
    assert gf1["limits"]["loading_stop_bytes"] == 16 * GIB
    assert gf1["columns"][0] is None


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        (["--last", "10s", "--node", "gf1"], 0, "gf1, fragile"),
        (["1", "--json"], 0, '"format": "sparktui.nodes.v1"'),
        (["--last", "soon"], 2, ""),
        (["--last", "0m"], 2, ""),
    ],
)
def test_the_command_prints_them(
    store: Path, monkeypatch: pytest.MonkeyPatch, typed: list[str], code: int, said: str
) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(store.parent))
    done = CliRunner().invoke(cli, ["nodes", *typed])
    assert (done.exit_code, said in done.stdout) == (code, True)


def test_what_nodes_wrote_cannot_drive_the_terminal(tmp_path: Path) -> None:
    wild = samples_of("gf1", LOADING, LAST)
    store_collapse(tmp_path / "s.db", samples=[msgspec.structs.replace(s, node="gf1\x1b[2J") for s in wild])
    assert "\x1b" not in printed(tmp_path / "s.db")


def test_a_counter_that_began_again_or_is_unknown_has_no_rate() -> None:
    counted = samples(10, net_rx_bytes=lambda t: int(t * 1e6) if t < 9 else 0)
    assert rate(counted[:15], lambda s: s.net_rx_bytes) == pytest.approx(1e6)
    assert rate(counted, lambda s: s.net_rx_bytes) is None
    assert rate(samples(10), lambda s: s.alloc_stalls) is None
    assert rate(samples(0), lambda s: s.heartbeat) is None


def test_every_reading_of_a_sample_has_a_unit_and_an_unknown_one_is_a_dash() -> None:
    said = {str(reading) for reading in readings(samples(10, swap_in_bytes=lambda t: int(t * 3 * 1024**2)))}
    assert {
        "left 40.0 GiB",
        "swap in/out 3.0/0.0 MiB/s",
        "clock 2411 MHz",
        "throttle none",
        "link 200 Gbit/s",
        "energy -",
    } <= said
    assert {"left -", "slope -", "throttle -"} <= {str(r) for r in readings([NodeSample(t=1.0, node="gf1")])}
