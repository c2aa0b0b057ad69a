"""Whose folder and files they are: what somebody else could have put there is refused."""

from __future__ import annotations

import fcntl
import grp
import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sparktui.errors import StoreError
from sparktui.paths import data_dir, ensure_private, run_dir, store_path
from sparktui.runner.lock import keep_lock, lock_path, running_campaign
from sparktui.runner.notes import Note, Notes
from sparktui.store.connection import open_readonly, open_writable
from sparktui.store.control import request_control
from tests.runner.campaigns import PROFILE

SOMEBODY = 54_321


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("SPARKTUI_HOME", str(folder))
    return folder


def as_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """See every file that this test made as another user would."""
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
def test_folders_are_private_whatever_the_umask_those_above_them_too(home: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        ensure_private(run_dir(1) / "agents" / "gf1")
    finally:
        os.umask(before)
    made = [home, *(path for path in home.rglob("*"))]
    assert len(made) == 5
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}


def test_a_folder_of_somebody_else_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir(mode=0o700)
    as_somebody_else(monkeypatch)
    with pytest.raises(StoreError, match="belongs to another user"):
        ensure_private(data_dir())
    with pytest.raises(StoreError, match="belongs to another user"):
        open_writable(store_path())


def test_a_store_of_somebody_else_is_not_even_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_writable(store_path()).close()
    as_somebody_else(monkeypatch)
    with pytest.raises(StoreError, match="belongs to another user"):
        open_readonly(store_path())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_a_store_that_somebody_else_put_into_an_own_folder_is_not_even_read(home: Path) -> None:
    open_writable(store_path()).close()
    os.chown(store_path(), SOMEBODY, SOMEBODY)
    with pytest.raises(StoreError, match="belongs to another user, whose requests a runner would obey"):
        open_readonly(store_path())


def test_a_store_in_a_folder_that_others_may_write_is_not_even_read(home: Path) -> None:
    open_writable(store_path()).close()
    home.chmod(0o777)
    with pytest.raises(StoreError, match="others may put things into"):
        open_readonly(store_path())


def test_a_pipe_in_the_place_of_the_store_holds_nobody_up(home: Path) -> None:
    home.mkdir(mode=0o700)
    os.mkfifo(store_path(), 0o600)
    for way in (open_readonly, open_writable):
        with pytest.raises(StoreError, match="is no file"):
            way(store_path())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a folder away")
def test_what_somebody_elses_store_wants_undone_is_not_run(home: Path, tmp_path: Path) -> None:
    undo = json.dumps(["touch", str(tmp_path / "was run")])
    with closing(open_writable(store_path())) as store:
        store.execute("INSERT INTO campaign (name, profile_yaml, source, created, host, version, state) "
                      "VALUES ('theirs', ?, 'simulated', 1, 'h', '0', 'done')", (PROFILE,))  # fmt: skip
        store.execute("INSERT INTO sweep (campaign, seq, topology, fingerprint, commands, state) "
                      "VALUES (1, 0, 'solo', '{}', '[]', 'done')")  # fmt: skip
        store.execute("INSERT INTO launched (campaign, sweep, t, node, title, undo) VALUES (1, 1, 0, 'gf2', 'x', ?)",
                      (undo,))  # fmt: skip
    for path in (home, *home.iterdir()):
        os.chown(path, SOMEBODY, SOMEBODY)
    for words in (["stop"], ["resume"], ["list"], ["delete", "1", "--yes"]):
        done = subprocess.run([sys.executable, "-m", "sparktui", *words], capture_output=True, text=True, timeout=60)
        assert "belongs to another user" in done.stderr
        assert done.returncode == 1
        assert done.stdout == ""
    assert not (tmp_path / "was run").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a link away")
def test_a_link_that_somebody_else_put_there_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    home.symlink_to(tmp_path / "mine")
    os.chown(home, SOMEBODY, SOMEBODY, follow_symlinks=False)
    with pytest.raises(StoreError, match="belongs to another user"):
        ensure_private(data_dir())
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_link_of_ones_own_to_a_folder_of_ones_own_is_a_way_to_another_disk(home: Path, tmp_path: Path) -> None:
    (tmp_path / "large disk").mkdir(mode=0o700)
    home.symlink_to(tmp_path / "large disk")
    open_writable(store_path()).close()
    assert (tmp_path / "large disk" / "sparktui.db").exists()


@pytest.mark.parametrize("others", [["root"], ["root", "somebody"]])
def test_a_folder_of_a_group_of_one_is_ones_own(home: Path, monkeypatch: pytest.MonkeyPatch, others: list[str]) -> None:
    name = pwd.getpwuid(os.geteuid()).pw_name
    members = [name if member == "root" else member for member in others]
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group((name, "x", gid, members)))
    home.mkdir()
    home.chmod(0o770)
    if len(members) == 1:
        assert ensure_private(data_dir()) == home
    else:
        with pytest.raises(StoreError, match="others may put things into"):
            ensure_private(data_dir())


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o1777])
def test_a_folder_that_others_may_write_in_is_refused_and_left_as_it_is(
    home: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group(("spark-users", "x", gid, [])))
    home.mkdir()
    home.chmod(mode)
    with pytest.raises(StoreError, match="others may put things into") as refused:
        ensure_private(data_dir())
    assert "chmod go-w" in refused.value.hint
    assert home.stat().st_mode & 0o7777 == mode


def test_a_folder_that_an_earlier_version_left_open_is_closed(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "run").mkdir()
    (home / "run").chmod(0o777)
    ensure_private(run_dir(1))
    assert (home / "run").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take no such name")
def test_a_folder_whose_name_is_no_text_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = os.fsencode(tmp_path) + b"/\xff\xfe"
    monkeypatch.setenv("SPARKTUI_HOME", os.fsdecode(odd))
    done = subprocess.run([sys.executable, "-m", "sparktui", "demo", "--detach"], capture_output=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == b""
    assert b"is not UTF-8" in done.stderr
    assert b"SPARKTUI_HOME" in done.stderr
    assert b"Traceback" not in done.stderr
    assert not os.path.exists(odd)


def test_a_file_in_the_place_of_a_folder_is_said(home: Path) -> None:
    home.write_text("")
    with pytest.raises(StoreError, match="is a file, and campaigns are kept in a folder"):
        ensure_private(run_dir(1))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives a file away")
def test_a_store_of_somebody_else_takes_no_request_and_keeps_none(home: Path) -> None:
    open_writable(store_path()).close()
    os.chown(store_path(), SOMEBODY, SOMEBODY)
    with pytest.raises(StoreError, match="belongs to another user"):
        request_control(store_path(), 1, "stop")


def test_a_store_that_others_could_write_is_closed_to_them_before_anything_is_read_from_it(home: Path) -> None:
    open_writable(store_path()).close()
    store_path().chmod(0o666)
    open_writable(store_path()).close()
    assert store_path().stat().st_mode & 0o777 == 0o600


class TestLock:
    """It names the process that a stop would kill."""

    def test_a_link_is_not_followed(self, home: Path, tmp_path: Path) -> None:
        home.mkdir(mode=0o700)
        (tmp_path / "precious").write_text("kept")
        lock_path().symlink_to(tmp_path / "precious")
        with pytest.raises(StoreError, match="cannot lock"):
            keep_lock(1)
        assert running_campaign() is None
        assert (tmp_path / "precious").read_text() == "kept"

    def test_one_that_others_may_write_names_nobody_and_is_not_taken(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        lock_path().write_text("1 1\n")
        lock_path().chmod(0o666)
        assert running_campaign() is None
        with pytest.raises(StoreError, match="not yours alone"):
            keep_lock(1)

    def test_somebody_elses_names_nobody(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home.mkdir(mode=0o700)
        lock_path().write_text("1 1\n")
        as_somebody_else(monkeypatch)
        assert running_campaign() is None

    def test_a_pipe_in_its_place_is_no_lock_and_nobody_waits_for_it(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        os.mkfifo(lock_path(), 0o600)
        assert running_campaign() is None
        with pytest.raises(StoreError, match="not yours alone"):
            keep_lock(1)


class TestHeldLock:
    """One that a live process holds, which is when a stop would go by what is written in it."""

    @pytest.fixture(autouse=True)
    def held(self, home: Path) -> Iterator[None]:
        home.mkdir(mode=0o700)
        lock_path().write_text(f"1 {os.getpid()}\n")
        lock_path().chmod(0o600)
        with lock_path().open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def test_its_owners_names_the_campaign(self) -> None:
        assert running_campaign() == 1

    def test_one_that_others_may_write_names_nobody(self) -> None:
        lock_path().chmod(0o622)
        assert running_campaign() is None

    def test_somebody_elses_names_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        as_somebody_else(monkeypatch)
        assert running_campaign() is None

    def test_one_behind_a_link_names_nobody(self) -> None:
        lock_path().rename(lock_path().with_name("elsewhere"))
        lock_path().symlink_to("elsewhere")
        assert running_campaign() is None


def test_what_was_launched_is_noted_for_its_owner_alone_and_never_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes.of(1)
    notes.add(Note("mark", 1, node="gf1", undo=("rm", "-f", "x")))
    assert notes.path.stat().st_mode & 0o777 == 0o600
    assert [note.undo for note in notes.left()] == [("rm", "-f", "x")]
    notes.path.chmod(0o622)
    assert notes.left() == [], "others chose what a stop would run"
    notes.path.unlink()
    notes.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="cannot note"):
        notes.add(Note("mark", 1, node="gf1"))
    assert not (tmp_path / "elsewhere").exists()
    (tmp_path / "elsewhere").write_bytes(b'{"mark":"mark","number":1,"node":"gf1","undo":["rm","-rf","/"]}\n')
    assert notes.left() == []
    notes.path.unlink()
    notes.add(Note("mark", 1, node="gf1"))
    as_somebody_else(monkeypatch)
    assert notes.left() == []
