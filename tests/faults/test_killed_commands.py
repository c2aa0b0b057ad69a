"""Commands that are killed half way: typed again, they do what they were to do, and the store is whole."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import psutil
import pytest

from tests.faults.matrix.processes import of_kind
from tests.faults.matrix.witness import Witness
from tests.runner.campaigns import PROFILE, Owner

SEED, TIMES = 5, 5
LONGEST_S = 0.9
"""A command has started within 0.2 s and has started a runner, or ended what one left, after that."""
LONGER = PROFILE.replace("runs: 2", "runs: 6").replace("tg: 8", "tg: 24")


def killed(owner: Owner, after_s: float, *words: str) -> None:
    """Type a command and kill it."""
    process = owner.start(*words)
    time.sleep(after_s)
    process.kill()
    process.communicate()


def end_everything(owner: Owner) -> None:
    """End runner, engines and all, without a word, and what one of them had just started when it was ended."""

    def end() -> bool:
        found = owner.processes_found()
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        return not found

    owner.until(end, "the end of every process")


@pytest.mark.parametrize("command", ["resume", "stop"])
def test_a_resume_or_a_stop_that_is_killed_can_be_typed_again(owner: Owner, command: str) -> None:
    rng, witness = random.Random(SEED), Witness(owner.home / "data" / "sparktui.db")
    assert owner.type("run", owner.profile(LONGER), "--only", "solo", "--detach").returncode == 0
    for _ in range(TIMES):
        owner.until(lambda: owner.rows("SELECT id FROM wave"), "a wave")
        witness.look()
        if command == "resume":
            end_everything(owner)
        killed(owner, rng.uniform(0.05, LONGEST_S), command, *(["--detach"] if command == "resume" else []))
        assert not witness.check()
    stopped = owner.type("stop", timeout_s=200)
    assert stopped.returncode == 0, stopped.stderr
    owner.until(lambda: not of_kind(owner, "runner"), "the end of one that a killed resume had just started")
    assert not owner.processes()
    done = owner.type("resume", "--plain")
    assert done.returncode == 0, done.stderr
    assert not witness.check()
    assert owner.rows("SELECT count(*), count(DISTINCT cell) FROM wave") == [(12, 2)]


def test_a_compact_that_is_killed_leaves_every_figure(owner: Owner) -> None:
    assert owner.type("run", owner.profile(LONGER), "--only", "solo", "--plain").returncode == 0
    before = owner.type("show", "--json").stdout
    rng, witness = random.Random(SEED), Witness(owner.home / "data" / "sparktui.db")
    for _ in range(TIMES):
        killed(owner, rng.uniform(0.15, 0.7), "compact", "--yes")
        assert not witness.check()
        assert owner.type("show", "--json").stdout == before
    assert owner.type("compact", "--yes").returncode == 0
    assert owner.type("show", "--json").stdout == before
