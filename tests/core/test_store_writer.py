from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import pytest

from sparktui.errors import StoreError, UsageError
from sparktui.load.messages import Progress
from sparktui.measure.server_figures import ServerFigures
from sparktui.nodes.sample import NodeSample
from sparktui.store import connection as opening
from sparktui.store.control import delete_campaigns, request_control
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import request, wave

DATA = Path(__file__).parent / "data"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "sparktui.db"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer]:
    async with await Writer.open(path) as opened:
        yield opened


async def new_cell(writer: Writer) -> tuple[int, int, int]:
    campaign = await writer.create_campaign(name="race", profile_yaml="", source="measured", host="here", version="1")
    sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint="{}")
    return campaign, sweep, await writer.create_cell(sweep, 0, concurrency=2, pp=100, tg=11, depth=0, runs=3)


def progress(tokens: int) -> Progress:
    return Progress(tokens=tokens, prefilled=1, waiting=0, prefill=0, active=1, done=0, failed=0, slots=b"\x02")


async def test_the_store_is_its_owners_alone(writer: Writer, path: Path) -> None:
    await new_cell(writer)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


async def test_a_store_left_readable_for_others_is_closed_to_them(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    async with await Writer.open(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_was_written_is_read_back_unchanged(writer: Writer, path: Path) -> None:
    campaign, sweep, cell = await new_cell(writer)
    record = wave(request(0), request(1, sent_us=5, error="timeout", backend="gf1"))
    sample = NodeSample(t=5.0, node="gf1", phase="serving", mem_available_bytes=3 << 33, unified=True, power_w=61.5)
    figures = ServerFigures(running=2.0, kv_pct=4.5)
    await writer.add_node(campaign, "gf1", {"cores": 20})
    await writer.commit_wave(cell, 0, True, record)
    await writer.commit_wave(cell, 0, False, record)
    await writer.add_live(cell, 0, False, progress(7), t=12.5)
    await writer.add_node_samples(campaign, [sample])
    await writer.add_server_sample(sweep, "gf1", figures)
    await writer.add_event(campaign, "warning", "guard", "guard-warn", "gf1 is short", {"left": 3})
    with Reader(path) as reader:
        assert reader.nodes(campaign)[0].facts == {"cores": 20}
        assert [(w.warmup, w.record) for w in reader.waves(cell, events=True)] == [(True, record), (False, record)]
        assert [w.warmup for w in reader.waves(cell, warmup=False)] == [False]
        live = reader.latest_live(campaign)
        assert live is not None
        assert (live.t, live.progress) == (12.5, progress(7))
        assert reader.latest_node_samples(campaign)["gf1"].sample == sample
        assert reader.latest_server_samples(sweep)["gf1"].figures == figures
        (event,) = reader.events_since(campaign)
        assert (event.level, event.text, event.data) == ("warning", "gf1 is short", {"left": 3})


async def test_states_leave_their_times(writer: Writer, path: Path) -> None:
    campaign, sweep, cell = await new_cell(writer)
    await writer.set_campaign_state(campaign, "running")
    for state in ("launching", "warming", "measuring", "stopping"):
        await writer.set_sweep_state(sweep, state)
    await writer.set_cell_state(cell, "measuring")
    await writer.set_cell_state(cell, "done", taint="late", server_tokens=22.0)
    await writer.set_sweep_state(sweep, "done", proof=["port 8000 is still open"])
    await writer.set_campaign_state(campaign, "partial", exit_code=1, detail="one request failed")
    with Reader(path) as reader:
        row, (its_sweep,), (its_cell,) = reader.campaign(campaign), reader.sweeps(campaign), reader.cells(sweep)
    assert row.finished is not None
    assert (row.state, row.exit_code, row.detail) == ("partial", 1, "one request failed")
    assert its_sweep.launched is not None
    assert its_sweep.ready is not None
    assert its_sweep.stopped is not None
    assert its_sweep.launched <= its_sweep.ready <= its_sweep.stopped
    assert its_sweep.proof == '["port 8000 is still open"]'
    assert its_cell.started is not None
    assert its_cell.ended is not None
    assert (its_cell.taint, its_cell.server_tokens) == ("late", 22)


async def test_a_campaign_that_runs_again_is_not_finished(writer: Writer, path: Path) -> None:
    campaign, sweep, cell = await new_cell(writer)
    await writer.set_campaign_state(campaign, "stopped", exit_code=130)
    await writer.set_sweep_state(sweep, "stopped")
    await writer.set_cell_state(cell, "failed")
    await writer.set_campaign_state(campaign, "running")
    await writer.set_sweep_state(sweep, "launching")
    await writer.set_cell_state(cell, "measuring")
    with Reader(path) as reader:
        assert (reader.campaign(campaign).finished, reader.campaign(campaign).exit_code) == (None, None)
        assert (reader.sweeps(campaign)[0].ready, reader.sweeps(campaign)[0].stopped) == (None, None)
        assert reader.cells(sweep)[0].ended is None


async def test_a_wave_is_written_once(writer: Writer, path: Path) -> None:
    _, _, cell = await new_cell(writer)
    await writer.commit_wave(cell, 0, False, wave(request(0)))
    with pytest.raises(StoreError):
        await writer.commit_wave(cell, 0, False, wave(request(0)))
    await writer.commit_wave(cell, 0, True, wave(request(0)))
    with Reader(path) as reader:
        assert len(reader.waves(cell)) == 2


async def test_a_wave_that_cannot_be_written_whole_is_absent(writer: Writer, path: Path) -> None:
    _, _, cell = await new_cell(writer)
    with pytest.raises(StoreError):
        await writer.commit_wave(cell, 0, False, wave(request(0), request(1), request(1)))
    with Reader(path) as reader:
        assert reader.waves(cell) == []
    await writer.commit_wave(cell, 0, False, wave(request(0), request(1)))


async def test_a_wave_every_state_and_what_is_launched_are_synced_to_disk_and_pictures_are_not(path: Path) -> None:
    async with await Writer.open(path) as writer:
        assert writer._connection is not None
        said: list[str] = []
        await writer._run(lambda connection: connection.set_trace_callback(said.append))
        _, _, cell = await new_cell(writer)
        await writer.add_live(cell, 0, False, progress(1))
        await writer.commit_wave(cell, 0, False, wave(request(0)))
        await writer.set_cell_state(cell, "done")
        await writer.set_launched_pid(await writer.add_launched(1, "gf1", "engine"), 7, 1.0)
        assert await writer._run(lambda connection: connection.execute("PRAGMA journal_mode").fetchone()) == ("wal",)
    synced = [line.partition("=")[2] for line in said if line.startswith("PRAGMA synchronous")]
    assert synced == ["FULL", "FULL", "FULL", "NORMAL", "FULL", "FULL", "FULL", "FULL"]


async def test_a_request_leaves_the_lock_of_a_reader_beside_it_in_the_same_process(path: Path) -> None:
    async with await Writer.open(path) as writer:
        campaign, _, _ = await new_cell(writer)
    take = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)"
    with Reader(path) as reader:
        assert reader.campaign(campaign)
        request_control(path, campaign, "stop")
        done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", take, str(path)], capture_output=True)
    assert b"BlockingIOError" in done.stderr


async def test_nothing_is_written_on_the_event_loops_thread(writer: Writer) -> None:
    threads = {await writer._run(lambda _: threading.get_ident()) for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads


async def test_a_cancelled_call_is_still_written_whole(writer: Writer, path: Path) -> None:
    _, _, cell = await new_cell(writer)
    release = threading.Event()
    holding = asyncio.create_task(writer._run(lambda _: release.wait(10)))
    await asyncio.sleep(0)
    task = asyncio.create_task(writer.commit_wave(cell, 0, False, wave(request(0), request(1))))
    await asyncio.sleep(0)
    release.set()
    await holding
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await writer.close()
    with Reader(path) as reader:
        assert [len(w.record.requests) for w in reader.waves(cell)] in ([], [2])


async def test_a_closed_writer_says_so(path: Path) -> None:
    writer = await Writer.open(path)
    await writer.close()
    await writer.close()
    with pytest.raises(StoreError, match="closed"):
        await writer.pending_controls(1)


async def test_a_row_of_a_deleted_campaign_is_refused(writer: Writer, path: Path) -> None:
    campaign, sweep, cell = await new_cell(writer)
    await writer.commit_wave(cell, 0, False, wave(request(0)))
    delete_campaigns(path, [campaign])
    for call in (writer.set_cell_state(cell, "done"), writer.commit_wave(cell, 1, False, wave(request(0)))):
        with pytest.raises(StoreError, match="deleted"):
            await _with_hint(call)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM request").fetchone() == (0,)
    assert sweep


async def _with_hint(call: object) -> None:
    try:
        await call  # type: ignore[misc]
    except StoreError as error:
        raise StoreError(f"{error.message} {error.hint}") from error


async def test_a_viewers_command_reaches_the_runner_once(writer: Writer, path: Path) -> None:
    campaign, *_ = await new_cell(writer)
    request_control(path, campaign, "end-topology")
    request_control(path, campaign, "stop")
    first, second = await writer.pending_controls(campaign)
    assert (first.command, second.command) == ("end-topology", "stop")
    await writer.finish_control(first.id)
    assert [control.command for control in await writer.pending_controls(campaign)] == ["stop"]


async def test_a_command_to_nobody_is_a_usage_error(writer: Writer, path: Path) -> None:
    with pytest.raises(UsageError, match="no campaign 9"):
        request_control(path, 9, "stop")
    with pytest.raises(UsageError, match="no command"):
        request_control(path, 9, "rm -rf")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no campaign 9"):
        delete_campaigns(path, [9])
    assert writer


async def test_what_was_launched_is_left_until_it_is_gone(writer: Writer, path: Path) -> None:
    campaign, sweep, _ = await new_cell(writer)
    engine = await writer.add_launched(campaign, "gf1", "engine", sweep=sweep)
    await writer.set_launched_pid(engine, 7, 1.5)
    router = await writer.add_launched(campaign, "gf1", "router", undo=("docker", "rm", "-f", "x"))
    with Reader(path) as reader:
        assert [row.id for row in reader.launched_left(campaign)] == [router, engine]
        assert reader.launched_left(campaign)[0].undo == ("docker", "rm", "-f", "x")
        assert [(row.pid, row.pid_started) for row in reader.launched_left(campaign)] == [(None, None), (7, 1.5)]
        await writer.mark_gone(router)
        assert [row.id for row in reader.launched_left(campaign)] == [engine]


async def test_a_newer_store_is_refused_with_what_to_do(path: Path) -> None:
    async with await Writer.open(path):
        pass
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA user_version=99")
    with pytest.raises(StoreError, match="newer sparktui") as refused:
        await Writer.open(path)
    assert "update sparktui" in refused.value.hint
    with pytest.raises(StoreError, match="newer sparktui"):
        Reader(path)


async def test_an_older_store_is_brought_forward_and_keeps_its_rows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = opening.SCHEMA_VERSION
    async with await Writer.open(path) as writer:
        campaign, *_ = await new_cell(writer)
    later = "CREATE TABLE later (x INTEGER) STRICT; -- why; how\nCREATE INDEX i ON later (x);"
    monkeypatch.setattr(opening, "MIGRATIONS", (*opening.MIGRATIONS, later))
    monkeypatch.setattr(opening, "SCHEMA_VERSION", newest + 1)
    with Reader(path) as reader:
        assert reader.campaign(campaign).name == "race"
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (newest + 1,)
        assert raw.execute("SELECT count(*) FROM later").fetchone() == (0,)


def test_a_store_of_the_first_version_becomes_the_newest_and_keeps_every_row(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.executescript((DATA / "store-v1.sql").read_text())
        raw.execute("INSERT INTO campaign VALUES (1, 'old', '', 'measured', 1.0, NULL, 'here', '1', 'done', 0, NULL)")
        raw.execute(
            "INSERT INTO sweep (id, campaign, seq, topology, fingerprint, commands, state) "
            "VALUES (1, 1, 0, 'solo', '{}', '[]', 'done')"
        )
        raw.execute(
            "INSERT INTO cell (id, sweep, seq, concurrency, pp, tg, depth, shape, runs, state) "
            "VALUES (1, 1, 0, 2, 16, 4, 0, 'waves', 1, 'done')"
        )
        raw.execute(
            "INSERT INTO wave (id, cell, seq, warmup, started, duration_us, clock) VALUES (1, 1, 0, 0, 1.0, 5, 'user')"
        )
        raw.executemany(
            "INSERT INTO request (wave, slot, sent_us, ttft_us, token_source, events, event_tokens) "
            "VALUES (1, ?, 0, 7, 'usage', x'07000000', x'0100')",
            [(0,), (1,)],
        )
        raw.execute("PRAGMA user_version=1")
    with Reader(path) as reader:
        assert reader.campaign(1).origin is None
        requests = reader.waves(1, events=True)[0].record.requests
    assert [(r.slot, r.seq, r.ttft_us, r.events) for r in requests] == [(n, 0, 7, b"\7\0\0\0") for n in (0, 1)]
    with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(":memory:")) as new:
        new.executescript(files("sparktui.store").joinpath("schema.sql").read_text())
        assert _columns(old) == _columns(new)


def _columns(raw: sqlite3.Connection) -> dict[str, set[tuple[object, ...]]]:
    tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {t: {row[1:] for row in raw.execute(f"SELECT * FROM pragma_table_xinfo('{t}')")} for t in tables}


async def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = opening.SCHEMA_VERSION
    async with await Writer.open(path):
        pass
    broken = "CREATE TABLE later (x INTEGER);\nCREATE TABLE campaign (x INTEGER);"
    monkeypatch.setattr(opening, "MIGRATIONS", (*opening.MIGRATIONS, broken))
    monkeypatch.setattr(opening, "SCHEMA_VERSION", newest + 1)
    with pytest.raises(StoreError):
        await Writer.open(path)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA user_version").fetchone() == (newest,)
        assert raw.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").fetchone() == (0,)


@pytest.mark.parametrize(
    "content",
    [b"not a database at all, but long enough to be looked at" * 40, b"SQLite format 3\x00" + b"\xff" * 4096],
    ids=["text", "damaged"],
)
async def test_a_file_of_something_else_is_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        await Writer.open(path)
    assert str(path) in refused.value.message
    assert refused.value.hint
    with pytest.raises(StoreError):
        Reader(path)
    assert path.read_bytes() == content


async def test_another_programs_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE theirs (x)")
    with pytest.raises(StoreError, match="something else"):
        await Writer.open(path)
    with pytest.raises(StoreError, match="something else"):
        Reader(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written_is_a_store_error(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(StoreError, match="cannot be opened"):
        await Writer.open(path)


async def test_a_folder_in_the_stores_place_is_a_store_error(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StoreError):
        await Writer.open(path)


async def test_a_full_disk_is_a_store_error_and_what_was_complete_stays(writer: Writer, path: Path) -> None:
    _, _, cell = await new_cell(writer)
    await writer.commit_wave(cell, 0, False, wave(request(0)))
    await writer._run(lambda connection: connection.execute("PRAGMA max_page_count=1").fetchall())
    big = wave(*(request(slot, tokens=2_000) for slot in range(64)))
    with pytest.raises(StoreError, match="no space left"):
        await writer.commit_wave(cell, 1, False, big)
    with Reader(path) as reader:
        assert [w.seq for w in reader.waves(cell)] == [0]


async def test_a_store_held_by_another_process_is_a_store_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BUSY_TIMEOUT_S", 0.05)
    async with await Writer.open(path) as writer:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked by another process"):
                await new_cell(writer)
        await new_cell(writer)


KILLED = """
import asyncio, os, pathlib, signal, sys
from tests.core.measured import request, wave
from sparktui.store import statements
from sparktui.store.writer import Writer

async def main():
    writer = await Writer.open(pathlib.Path(sys.argv[1]))
    campaign = await writer.create_campaign(name="race", profile_yaml="", source="measured", host="h", version="1")
    sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint="{}")
    cell = await writer.create_cell(sweep, 0, concurrency=8, pp=1, tg=1, depth=0, runs=9)
    for seq in range(int(sys.argv[2])):
        await writer.commit_wave(cell, seq, False, wave(*(request(slot) for slot in range(8))))
        print(seq, flush=True)
    inserted = []
    def die(statement):
        if statement.startswith("INSERT INTO request"):
            inserted.append(statement)
            if len(inserted) == 5:
                os.kill(os.getpid(), signal.SIGKILL)
    await writer._run(lambda connection: connection.set_trace_callback(die))
    await writer.commit_wave(cell, 99, False, wave(*(request(slot) for slot in range(8))))

asyncio.run(main())
"""


@pytest.mark.parametrize("complete", [0, 3])
def test_a_writer_killed_in_the_middle_of_a_wave_leaves_every_reported_wave_whole_and_nothing_of_that_one(
    path: Path, complete: int
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), str(complete)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr
    assert killed.stdout.split() == [str(seq) for seq in range(complete)]
    with Reader(path) as reader:
        (sweep,) = reader.sweeps(reader.resolve("last"))
        (cell,) = reader.cells(sweep.id)
        found = {w.seq: len(w.record.requests) for w in reader.waves(cell.id)}
    assert found == dict.fromkeys(range(complete), 8)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert raw.execute("SELECT count(*) FROM request").fetchone() == (8 * complete,)
