"""Old campaigns made smaller: what is gone is read by no figure, and what is packed comes back as it was."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.compare.document import to_json
from sparktui.compare.energy import PowerSample
from sparktui.compare.summary import summarise
from sparktui.compare.thinning import needed, tells_the_same
from sparktui.errors import StoreError
from sparktui.measure.calculators import CALCULATORS
from sparktui.nodes.sample import NodeSample
from sparktui.runner.compact import compact, compactable
from sparktui.store.condensed import condense, expand
from sparktui.store.connection import open_writable, transaction
from sparktui.store.reader import Reader
from sparktui.store.statements import INSERT_NODE_SAMPLE, NODE_SAMPLE_COLUMNS
from tests.ui.fixture_store import FINISHED, GIB, NOW, build

HOURS = 1.0
HZ = 2
TROUBLE = NOW - 2.5 * 3600
LIVE = """INSERT INTO live (t, cell, wave_seq, warmup, tokens, prefilled, waiting, prefill, active, done, failed, slots)
    SELECT started + value, cell.id, 0, 0, 1, 1, 0, 0, 1, 0, 0, x'02' FROM cell, json_each('[0, 1, 2, 3, 4]')"""


@given(st.binary(max_size=400), st.sampled_from([2, 4]))
def test_what_is_packed_comes_back_as_it_was(noise: bytes, width: int) -> None:
    plain = noise * width
    assert expand(condense(plain, width), width) == plain


def test_events_of_a_stream_take_far_less_when_packed() -> None:
    rng = random.Random(1)
    events = b"".join(int(rng.gauss(17_000, 300)).to_bytes(4, "little") for _ in range(512))
    packed = condense(events, 4)
    assert len(packed) < 0.5 * len(events)
    assert len(packed) % 4
    assert condense(packed, 4) == packed


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2 | 1], lambda b: b"\xff" + b[1:], lambda b: b"abc"])
def test_what_is_damaged_does_not_come_back(damage: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        expand(damage(condense(bytes(400), 4)), 4)  # type: ignore[operator]


@given(
    st.lists(st.floats(0.1, 4.0), min_size=1, max_size=60),
    st.lists(st.tuples(st.floats(0, 60), st.floats(0.2, 20)), min_size=1, max_size=6),
    st.integers(1, 4),
    st.sets(st.integers(0, 59)),
    st.booleans(),
)
def test_the_energy_of_a_cell_is_the_same_without_the_other_samples(
    gaps: list[float], waves: list[tuple[float, float]], every: int, others: set[int], counts: bool
) -> None:
    times = [sum(gaps[: place + 1]) for place in range(len(gaps))]
    samples = [
        PowerSample(t, 60.0 + place % 3, 61.0 * t if counts and place % every == 0 else None)
        for place, t in enumerate(times)
    ]
    windows = [(start, start + length) for start, length in waves]
    kept = needed(samples, windows)
    assert tells_the_same(samples, kept, windows)
    assert tells_the_same(samples, kept | {times[place] for place in others if place < len(times)}, windows)


def a_day_at_work(path: Path) -> int:
    """Store a race whose nodes were sampled all the time, one of them by a counter of energy."""
    campaign = build(path, FINISHED)
    rng = random.Random(2)
    base = NodeSample(t=0.0, node="", phase="serving", mem_total_bytes=120 * GIB, heartbeat=0)
    rows = []
    for node, counts in (("gf1", True), ("gf2", True), ("gf3", False)):
        joules = 0.0
        for beat in range(int(HOURS * 3600 * HZ)):
            joules += (power := rng.gauss(61, 3)) / HZ
            mine = {"t": NOW - 3 * 3600 + beat / HZ + rng.uniform(0, 0.1), "node": node, "power_w": power}
            mine |= {"mem_available_bytes": int(rng.gauss(40, 2) * GIB), "energy_j": joules if counts else None}
            rows.append((campaign, *(mine.get(name, getattr(base, name)) for name in NODE_SAMPLE_COLUMNS)))
    with closing(open_writable(path)) as db, transaction(db, "NORMAL"):
        db.executemany(INSERT_NODE_SAMPLE, rows)
        db.execute(LIVE)
        told = (TROUBLE, campaign, "error", "gf1", "guard-stop", "gf1 had 1 GiB left", "{}")
        db.execute(
            "INSERT INTO event (t, campaign, level, source, kind, text, data) VALUES (?, ?, ?, ?, ?, ?, ?)", told
        )
    return campaign


def figures(path: Path, campaign: int) -> list[str]:
    with Reader(path) as reader:
        return [json.dumps(to_json(summarise(reader, campaign, calculator=name))) for name in CALCULATORS]


def count(path: Path, query: str) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute(query).fetchone()[0])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    return tmp_path / "sparktui.db"


def test_a_campaign_that_is_compacted_is_smaller_and_has_the_same_figures(path: Path) -> None:
    campaign = a_day_at_work(path)
    before = figures(path, campaign)
    assert "from their own counters" in before[0]
    with Reader(path) as reader:
        events = [wave.record for cell in range(1, 29) for wave in reader.waves(cell, events=True)]
        rows = compactable(reader, campaign, None)
        least = reader.node_history(campaign).least_left("gf1", 0, 2 * NOW)
    samples = count(path, "SELECT count(*) FROM node_sample")
    pages = count(path, "PRAGMA page_count")
    saved = compact(rows)
    assert saved == 4096 * (pages - count(path, "PRAGMA page_count"))
    assert saved > 0.5 * 4096 * pages
    assert figures(path, campaign) == before
    assert count(path, "SELECT count(*) FROM node_sample") < 0.5 * samples
    assert count(path, "SELECT count(*) - count(DISTINCT cell) FROM live") == 0
    around = f"FROM node_sample WHERE node = 'gf1' AND t BETWEEN {TROUBLE - 600} AND {TROUBLE + 60}"
    assert count(path, f"SELECT count(*) {around}") == 660 * HZ
    with Reader(path) as reader:
        assert [wave.record for cell in range(1, 29) for wave in reader.waves(cell, events=True)] == events
        now = reader.node_history(campaign).least_left("gf1", 0, 2 * NOW)
        assert (now and (now.t, now.left_bytes)) == (least and (least.t, least.left_bytes))
    assert compact(rows) == 0
    assert figures(path, campaign) == before


def test_only_what_is_old_enough_is_compacted(path: Path) -> None:
    build(path, FINISHED)
    build(path, FINISHED)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE campaign SET finished = finished - 86400 WHERE id = 1")
    with Reader(path) as reader:
        assert [row.id for row in compactable(reader, None, NOW - 3600)] == [1]
        assert [row.id for row in compactable(reader, None, None)] == [1, 2]
        assert compactable(reader, 2, NOW - 3600) == ()


def test_packed_events_that_are_cut_off_are_damage_and_not_figures(path: Path) -> None:
    campaign = build(path, FINISHED)
    with Reader(path) as reader:
        compact(compactable(reader, campaign, None))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE request SET events = substr(events, 1, 5) WHERE id = 1")
    with Reader(path) as reader, pytest.raises(StoreError, match="the token events of slot 0 are cut off"):
        reader.waves(1, events=True)
