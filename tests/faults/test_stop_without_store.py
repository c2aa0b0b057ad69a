"""A stop whose store is damaged or gone ends what was launched all the same, and names what it could not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sparktui.runner.notes import LAUNCHED
from tests.faults import tried
from tests.faults.matrix.processes import of_kind
from tests.runner.campaigns import PROFILE, Owner
from tests.runner.stand_ins import PROFILE as TWO_NODES
from tests.runner.stand_ins import gone, with_stand_ins
from tests.sim_engine import free_port

LONGER = PROFILE.replace("runs: 2", "runs: 50").replace("tg: 8", "tg: 24")
AFTER_A_WAVE = "SELECT id FROM wave"


def at_rest(store: Path) -> None:
    """Have all of it in its own file: what is in the log beside it would heal what is damaged."""
    with closing(sqlite3.connect(store, timeout=30)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def no_header(store: Path) -> None:
    """Make it no database at all."""
    at_rest(store)
    with store.open("r+b") as file:
        file.write(b"\0" * 100)


def no_pages(store: Path) -> None:
    """Leave the first page, and make the others nothing that SQLite knows."""
    at_rest(store)
    size = store.stat().st_size
    with store.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xaa" * (size - 4096))


def no_schema(store: Path) -> None:
    """Make what the store says of its own tables nonsense."""
    with closing(sqlite3.connect(store, timeout=30)) as db, db:
        db.execute("PRAGMA writable_schema=ON")
        db.execute("UPDATE sqlite_schema SET sql = 'nonsense' WHERE type = 'table'")


def no_profile(store: Path) -> None:
    """Leave every row readable, and its profile none."""
    with closing(sqlite3.connect(store, timeout=30)) as db, db:
        db.execute("UPDATE campaign SET profile_yaml = 'nonsense: ['")


def no_commands(store: Path) -> None:
    """Leave every row readable, and none of the steps."""
    with closing(sqlite3.connect(store, timeout=30)) as db, db:
        db.execute("UPDATE sweep SET commands = '{}'")


def no_store(store: Path) -> None:
    """Remove it."""
    for beside in ("", "-wal", "-shm"):
        Path(f"{store}{beside}").unlink(missing_ok=True)


DAMAGES = [no_header, no_pages, no_schema, no_profile, no_commands, no_store]


def store_of(owner: Owner) -> Path:
    return owner.home / "data" / "sparktui.db"


def notes_of(owner: Owner) -> list[Path]:
    return list((owner.home / "data").glob(f"run/*/{LAUNCHED}"))


def up(owner: Owner, profile: str = LONGER) -> None:
    """Have a campaign measure."""
    started = owner.type("run", owner.profile(profile), "--detach")
    assert started.returncode == 0, started.stderr
    owner.until(lambda: owner.rows(AFTER_A_WAVE), "a wave")


def kill_runner(owner: Owner) -> None:
    for runner in of_kind(owner, "runner"):
        runner.kill()
    owner.until(lambda: not of_kind(owner, "runner"), "the runner's end")


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_a_killed_runner_had_launched_is_ended_whatever_has_become_of_the_store(
    owner: Owner, damage: Callable[[Path], None]
) -> None:
    up(owner)
    kill_runner(owner)
    assert of_kind(owner, "engine")
    damage(store_of(owner))
    with tried.bad_input():
        done = owner.type("stop", "1")
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    assert "what campaign 1 had launched is ended\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert not owner.processes()
    assert notes_of(owner) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_runner_is_ended_whatever_has_become_of_its_store(owner: Owner, damage: Callable[[Path], None]) -> None:
    up(owner)
    damage(store_of(owner))
    with tried.bad_input():
        done = owner.type("stop", timeout_s=120)
    assert "Traceback" not in done.stderr
    assert not owner.processes()
    assert notes_of(owner) == []
    assert (done.returncode, "what campaign 1 had launched is ended" in done.stderr) in [(1, True), (0, False)]


def test_a_second_stop_has_nothing_left_to_say_but_what_is_wrong_with_the_store(owner: Owner) -> None:
    up(owner)
    kill_runner(owner)
    no_header(store_of(owner))
    first, again = owner.type("stop"), owner.type("stop")
    assert "; what campaign 1 had launched is ended" in first.stderr
    assert "is not a sparktui store" in again.stderr
    assert "had launched" not in again.stderr


def test_engines_of_a_store_that_was_moved_away_are_ended_though_its_number_is_given_again(owner: Owner) -> None:
    up(owner)
    kill_runner(owner)
    no_store(store_of(owner))
    other = owner.type("run", owner.profile(), "--only", "solo", "--plain")
    assert other.returncode == 3, "what is still up has the memory"
    assert of_kind(owner, "engine")
    done = owner.type("stop", "1")
    assert done.returncode == 0, done.stderr
    assert not owner.processes()
    assert notes_of(owner) == []


def test_a_node_that_cannot_be_reached_is_named_with_what_to_type_once_it_can(owner: Owner) -> None:
    owner = with_stand_ins(owner)
    up(owner, TWO_NODES.format(port=free_port()).replace("runs: 2", "runs: 50"))
    kill_runner(owner)
    no_header(store_of(owner))
    back = gone(owner, "gf1")
    done = owner.type("stop", "1")
    assert done.returncode == 1
    assert "is ended, but for " in done.stderr
    assert "ssh gf1: ssh: connect to host gf1 port 22: No route to host" in done.stderr
    assert "`sparktui stop 1` again" in done.stderr
    assert of_kind(owner, "engine")
    back.unlink()
    done = owner.type("stop", "1")
    assert "what campaign 1 had launched is ended\n" in done.stderr
    assert not owner.processes()
    assert notes_of(owner) == []


def test_a_campaign_that_ends_well_leaves_no_notes(owner: Owner) -> None:
    other = PROFILE.replace("runs: 2", "runs: 1")
    assert owner.type("run", owner.profile(other), "--only", "solo", "--plain").returncode == 0
    assert notes_of(owner) == []
    assert (owner.home / "data/run/1").is_dir()
