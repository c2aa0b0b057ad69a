from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from sparktui.errors import SparktuiError, StoreError, UsageError
from sparktui.load.messages import Progress
from sparktui.nodes.sample import NodeSample
from sparktui.store import queries
from sparktui.store.connection import SCHEMA_VERSION
from sparktui.store.control import delete_campaigns
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow
from sparktui.store.writer import Writer
from tests.core.measured import request, store_campaign, wave

RATES = {"solo": {1: (10.0, 11.0), 2: (12.0, 13.0)}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def progress(tokens: int) -> Progress:
    return Progress(tokens=tokens, prefilled=0, waiting=0, prefill=0, active=0, done=0, failed=0, slots=b"")


def test_without_a_store_there_are_no_campaigns_yet(path: Path) -> None:
    with pytest.raises(UsageError, match="no campaigns yet") as missing:
        Reader(path)
    assert "sparktui demo" in missing.value.hint
    assert not path.exists()


async def test_an_id_or_last_names_a_campaign(path: Path) -> None:
    first, second = await store_campaign(path, RATES), await store_campaign(path, RATES)
    with Reader(path) as reader:
        assert [row.id for row in reader.campaigns()] == [second, first]
        assert reader.resolve("last") == second
        assert reader.resolve(str(first)) == first


@pytest.mark.parametrize("which", ["7", "0", "-1", "newest", "", "²", "9" * 40, "1; DROP TABLE campaign"])
async def test_a_campaign_that_is_not_there_is_a_usage_error_that_lists_those_that_are(path: Path, which: str) -> None:
    await store_campaign(path, RATES)
    with Reader(path) as reader, pytest.raises(UsageError) as unknown:
        reader.resolve(which)
    assert "1 (race)" in unknown.value.hint


async def test_last_of_an_empty_store_says_there_are_none(path: Path) -> None:
    async with await Writer.open(path):
        pass
    with Reader(path) as reader, pytest.raises(UsageError, match="no campaigns yet"):
        reader.resolve("last")


async def test_a_reader_follows_a_writer_that_is_writing(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    async with await Writer.open(path) as writer:
        with Reader(path) as reader:
            (sweep,) = reader.sweeps(campaign)
            cell = reader.cells(sweep.id)[0].id
            seen, after = 0, 0
            for number in range(50):
                await writer.add_live(cell, 0, False, progress(number))
                await writer.commit_wave(cell, 100 + number, False, wave(request(0)))
                rows = await asyncio.to_thread(reader.live_since, cell, after)
                after = rows[-1].id
                seen += len(rows)
                newest = reader.latest_live(campaign)
                assert newest is not None
                assert newest.progress.tokens == number
            assert seen == 50
            assert len(reader.waves(cell, warmup=False)) == 52


async def test_a_viewer_never_sees_a_part_of_a_wave_and_never_stops_the_runner(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    stop = threading.Event()
    parts: list[int] = []

    def look() -> None:
        with Reader(path) as reader:
            cell = reader.cells(reader.sweeps(campaign)[0].id)[0].id
            while not stop.is_set():
                parts.extend(len(w.record.requests) for w in reader.waves(cell) if w.seq >= 100)

    viewer = asyncio.create_task(asyncio.to_thread(look))
    async with await Writer.open(path) as writer:
        with Reader(path) as reader:
            cell = reader.cells(reader.sweeps(campaign)[0].id)[0].id
        for number in range(30):
            await writer.commit_wave(cell, 100 + number, False, wave(*(request(slot) for slot in range(16))))
    stop.set()
    await viewer
    assert set(parts) <= {16}


async def test_two_campaigns_do_not_see_each_others_rows(path: Path) -> None:
    first, second = await store_campaign(path, RATES), await store_campaign(path, RATES)
    async with await Writer.open(path) as writer:
        with Reader(path) as reader:
            mine, theirs = (reader.cells(reader.sweeps(c)[0].id)[0].id for c in (first, second))
            await writer.add_live(mine, 0, False, progress(1))
            await writer.add_live(theirs, 0, False, progress(2))
            await writer.add_node_samples(first, [NodeSample(t=t, node=n) for t in (1.0, 2.0) for n in ("gf1", "gf2")])
            await writer.add_node_samples(second, [NodeSample(t=9.0, node="gf1")])
            await writer.add_event(second, "info", "runner", "x", "theirs")
            newest = reader.latest_live(first)
            assert newest is not None
            assert newest.progress.tokens == 1
            latest = reader.latest_node_samples(first)
            assert {name: row.sample.t for name, row in latest.items()} == {"gf1": 2.0, "gf2": 2.0}
            after = latest["gf1"].id
            assert [row.sample.node for row in reader.node_samples_since(first, after)] == ["gf2"]
            assert [row.sample.t for row in reader.node_samples_since(first, 0, "gf2")] == [1.0, 2.0]
            assert reader.events_since(first) == []
            assert reader.latest_node_samples(99) == {}
            assert reader.latest_live(99) is None


async def test_token_events_are_read_only_when_asked_for_or_needed_to_count(path: Path) -> None:
    campaign = await store_campaign(path, {"solo": {1: (10.0,)}})
    async with await Writer.open(path) as writer:
        with Reader(path) as reader:
            cell = reader.cells(reader.sweeps(campaign)[0].id)[0].id
            await writer.commit_wave(cell, 5, False, wave(request(0), request(1, completion_tokens=None)))
            lean, full = reader.waves(cell, warmup=False)[-1], reader.waves(cell, warmup=False, events=True)[-1]
    assert [bool(r.events) for r in lean.record.requests] == [False, True]
    assert [bool(r.events) for r in full.record.requests] == [True, True]


POLLED = {
    name: getattr(queries, name)
    for name in (
        "LIVE_SINCE",
        "LATEST_LIVE",
        "NODE_SAMPLES_SINCE",
        "ONE_NODES_SAMPLES_SINCE",
        "LATEST_NODE_SAMPLES",
        "LATEST_SERVER_SAMPLES",
        "EVENTS_SINCE",
    )
}


@pytest.mark.parametrize("name", POLLED)
async def test_what_is_polled_is_found_through_an_index(path: Path, name: str) -> None:
    await store_campaign(path, RATES)
    query = POLLED[name]
    values = {"campaign": "1"} if ":campaign" in query else ("1",) * query.count("?")
    with closing(sqlite3.connect(path)) as raw:
        plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert [step for step in plan if step.startswith("SCAN") and step not in ("SCAN name", "SCAN CONSTANT ROW")] == []


def damaged(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("PRAGMA ignore_check_constraints=ON")
        raw.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE wave SET clock = 'sundial'",
        "UPDATE request SET token_source = 'rumour'",
        "UPDATE request SET events = x'010203', completion_tokens = NULL",
        "DROP TABLE request",
        "ALTER TABLE wave RENAME COLUMN started TO began",
        "UPDATE request SET error = CAST(x'ff' AS TEXT)",
    ],
)
async def test_damaged_rows_are_a_store_error(path: Path, statement: str) -> None:
    campaign = await store_campaign(path, RATES)
    damaged(path, statement)
    with Reader(path) as reader, pytest.raises(StoreError):
        reader.waves(reader.cells(reader.sweeps(campaign)[0].id)[0].id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sweep SET launched = -1",
        "UPDATE cell SET concurrency = concurrency + 2147483000",
        "UPDATE wave SET clock = 'sundial'",
        "UPDATE event SET t = -1",
    ],
)
async def test_one_campaign_that_cannot_be_read_is_named_with_how_it_is_removed_alone(
    path: Path, statement: str
) -> None:
    campaign = await store_campaign(path, RATES)
    kept = await store_campaign(path, RATES)
    async with await Writer.open(path) as writer:
        await writer.add_event(campaign, "info", "runner", "ready", "up")
    table = statement.split()[1]
    of = {"sweep": "campaign = 1", "event": "campaign = 1", "cell": "sweep = 1", "wave": "cell = 1"}[table]
    damaged(path, f"{statement} WHERE {of}")
    with pytest.raises(StoreError, match=f"in campaign {campaign}: ") as refused:
        read_everything(path, campaign)
    assert refused.value.hint == f"`sparktui delete {campaign}` removes that campaign, and no other"
    delete_campaigns(path, [campaign])
    read_everything(path, kept)


async def test_a_foreign_store_with_our_version_is_a_store_error(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(f"CREATE TABLE campaign ({', '.join(field.name for field in fields(CampaignRow))})")
        raw.execute("INSERT INTO campaign VALUES ('x', 1, NULL, 2, 'yesterday', 0, 0, 0, 0, 0, 0, 0)")
        raw.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    with Reader(path) as reader:
        for call in (reader.campaigns, lambda: reader.sweeps(1), lambda: reader.resolve("last")):
            with pytest.raises(StoreError):
                call()


async def test_a_store_cut_short_is_a_typed_error_wherever_it_is_cut(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    whole = path.read_bytes()
    for share in range(1, 10):
        path.write_bytes(whole[: len(whole) * share // 10])
        with pytest.raises(SparktuiError):
            read_everything(path, campaign)


def read_everything(path: Path, campaign: int) -> None:
    with Reader(path) as reader:
        reader.events_since(campaign)
        for sweep in reader.sweeps(campaign):
            for cell in reader.cells(sweep.id):
                assert reader.waves(cell.id, events=True)


async def test_a_damaged_value_inside_a_row_is_a_store_error(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    damaged(path, "UPDATE node SET facts_json = '{'")
    with Reader(path) as reader:
        (node,) = reader.nodes(campaign)
        with pytest.raises(StoreError):
            assert node.facts
