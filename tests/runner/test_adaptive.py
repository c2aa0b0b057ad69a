"""An adaptive race on the embedded engine, as an owner would run it."""

from __future__ import annotations

import json

import pytest

from tests.runner.campaigns import PROFILE, Owner, json_of

STEADY = PROFILE.replace("concurrency: [1, 2], runs: 2", "concurrency: [1, 2], runs: 40, precision: 0.9, min_runs: 3")


def test_a_cell_ends_early_says_why_and_the_race_says_what_that_saved(owner: Owner) -> None:
    done = owner.type("run", owner.profile(STEADY), "--only", "solo", "--plain")
    assert done.returncode == 0, done.stderr
    rows = owner.rows("SELECT cell.ended_by, count(*) FROM cell JOIN wave ON wave.cell = cell.id GROUP BY cell.id")
    assert len(rows) == 2
    for ended_by, waves in rows:
        assert waves < 40
        assert ended_by.endswith(f"after {waves} of 40 waves")
    (saved,) = owner.rows("SELECT data FROM event WHERE kind = 'adaptive-saving'")
    assert json.loads(saved[0])["fixed_waves"] == 80
    assert "waves instead of 80" in done.stderr


def test_until_crossover_measures_the_coarse_ladder_and_says_which_levels_were_left_out(owner: Owner) -> None:
    text = STEADY.replace("concurrency: [1, 2]", "concurrency: [1, 2, 3, 4, 6]").replace("runs: 40", "runs: 4")
    done = owner.type("run", owner.profile(text), "--only", "solo,cluster-tp2", "--until", "crossover", "--json")
    assert done.returncode == 0, done.stderr
    measured = owner.rows("SELECT sweep, concurrency FROM cell WHERE state = 'done' ORDER BY cell.id")
    assert {(sweep, level) for sweep in (1, 2) for level in (1, 3, 6)} <= set(measured)
    left_out = owner.rows("SELECT DISTINCT ended_by FROM cell WHERE state = 'skipped'")
    assert [reason.startswith("not needed") for (reason,) in left_out] in ([True], [])
    assert owner.rows("SELECT count(*) FROM cell WHERE state NOT IN ('done', 'skipped')") == [(0,)]
    assert owner.rows("SELECT count(*) FROM launched WHERE gone IS NULL") == [(0,)]
    assert json_of(done)["advice"][-1]["use_case"] == "default"


def test_every_wave_is_taken_where_nothing_adaptive_is_asked_for(owner: Owner) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo", "--runs", "6", "--plain").returncode == 0
    assert owner.rows("SELECT count(*) FROM wave WHERE warmup = 0") == [(12,)]
    assert owner.rows("SELECT count(*) FROM event WHERE kind LIKE 'adaptive%'") == [(0,)]


@pytest.mark.parametrize("text", ["0", "100%", "two", "-1%", "nan"])
def test_a_precision_that_is_none_is_refused(owner: Owner, text: str) -> None:
    done = owner.type("run", owner.profile(), "--precision", text, "--plain")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
