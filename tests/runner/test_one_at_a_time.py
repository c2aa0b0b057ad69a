"""Stops and resumes that are typed beside each other: the second waits, and touches nothing meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from functools import partial

import pytest

from sparktui.errors import StoreError, UsageError
from sparktui.runner.lock import keep_lock, runner_pid
from sparktui.runner.one_at_a_time import one_at_a_time
from sparktui.runner.resume import resume
from sparktui.runner.stop import stop_campaign
from tests.runner.campaigns import Owner

AT_ONCE = partial(one_at_a_time, 0.0)


def test_the_second_is_told_of_the_first(
    owner: Owner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (owner.home / "data").mkdir(mode=0o700)
    monkeypatch.setenv("SPARKTUI_HOME", str(owner.home / "data"))
    with (
        AT_ONCE(),
        pytest.raises(UsageError, match="another `sparktui stop` or `sparktui resume` is at work"),
        AT_ONCE(),
    ):
        pass
    assert "waiting for it to end" in capsys.readouterr().err
    with AT_ONCE():
        pass
    assert capsys.readouterr().err == ""


def test_a_file_system_that_locks_nothing_keeps_no_engines_up_and_begins_no_campaign(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(owner.home / "data"))
    (owner.home / "data").mkdir(mode=0o700)
    monkeypatch.setattr(fcntl, "flock", locks_nothing)
    with AT_ONCE():
        pass
    with pytest.raises(StoreError, match="No locks available"):
        keep_lock(1)
    assert runner_pid() is None


def locks_nothing(file: int, how: int) -> None:
    """Lock as a network file system does whose server keeps no locks."""
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_what_a_dead_runner_left_is_not_touched_while_another_command_is_at_it(
    owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo", "--detach").returncode == 0
    owner.until(lambda: owner.rows("SELECT id FROM wave"), "a wave")
    monkeypatch.setenv("SPARKTUI_HOME", str(owner.home / "data"))
    runner = runner_pid()
    assert runner is not None
    os.kill(runner, signal.SIGKILL)
    owner.until(lambda: runner_pid() is None, "the runner's end")
    left = owner.rows("SELECT id FROM launched WHERE gone IS NULL")
    assert left
    monkeypatch.setattr("sparktui.runner.stop.one_at_a_time", AT_ONCE)
    monkeypatch.setattr("sparktui.runner.resume.one_at_a_time", AT_ONCE)
    with AT_ONCE():
        for command in (partial(stop_campaign, "1"), partial(resume, 1)):
            with pytest.raises(UsageError, match="is at work"):
                command()
    assert owner.rows("SELECT id FROM launched WHERE gone IS NULL") == left
    assert owner.type("stop").returncode == 0
    assert not owner.processes()
