"""Stops and resumes that are typed beside each other: the second waits, and touches nothing meanwhile."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from sparktui.errors import UsageError
from sparktui.runner.lock import runner_pid
from sparktui.runner.one_at_a_time import one_at_a_time
from sparktui.runner.resume import resume
from sparktui.runner.stop import stop_campaign
from tests.runner.campaigns import Owner

AT_ONCE = partial(one_at_a_time, 0.0)


def test_the_second_is_told_of_the_first(owner: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    (owner.home / "data").mkdir(mode=0o700)
    monkeypatch.setenv("SPARKTUI_HOME", str(owner.home / "data"))
    with (
        AT_ONCE(),
        pytest.raises(UsageError, match="another `sparktui stop` or `sparktui resume` is at work"),
        AT_ONCE(),
    ):
        pass
    with AT_ONCE():
        pass


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
