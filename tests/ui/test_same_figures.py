"""What Live and Compare show is what `sparktui show --json` and `compare --json` print for the same moment."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from textual.pilot import Pilot
from textual.widgets import Digits

from sparktui.cli import cli
from sparktui.live.feed import ROWS_KEPT
from sparktui.ui.widgets.figures import Decode, DecodeTrend, Figures
from sparktui.ui.widgets.outcome import Outcome
from sparktui.ui.widgets.panel import Panel
from sparktui.ui.widgets.verdicts import VerdictTable
from sparktui.units import milliseconds, percent, rate
from tests.ui.fixture_store import FINISHED, NOW, Race
from tests.ui.viewing import Viewer, change, recorded, shown, text

SCHEMA = json.loads((files("sparktui.compare") / "schema.json").read_text(encoding="utf-8"))
METRICS = ("decode", "prefill", "ttft")
Row = dict[str, Any]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    monkeypatch.setattr("sparktui.ui.feed.has_runner", lambda _: True)
    return tmp_path


def printed(*argv: str) -> list[Row]:
    """Return the rows that a command prints."""
    rows: list[Row] = document(*argv)["rows"]
    return rows


def document(*argv: str) -> dict[str, Any]:
    """Return all that a command prints."""
    done = CliRunner().invoke(cli, [*argv, "--json"], catch_exceptions=False)
    return dict(json.loads(done.stdout))


def number(row: Row, value: float | None) -> str:
    return milliseconds(value) if row["unit"] == "ms" else rate(value)


def expected_cells(row: Row) -> list[str]:
    """Return what a row's cells say, spreads left out: the best in brackets, a star on what cannot win."""
    cells = []
    for name, value in row["values"].items():
        said = number(row, value)
        if name in (row["tied"] or [row["winner"]]):
            said = f"[{said}]"
        elif name in row["barred"] and value is not None:
            said += "*"
        cells.append(said)
    return cells


def shown_rows(viewer: Viewer, metric: str) -> list[str]:
    """Return the rows of a table on screen, spreads taken out."""
    table = viewer.screen.query_one(f"#verdict-{metric}", VerdictTable)
    return [re.sub(r" ±[\d.,]+", "", line) for line in str(table.visual).splitlines()[1:]]


def assert_same(viewer: Viewer, rows: list[Row], *, verdicts: bool = True) -> None:
    for metric in METRICS:
        wanted = [row for row in rows if row["metric"] == metric]
        lines = shown_rows(viewer, metric)
        assert len(lines) == len(wanted) > 0
        for line, row in zip(lines, wanted, strict=True):
            level, *cells = re.split(r"\s{2,}", line.strip())
            said = " ".join([level, *cells])
            assert said.startswith(" ".join([str(row["concurrency"]), *expected_cells(row)])), (said, row)
            if verdicts:
                assert all(part in said for part in verdict(row)), (said, row)


def verdict(row: Row) -> list[str]:
    """Return what has to be said of who wins; those that tie stand in brackets, and need not be named too."""
    if row["winner"] is None:
        return ["-" if row["only"] is None else f"only {row['only']}"]
    if row["lead_over"] is not None:
        return [percent(row["lead"]).removesuffix(" %"), f"vs {row['lead_over']}"]
    low, high = row["interval"]
    return [f"{percent(row['margin'])} ({low * 100:+.1f} to {high * 100:+.1f})"]


async def compared(pilot: Pilot[str], *keys: str) -> Viewer:
    await pilot.press("4", *keys)
    for _ in range(2):
        viewer = await shown(pilot)
    return viewer


@pytest.mark.parametrize("race", [Race(), FINISHED], ids=["running", "over"])
async def test_compare_shows_every_figure_that_show_prints(store: Path, race: Race) -> None:
    async with Viewer(*recorded(store, race)).run_test(size=(200, 60)) as pilot:
        assert_same(await compared(pilot), printed("show", "1"))


@pytest.mark.parametrize(("keys", "calculator"), [("c", "benchy-0.3.5"), ("cc", "benchy-0.4.0")])
async def test_by_another_calculator_too(store: Path, keys: str, calculator: str) -> None:
    async with Viewer(*recorded(store, FINISHED)).run_test(size=(200, 60)) as pilot:
        assert_same(await compared(pilot, *keys), printed("show", "1", "--calculator", calculator))


async def test_against_a_baseline_too(store: Path) -> None:
    async with Viewer(*recorded(store, FINISHED)).run_test(size=(200, 60)) as pilot:
        assert_same(await compared(pilot, "b"), printed("compare", "1", "--baseline", "solo"))


async def test_live_shows_the_same_tables_while_it_runs(store: Path) -> None:
    async with Viewer(*recorded(store)).run_test(size=(200, 60)) as pilot:
        assert_same(await shown(pilot), printed("show", "1"))


async def test_live_shows_the_wave_in_flight_that_show_prints(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    async with Viewer(*recorded(store)).run_test(size=(200, 60)) as pilot:
        viewer = await shown(pilot)
        live = document("show", "1")["live"]
        figures = " ".join(text(viewer.panel(Figures)).split())
        large = viewer.screen.query_one("#decode Digits", Digits).value
    jsonschema.validate(document("show", "1"), SCHEMA)
    assert (live["t"], live["topology"], live["concurrency"]) == (NOW, "cluster-tp2-ray", 16)
    assert rate(live["decode_tps"]) in large
    streams = [rate(live[f"stream_{part}_tps"]) for part in ("p50", "p5", "p95")]
    assert "each stream {} tok/s p5 {} p95 {}".format(*streams) in figures
    for name, label in (("ttft", "first token"), ("itl", "between tokens")):
        p50, p95, worst = (milliseconds(live[f"{name}_{part}_ms"]) for part in ("p50", "p95", "max"))
        assert f"{label} {p50} ms p50 p95 {p95} worst {worst}" in figures
    assert f"prefill {rate(live['prefill_tps'])} tok/s" in figures
    assert f"in flight {live['in_flight']} waiting {live['waiting']}" in figures


async def test_beside_the_moment_live_says_what_the_table_says_of_the_cell(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    viewed = recorded(store)
    (row,) = [row for row in printed("show", "1") if (row["metric"], row["concurrency"]) == ("decode", 16)]
    in_table = row["values"]["cluster-tp2-ray"]
    live = document("show", "1")["live"]
    assert (live["cell_waves"], live["cell_decode_tps"]) == (2, pytest.approx(in_table, rel=1e-12))
    for size, where in (((80, 24), "cell so far"), ((120, 36), "this cell so far")):
        async with Viewer(*viewed).run_test(size=size) as pilot:
            viewer = await shown(pilot)
            box = viewer.screen.query_one(Decode)
            said = text(viewer.panel(DecodeTrend)) if size[0] == 80 else str(box.border_subtitle)
            assert f"{where} {rate(in_table)}" in said
            assert f"each stream, this cell so far {rate(live['cell_stream_tps'])} tok/s" in text(viewer.panel(Figures))


async def test_before_the_first_wave_of_a_cell_has_ended_nothing_is_said_of_it(store: Path) -> None:
    viewed = recorded(store, Race(done_waves=0))
    async with Viewer(*viewed).run_test(size=(120, 36)) as pilot:
        viewer = await shown(pilot)
        assert str(viewer.screen.query_one(Decode).border_subtitle) == "this cell so far - tok/s"
        assert viewer.snapshot.wave is not None
        assert viewer.snapshot.wave.cell_waves == 0


async def test_between_waves_what_a_stream_got_last_stands_in_words_and_in_data_alike(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: NOW)
    viewed = recorded(store)
    none = "stream_p5_tps = NULL, stream_p50_tps = NULL, stream_p95_tps = NULL"
    change(viewed[0], "UPDATE live SET stream_p5_tps = 15.0, stream_p50_tps = 16.0, stream_p95_tps = 17.0")
    change(viewed[0], f"UPDATE live SET {none} WHERE id > (SELECT max(id) - 6 FROM live)")
    async with Viewer(*viewed).run_test(size=(120, 36)) as pilot:
        assert "each stream was 16.00 tok/s p5 15.00 p95 17.00" in words((await shown(pilot)).panel(Figures))
        live = document("show", "1")["live"]
        assert (live["stream_held"], live["stream_p50_tps"], live["stream_p95_tps"]) == (True, 16.0, 17.0)
        change(viewed[0], f"UPDATE live SET {none} WHERE id > (SELECT max(id) - {ROWS_KEPT} FROM live)")
    async with Viewer(*viewed).run_test(size=(120, 36)) as pilot:
        assert "each stream - tok/s p5 - p95 -" in words((await shown(pilot)).panel(Figures))
    assert document("show", "1")["live"]["stream_held"] is False


def words(panel: Panel) -> str:
    return " ".join(text(panel).split())


def test_what_is_over_has_no_wave_in_flight(store: Path) -> None:
    recorded(store, FINISHED)
    assert document("show", "1")["live"] is None


async def test_live_names_the_same_winners_once_it_is_over(store: Path) -> None:
    async with Viewer(*recorded(store, FINISHED)).run_test(size=(120, 36)) as pilot:
        said = text((await shown(pilot)).panel(Outcome))
    for row in printed("show", "1"):
        (words,) = re.findall(rf"^{row['metric']}.*(?:\n .*)*", said, re.MULTILINE)
        who = f"tie {row['tied'][0]} = [^,]*" if row["tie"] else re.escape(row["winner"])
        assert re.search(rf"{who}(?: c\d+)* c{row['concurrency']}(?!\d)", words)


def ends(store: Path) -> list[float]:
    """Return when the cells that are over ended, in their order."""
    with closing(sqlite3.connect(store / "sparktui.db")) as db:
        return [row[0] for row in db.execute("SELECT ended FROM cell WHERE ended IS NOT NULL ORDER BY ended")]


def sample_power(store: Path, start: float, end: float) -> None:
    """Have both nodes say every half second what they draw, more and more of it."""
    with closing(sqlite3.connect(store / "sparktui.db")) as db, db:
        db.executemany(
            "INSERT INTO node_sample (campaign, t, node, phase, power_w, heartbeat) VALUES (1, ?, ?, 'serving', ?, 0)",
            [
                (start + half / 2, node, 60.0 + half % 100)
                for half in range(int((end - start) * 2))
                for node in ("gf1", "gf2")
            ],
        )


def assert_same_energy(viewer: Viewer, rows: list[Row]) -> None:
    wanted = [row for row in rows if row["metric"] == "energy"]
    lines = shown_rows(viewer, "energy")
    assert len(lines) == len(wanted) > 0
    for line, row in zip(lines, wanted, strict=True):
        said = " ".join(re.split(r"\s{2,}", line.strip()))
        assert said.startswith(" ".join([str(row["concurrency"]), *expected_cells(row)])), (said, row)


async def test_samples_that_arrive_after_a_cell_has_ended_are_shown_too(store: Path) -> None:
    path, campaign = recorded(store)
    change(path, "DELETE FROM node_sample")
    *_, before, last = ends(store)
    sample_power(store, before - 5, last - 20)
    async with Viewer(path, campaign).run_test(size=(200, 60)) as pilot:
        await compared(pilot)
        sample_power(store, last - 20, last + 0.5)
        await shown(pilot)
        sample_power(store, last + 0.5, last + 20)
        viewer = await shown(pilot)
        assert_same_energy(viewer, printed("show", "1"))
        with closing(sqlite3.connect(path)) as db:
            ((began, ended),) = db.execute("SELECT started, ended FROM cell ORDER BY id LIMIT 1").fetchall()
        sample_power(store, began - 3, ended + 3)
        assert_same_energy(await shown(pilot), printed("show", "1"))
