"""A cell that a break has touched says of itself what it would have said without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runner.campaigns import Owner, own_home, profile_with

DYING = Path(__file__).with_name("dying")
MOMENTS = ("flight", "committed", "last")
THROTTLED = profile_with(
    serving={"seed": 1, "fault": "throttle", "fault_topology": "solo", "fault_node": "gf2"},
    topologies={"cluster-tp2": None, "shuffle": None},
    workload={"tg": 80, "concurrency": [2], "runs": 3},
)
SAID = "SELECT taint, health FROM cell"
WARNED = "SELECT text FROM event WHERE kind = 'tainted'"


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """What the campaign says of its cell when nothing happens to it."""
    with own_home(tmp_path_factory.mktemp("unbroken")) as owner:
        assert owner.type("run", owner.profile(THROTTLED), "--plain").returncode == 0
        return said(owner)


def said(owner: Owner) -> tuple[Any, ...]:
    """Return what a cell's taint, its warning and its nodes' stamps say, but for what other samples say otherwise."""
    ((taint, health),) = owner.rows(SAID)
    stamps = json.loads(health)
    words = {node: (stamp["sm_mhz"]["median"], stamp["throttle"]) for node, stamp in stamps.items()}
    return taint, owner.rows(WARNED), words


def test_an_engine_that_ends_when_nothing_is_left_to_measure_has_failed_at_nothing(owner: Owner) -> None:
    profile = owner.profile(
        profile_with(topologies={"cluster-tp2": None, "shuffle": None}, workload={"concurrency": [1]})
    )
    dying = Owner(owner.home, owner.env | {"PYTHONPATH": str(DYING), "DIES": "engine"})
    done = dying.type("run", profile, "--plain")
    assert done.returncode == 0, done.stderr
    assert owner.rows("SELECT state, error FROM sweep") == [("done", None)]
    assert owner.rows("SELECT state FROM campaign") == [("done",)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_cell_on_a_sick_node_cannot_win_whenever_its_runner_was_killed(
    owner: Owner, unbroken: tuple[Any, ...], moment: str
) -> None:
    assert "gf2: stuck clock, 850 MHz" in unbroken[0]
    dying = Owner(owner.home, owner.env | {"PYTHONPATH": str(DYING), "DIES": moment})
    dying.type("run", owner.profile(THROTTLED), "--plain")
    assert owner.rows("SELECT state, taint FROM cell") == [("measuring", None)]
    assert owner.type("resume", "--plain").returncode == 0
    assert owner.rows("SELECT count(*) FROM wave WHERE NOT warmup") == [(3,)]
    assert said(owner) == unbroken
