"""Tests of the kill matrix: its faults are a function of the seed, and its checker notices a store that is unsafe."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.disk import build, cut_power, needs_compiler, watched
from tests.faults.matrix.plan import OVER_SSH, SIGNALS, TARGETS, faults, faults_over_ssh
from tests.faults.matrix.witness import Witness
from tests.runner.campaigns import PROFILE, Owner

BROKEN = Path(__file__).with_name("broken")
LONGER = PROFILE.replace("runs: 2", "runs: 12")


def broken(how: str) -> dict[str, str]:
    return {"PYTHONPATH": str(BROKEN), "BROKEN": how}


def test_a_seed_is_all_that_the_faults_depend_on() -> None:
    assert faults(7, 300) == faults(7, 300)
    assert faults(7, 300)[:100] == faults(7, 100)
    assert faults(8, 300) != faults(7, 300)


def test_every_process_is_hit_by_every_signal() -> None:
    pairs = {(fault.target, fault.signal) for fault in faults(1, len(TARGETS) * len(SIGNALS))}
    assert pairs == {(target, number) for target in TARGETS for number in SIGNALS}
    pairs = {(fault.target, fault.signal) for fault in faults_over_ssh(1, len(OVER_SSH) * len(SIGNALS))}
    assert pairs == {(target, number) for target in OVER_SSH for number in SIGNALS}


def seen(owner: Owner, waves: int) -> Witness:
    """Run a campaign until so many waves are reported, and end everything at once."""
    witness = Witness(owner.home / "data" / "sparktui.db")
    owner.type("run", owner.profile(LONGER), "--only", "solo", "--detach")
    owner.until(lambda: len(owner.rows("SELECT id FROM wave")) >= waves, "its waves")
    witness.look()
    for process in owner.processes_found():
        process.send_signal(signal.SIGKILL)
    owner.until(lambda: not owner.processes(), "the end of every process")
    return witness


def test_a_wave_that_is_stored_before_its_last_request_is_noticed(owner: Owner) -> None:
    witness = seen(Owner(owner.home, owner.env | broken("early")), 1)
    assert [line.partition(" has ")[2] for line in witness.check().damaged] == ["0 of its 1 requests"]


def test_a_wave_that_is_changed_or_taken_away_is_noticed(owner: Owner) -> None:
    witness = seen(owner, 3)
    assert not witness.check()
    with closing(sqlite3.connect(witness.store)) as store, store:
        store.execute("UPDATE request SET ttft_us = ttft_us + 1 WHERE wave = 1")
        store.execute("DELETE FROM request WHERE wave = 2")
        store.execute("DELETE FROM wave WHERE id = 2")
    found = witness.check()
    assert [line.rpartition(" wave ")[2] for line in found.lost] == ["0 is not what it was", "1 is gone"]


@needs_compiler
@pytest.mark.parametrize(("how", "lost"), [("", False), ("unsynced", True)])
def test_only_a_store_that_syncs_every_wave_keeps_it_through_a_power_cut(owner: Owner, how: str, lost: bool) -> None:
    disk = watched(build(owner.home), owner.home)
    witness = seen(Owner(owner.home, owner.env | disk | (broken(how) if how else {})), 3)
    cut_power(owner.home)
    found = witness.check()
    assert bool(found.lost or found.damaged) is lost, found
    if not lost:
        assert owner.type("resume", "--plain").returncode == 0
        assert not witness.check()
