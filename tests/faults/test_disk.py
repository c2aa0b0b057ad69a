"""Disks that are full, read-only, slow or damaged, and stores that others hold: told plainly, and no wave is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sparktui.errors import StoreError
from sparktui.runner.stop import clean_up
from sparktui.store.writer import Writer
from tests.faults.disk import build, needs_compiler, slow
from tests.faults.matrix.processes import of_kind
from tests.faults.matrix.witness import Witness
from tests.runner.campaigns import PROFILE, Owner

LONGER = PROFILE.replace("runs: 2", "runs: 8")
READS = (["list"], ["show"], ["attach", "--plain"], ["nodes"])
WRITES = (["stop"], ["resume"], ["delete", "1", "--yes"], ["run", "PROFILE", "--only", "solo", "--detach"])
needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="a small file system is mounted, which root alone may"
)


def typed(owner: Owner, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that may fail, but not with a traceback."""
    done = owner.type(*(owner.profile(LONGER) if word == "PROFILE" else word for word in words))
    assert "Traceback" not in done.stderr, done.stderr
    return done


def refused(owner: Owner, *words: str) -> str:
    """Run a command that must fail; return what it says, which is a sentence and a hint."""
    done = typed(owner, *words)
    assert done.returncode in (1, 2), (words, done.stderr)
    assert done.stdout == ""
    message, hint = done.stderr.strip().splitlines()[-2:]
    assert message.startswith("sparktui: ")
    assert hint.startswith("  ")
    return done.stderr


@contextmanager
def small_disk(folder: Path, size: str = "8m") -> Iterator[None]:
    """Have a file system of that size on a folder."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all space that is left; return the file that has it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


def started(owner: Owner, waves: int, *words: str) -> Witness:
    """Start a campaign and wait for so many waves."""
    assert typed(owner, "run", "PROFILE", "--only", "solo", "--detach", *words).returncode == 0
    owner.until(lambda: len(owner.rows("SELECT id FROM wave")) >= waves, "its waves")
    return Witness(owner.home / "data" / "sparktui.db")


def kill_runner(owner: Owner) -> None:
    """End a runner without a last word, and see it gone."""
    for runner in of_kind(owner, "runner"):
        runner.kill()
    owner.until(lambda: not of_kind(owner, "runner"), "the runner's end")


def goes_on(owner: Owner, witness: Witness) -> None:
    """What was seen is there, and what is missing is measured."""
    assert not witness.check()
    assert typed(owner, "resume", "--plain").returncode == 0
    assert not witness.check()
    assert owner.rows("SELECT count(*), count(DISTINCT cell) FROM wave") == [(16, 2)]


@needs_root
def test_a_disk_that_fills_up_ends_the_campaign_with_its_reason_and_no_wave_is_lost(owner: Owner) -> None:
    with small_disk(owner.home / "data"):
        witness = started(owner, 3)
        viewer = owner.start("attach", "--plain")
        time.sleep(1)
        filler = fill(owner.home / "data")
        witness.look()
        _, said = viewer.communicate(timeout=60)
        assert "no space left on its disk" in said or "is full; free some space" in said
        assert "Traceback" not in said
        owner.until(lambda: not owner.processes(), "the end of every process")
        assert typed(owner, "show").returncode == 0
        assert "free some space" in refused(owner, "resume")
        filler.unlink()
        assert typed(owner, "stop").returncode == 0
        goes_on(owner, witness)


@needs_root
def test_engines_of_a_killed_runner_are_ended_though_the_disk_is_full(owner: Owner) -> None:
    with small_disk(owner.home / "data"):
        witness = started(owner, 2)
        filler = fill(owner.home / "data")
        witness.look()
        kill_runner(owner)
        said = refused(owner, "stop")
        assert "has no space left on its disk" in said
        assert "what campaign 1 had launched is ended" in said
        assert not [line for line in owner.processes() if "sparktui.sim" in line]
        filler.unlink()
        assert typed(owner, "stop").returncode == 0
        assert not owner.processes()
        goes_on(owner, witness)


def test_engines_are_ended_though_the_last_space_is_used_up_by_the_stop(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_full(*_: object) -> None:
        raise StoreError("the disk is full", "free some space")

    started(owner, 2)
    kill_runner(owner)
    monkeypatch.setenv("SPARKTUI_HOME", str(owner.home / "data"))
    monkeypatch.setattr(Writer, "add_node_samples", is_full)
    with pytest.raises(StoreError, match=r"the disk is full; what campaign 1 had launched is ended$") as full:
        asyncio.run(clean_up(1))
    assert full.value.hint == "free some space; then `sparktui stop 1` again"
    assert not [line for line in owner.processes() if "sparktui.sim" in line]
    monkeypatch.undo()
    assert typed(owner, "stop").returncode == 0
    assert not owner.processes()


@needs_root
def test_a_folder_that_is_read_only_can_be_read_and_is_not_written(owner: Owner) -> None:
    with small_disk(owner.home / "data"):
        assert typed(owner, "run", "PROFILE", "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
        subprocess.run(["mount", "-o", "remount,ro", str(owner.home / "data")], check=True)
        for words in READS:
            assert typed(owner, *words).returncode == 0, words
        for words in (WRITES[0], *WRITES[2:]):
            assert ": Read-only file system" in refused(owner, *words)


@needs_compiler
def test_syncs_that_take_long_lose_nothing_and_bend_no_figure(owner: Owner) -> None:
    fast = owner
    assert typed(fast, "run", "PROFILE", "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    late = Owner(owner.home, owner.env | slow(build(owner.home), 150))
    assert typed(late, "run", "PROFILE", "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    assert owner.rows("SELECT DISTINCT state, taint FROM cell") == [("done", None)]
    usual, now = (us for (us,) in owner.rows("SELECT avg(duration_us) FROM wave GROUP BY cell ORDER BY cell"))
    assert now == pytest.approx(usual, rel=0.1)


@needs_compiler
@pytest.mark.timeout(300)
def test_syncs_of_seconds_lose_nothing_and_call_no_node_silent(owner: Owner) -> None:
    late = Owner(owner.home, owner.env | slow(build(owner.home), 1500))
    words = ("run", late.profile(), "--only", "solo", "--concurrency", "1", "--runs", "1", "--plain")
    done = late.type(*words, timeout_s=280)
    assert done.returncode == 0, done.stderr
    assert owner.rows("SELECT state, taint FROM cell") == [("done", None)]
    assert owner.rows("SELECT count(*) FROM wave") == [(1,)]
    assert owner.rows("SELECT text FROM event WHERE kind IN ('agent-lost', 'agent-back', 'agent-hung')") == []
    assert not late.processes()


def test_a_store_that_is_locked_for_seconds_is_waited_for_and_the_nodes_are_not_called_silent(owner: Owner) -> None:
    witness = started(owner, 2)
    with closing(sqlite3.connect(witness.store, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(9)
        witness.look()
        other.execute("ROLLBACK")
    owner.until(lambda: owner.state() != "running", "the campaign's end")
    assert not witness.check()
    assert owner.rows("SELECT state FROM cell") == [("done",), ("done",)]
    assert owner.rows("SELECT text FROM event WHERE kind IN ('agent-lost', 'agent-back')") == []


def test_a_store_that_stays_locked_is_told_with_what_to_do(owner: Owner) -> None:
    assert typed(owner, "run", "PROFILE", "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    with closing(sqlite3.connect(owner.home / "data" / "sparktui.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for words in WRITES[2:]:
            assert "is locked by another process" in refused(owner, *words)
        for words in READS:
            assert typed(owner, *words).returncode == 0, words


def torn(share: float) -> Callable[[Path], None]:
    """Cut the end of a file off."""
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def nulled(share: float) -> Callable[[Path], None]:
    """Make the end of a file NUL bytes, as file systems do after a power cut."""

    def change(path: Path) -> None:
        size = path.stat().st_size
        os.truncate(path, int(size * share))
        os.truncate(path, size)

    return change


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a campaign that is over, all in the store's own file."""
    home = tmp_path_factory.mktemp("finished")
    owner = Owner(home, {"HOME": str(home)})
    assert typed(owner, "run", "PROFILE", "--only", "solo", "--plain").returncode == 0
    with closing(sqlite3.connect(home / "data" / "sparktui.db")) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return home / "data"


@pytest.mark.parametrize("change", [nulled(0), nulled(0.03), nulled(0.2), torn(0.03), torn(0.6)])
def test_a_store_with_a_torn_or_empty_end_is_refused_with_what_to_do(
    owner: Owner, finished: Path, change: Callable[[Path], None]
) -> None:
    shutil.copytree(finished, owner.home / "data")
    change(owner.home / "data" / "sparktui.db")
    before = (owner.home / "data" / "sparktui.db").read_bytes()
    for words in (*READS, *WRITES):
        said = refused(owner, *words)
        assert "is damaged" in said or "is not a sparktui store" in said
        assert "move it away" in said
    assert (owner.home / "data" / "sparktui.db").read_bytes() == before


@pytest.mark.parametrize("change", [torn(0.99), torn(0.6), nulled(0.8), torn(0)])
def test_a_log_with_a_torn_or_empty_end_loses_its_end_alone(owner: Owner, change: Callable[[Path], None]) -> None:
    started(owner, 4)
    for process in owner.processes_found():
        process.kill()
    owner.until(lambda: not owner.processes(), "the end of every process")
    before = owner.rows("SELECT id, started FROM wave ORDER BY id")
    change(owner.home / "data" / "sparktui.db-wal")
    assert typed(owner, "list").returncode == 0
    after = owner.rows("SELECT id, started FROM wave ORDER BY id")
    assert after == before[: len(after)]
    if owner.rows("SELECT id FROM campaign"):
        assert typed(owner, "resume", "--plain").returncode == 0
        assert owner.rows("SELECT count(*), count(DISTINCT cell) FROM wave") == [(16, 2)]
    with closing(sqlite3.connect(owner.home / "data" / "sparktui.db")) as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_store_of_a_newer_sparktui_is_refused_and_not_touched(owner: Owner, finished: Path) -> None:
    shutil.copytree(finished, owner.home / "data")
    with closing(sqlite3.connect(owner.home / "data" / "sparktui.db")) as store:
        store.execute("PRAGMA user_version = 99")
    before = (owner.home / "data" / "sparktui.db").read_bytes()
    for words in (*READS, *WRITES):
        said = refused(owner, *words)
        assert "a newer sparktui wrote the store" in said
        assert "update sparktui" in said
    assert (owner.home / "data" / "sparktui.db").read_bytes() == before


def test_a_data_folder_that_is_a_file_is_named(owner: Owner) -> None:
    (owner.home / "data").write_text("")
    for words in (*READS, *WRITES):
        assert f"{owner.home / 'data'} is a file, and campaigns are kept in a folder" in refused(owner, *words)


def test_without_a_home_folder_one_is_asked_for(tmp_path: Path) -> None:
    owner = Owner(tmp_path, {"SPARKTUI_HOME": "~nobody-of-that-name/data"})
    for words in (*READS, *WRITES):
        said = refused(owner, *words)
        assert "no home folder to keep campaigns in" in said
        assert "set SPARKTUI_HOME to a folder" in said


def test_what_an_agent_wrote_is_kept_until_it_can_be_read_whole(owner: Owner) -> None:
    started(owner, 1)
    kill_runner(owner)
    agents = owner.home / "data" / "run" / "1" / "agents"
    flown = agents / "gf1" / "samples.jsonl"
    owner.until(lambda: flown.exists() and flown.read_bytes().count(b"\n") > 2, "what an agent writes on its own")
    cat = owner.home / "bin" / "cat"
    cat.parent.mkdir()
    cat.write_text("#!/bin/sh\nhead -n 1 -- \"$2\"\necho 'cat: write error: No space left on device' >&2\nexit 1\n")
    cat.chmod(0o755)
    cannot = Owner(owner.home, {**owner.env, "PATH": f"{cat.parent}:{os.environ['PATH']}"})
    done = typed(cannot, "stop")
    assert done.returncode != 0
    assert "on gf1 could not be read whole: cat: write error: No space left on device" in done.stderr
    assert flown.read_bytes().count(b"\n") > 2
    before = owner.rows("SELECT count(*) FROM node_sample")
    assert typed(owner, "stop").returncode == 0
    assert owner.rows("SELECT count(*) FROM node_sample") > before
    assert not agents.exists() or not list(agents.iterdir())
