"""What is said and done while a runner comes up, which takes seconds on a slow disk."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sparktui.errors import StoreError, UsageError
from sparktui.runner import lock
from sparktui.runner.flock import locked_within
from sparktui.runner.lock import has_runner, keep_lock, lock_path, lock_to_hand_on, running_campaign, sign
from tests.runner.campaigns import Owner, into_every_runner, json_of


@contextmanager
def a_start_that_takes_long(owner: Owner, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Begin to start a race, whose runner does nothing before `go_on`."""
    os.mkfifo(owner.home / "gate")
    into_every_runner(owner, f"open({str(owner.home / 'gate')!r}).read()")
    starter = owner.start("run", owner.profile(), "--only", "solo", "--concurrency", "1", *words)
    try:
        owner.until(lambda: owner.rows("SELECT id FROM campaign"), "the campaign")
        yield starter
    finally:
        starter.kill()
        starter.communicate()


def go_on(owner: Owner) -> None:
    """Let the runner come up."""
    with (owner.home / "gate").open("w"):
        pass


def test_a_race_that_is_being_started_is_watched_from_its_beginning(owner: Owner) -> None:
    with a_start_that_takes_long(owner, "--detach") as starter:
        viewer = owner.start("attach", "--plain")
        assert viewer.stderr is not None
        assert viewer.stderr.readline().startswith("campaign 1:")
        assert json_of(owner.type("list", "--json"))[0]["state"] == "queued"
        go_on(owner)
        assert starter.wait(60) == 0
        _, said = viewer.communicate(timeout=60)
    assert viewer.returncode == 0, said
    assert "its runner ended" not in said
    assert owner.state() == "done"


def test_a_race_that_is_stopped_while_it_is_started_is_not_called_running(owner: Owner) -> None:
    with a_start_that_takes_long(owner, "--detach") as starter:
        stop = owner.start("stop")
        owner.until(lambda: owner.rows("SELECT id FROM control"), "the request")
        go_on(owner)
        out, said = starter.communicate(timeout=60)
        assert (starter.returncode, out) == (130, ""), said
        assert "campaign 1 was stopped while it was being started" in said
        _, told = stop.communicate(timeout=60)
    assert stop.returncode == 0, told
    assert owner.rows("SELECT state, exit_code FROM campaign") == [("stopped", 130)]
    assert not owner.rows("SELECT id FROM sweep")
    assert not owner.processes()


def test_ctrl_c_on_a_start_leaves_a_campaign_that_was_stopped(owner: Owner) -> None:
    with a_start_that_takes_long(owner, "--plain") as starter:
        owner.until(lambda: any("sparktui.runner" in line for line in owner.processes()), "the runner")
        starter.send_signal(signal.SIGINT)
        _, said = starter.communicate(timeout=60)
    assert starter.returncode == 130, said
    assert owner.rows("SELECT state, exit_code FROM campaign") == [("stopped", 130)]
    assert not owner.processes()


def test_a_runner_that_cannot_read_its_campaign_has_not_started(owner: Owner) -> None:
    with a_start_that_takes_long(owner, "--detach") as starter:
        with closing(sqlite3.connect(owner.home / "data" / "sparktui.db")) as store, store:
            store.execute("UPDATE campaign SET profile_yaml = 'nodes: 7'")
        go_on(owner)
        out, said = starter.communicate(timeout=60)
    assert starter.returncode != 0
    assert out == ""
    assert "did not come up" in said
    assert owner.state() == "failed"


def test_a_data_folder_may_be_named_as_seen_from_where_the_race_is_started(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(owner.home)
    owner.env["SPARKTUI_HOME"] = "data"
    done = owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain")
    assert done.returncode == 0, done.stderr
    assert json_of(owner.type("list", "--json"))[0]["state"] == "done"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path / "data"))


@pytest.mark.usefixtures("here")
class TestLock:
    """It is held from before a campaign is stored until its runner has ended, whoever looks meanwhile."""

    def test_a_campaign_without_a_number_yet_may_be_any(self) -> None:
        with lock_to_hand_on() as held:
            assert running_campaign() is None
            assert has_runner(7)
            sign(held, 7)
            assert running_campaign() == 7
            assert not has_runner(6)
        assert not has_runner(7)

    def test_what_the_campaign_before_had_written_is_gone_with_it(self) -> None:
        with lock_to_hand_on() as held:
            sign(held, 123456, 654321)
        with lock_to_hand_on():
            assert running_campaign() is None

    def test_a_second_start_is_refused_though_the_first_has_no_number_yet(self) -> None:
        with lock_to_hand_on(), pytest.raises(UsageError, match="is being started"), lock_to_hand_on():
            pass

    def test_what_was_handed_on_is_handed_no_further(self) -> None:
        with lock_to_hand_on() as held:
            os.set_inheritable(held, True)
            keep_lock(1, held)
            assert not os.get_inheritable(held)

    def test_whoever_only_looks_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with lock_to_hand_on():
            pass
        looking = lock_path().open()
        fcntl.flock(looking, fcntl.LOCK_SH)
        waited = iter(range(5))

        def within(file: int, patience_s: float) -> bool:
            """Try five times, with somebody looking all the while."""
            if next(waited, None) is None:
                looking.close()
            return locked_within(file, 0)

        monkeypatch.setattr(lock, "locked_within", within)
        with lock_to_hand_on() as held:
            sign(held, 1)
            assert running_campaign() == 1

    def test_whoever_looks_for_ever_is_no_campaign(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with lock_to_hand_on():
            pass
        monkeypatch.setattr(lock, "LOOKER_PATIENCE_S", 0.0)
        with lock_path().open() as looking:
            fcntl.flock(looking, fcntl.LOCK_SH)
            with pytest.raises(StoreError, match="only looks"), lock_to_hand_on():
                pass
