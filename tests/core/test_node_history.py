"""Samples by time: what hours of them are drawn from."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from sparktui.errors import StoreError
from sparktui.nodes.sample import NodeSample
from sparktui.store import queries
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.node_samples import GIB, samples


async def stored(path: Path, *batches: list[NodeSample]) -> int:
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="", source="measured", host="here", version="0.1.0"
        )
        for batch in batches:
            await writer.add_node_samples(campaign, batch)
    return campaign


async def test_each_column_is_the_sample_with_the_least_left(tmp_path: Path) -> None:
    dip = samples(9.5, mem_available_bytes=lambda t: (3 if t == 6.5 else 40) * GIB, gpu_procs_bytes=lambda t: int(t))
    campaign = await stored(tmp_path / "s.db", dip)
    with Reader(tmp_path / "s.db") as reader:
        columns = reader.node_history(campaign).columns("gf1", 1_000.0, 5.0, 2)
    assert [(c.samples, c.t, c.left_bytes, c.gpu_procs_bytes) for c in columns if c] == [
        (10, 1_000.0, 40 * GIB, 0),
        (10, 1_006.5, 3 * GIB, 6),
    ]


async def test_a_column_without_a_sample_is_none_and_so_is_an_unknown_figure(tmp_path: Path) -> None:
    campaign = await stored(tmp_path / "s.db", samples(1, mem_available_bytes=None))
    with Reader(tmp_path / "s.db") as reader:
        before, only, *after = reader.node_history(campaign).columns("gf1", 995.0, 5.0, 4)
    assert (before, after) == (None, [None, None])
    assert only is not None
    assert (only.samples, only.left_bytes, only.free_bytes) == (3, None, 36 * GIB)


async def test_samples_that_were_fetched_late_are_in_their_place(tmp_path: Path) -> None:
    taken = samples(10)
    campaign = await stored(tmp_path / "s.db", taken[:5], taken[15:], taken[5:15])
    with Reader(tmp_path / "s.db") as reader:
        history = reader.node_history(campaign)
        assert [sample.t for sample in history.last("gf1", 1_007.5, 4)] == [1_006.0, 1_006.5, 1_007.0, 1_007.5]
        assert history.spans() == {"gf1": (1_000.0, 1_010.0)}
        assert history.earliest_since(history.newest() - 10) == 1_002.5
        assert history.earliest_since(history.newest()) is None


async def test_a_columns_phase_is_that_of_its_least_for_its_floors_held_then(tmp_path: Path) -> None:
    def left(t: float) -> int:
        return 36 * GIB if t < 6 else 118 * GIB

    taken = samples(
        10, phase=lambda t: "serving" if t < 6 else "idle" if t < 8 else "loading", mem_available_bytes=left
    )
    campaign = await stored(tmp_path / "s.db", taken)
    with Reader(tmp_path / "s.db") as reader:
        columns = reader.node_history(campaign).columns("gf1", 1_000.0, 4.0, 3)
    assert [(column.phase, column.left_bytes) for column in columns if column] == [
        ("serving", 36 * GIB),
        ("serving", 36 * GIB),
        ("loading", 118 * GIB),
    ]


async def test_the_least_is_found_with_its_moment_among_the_samples_of_one_node(tmp_path: Path) -> None:
    mine = samples(10, mem_available_bytes=lambda t: int((20 - t) * GIB))
    campaign = await stored(tmp_path / "s.db", mine, samples(10, "gf2", mem_available_bytes=GIB))
    with Reader(tmp_path / "s.db") as reader:
        history = reader.node_history(campaign)
        found = history.least_left("gf1", 1_000.0, 1_005.0)
        assert found is not None
        assert (found.t, found.left_bytes) == (1_004.5, int(15.5 * GIB))
        assert history.least_left("gf1", 2_000.0, 2_005.0) is None


async def test_a_campaign_without_samples_has_no_history(tmp_path: Path) -> None:
    campaign = await stored(tmp_path / "s.db")
    with Reader(tmp_path / "s.db") as reader:
        history = reader.node_history(campaign)
        assert history.spans() == {}
        assert history.newest() == 0
        assert history.columns("gf1", 0.0, 1.0, 3) == [None] * 3
        assert history.last("gf1", 1e12, 3) == []


async def test_a_damaged_sample_is_an_error_not_a_figure(tmp_path: Path) -> None:
    campaign = await stored(tmp_path / "s.db", samples(1))
    with closing(sqlite3.connect(tmp_path / "s.db")) as db, db:
        db.execute("UPDATE node_sample SET phase = 'dancing'")
    with Reader(tmp_path / "s.db") as reader, pytest.raises(StoreError):
        reader.node_history(campaign).columns("gf1", 1_000.0, 5.0, 1)


@pytest.mark.parametrize("query", ["LEAST_LEFT", "NODES_SAMPLED"])
async def test_what_hours_are_drawn_from_is_read_from_the_index_alone(tmp_path: Path, query: str) -> None:
    await stored(tmp_path / "s.db", samples(1))
    with closing(sqlite3.connect(tmp_path / "s.db")) as db:
        statement = getattr(queries, query)
        values = {"campaign": 1} if ":campaign" in statement else (1, "gf1", 0.0, 1.0) * (statement.count("?") // 4)
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
    touching = [step for step in plan if " node_sample " in step]
    assert touching
    assert all(step.startswith("SEARCH node_sample USING COVERING INDEX") for step in touching)
    assert not any("TEMP B-TREE" in step for step in plan)


async def test_samples_survive_the_way_into_the_store_and_back(tmp_path: Path) -> None:
    taken = samples(2, top="vllm 41.2 GiB", throttle="sw power cap", nvml_hung="nvmlInit")
    campaign = await stored(tmp_path / "s.db", taken)
    with Reader(tmp_path / "s.db") as reader:
        back = reader.node_history(campaign).last("gf1", 2_000.0, 99)
    assert [msgspec.structs.asdict(sample) for sample in back] == [msgspec.structs.asdict(sample) for sample in taken]
