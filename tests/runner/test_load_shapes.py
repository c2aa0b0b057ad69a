from __future__ import annotations

import json

from tests.runner.campaigns import Owner

POOL = ("--only", "solo", "--shape", "pool", "--turns", "4", "--concurrency", "3", "--plain")


def test_a_pool_run_is_stored_as_one_wave_with_its_turns_and_shown_as_what_it_is(owner: Owner) -> None:
    done = owner.type("run", owner.profile(), *POOL)
    assert done.returncode == 0, done.stderr
    assert owner.rows("SELECT shape, runs, state FROM cell") == [("pool", 2, "done")]
    assert owner.rows("SELECT wave, count(*), min(seq), max(seq), max(slot) FROM request GROUP BY wave") == [
        (1, 12, 0, 3, 2),
        (2, 12, 0, 3, 2),
    ]
    assert "pool" in done.stderr
    assert "prefix cache: 0 of 1 536 prompt tokens" in done.stderr
    assert "(pp64 tg8, pool, usage by token_ids)" in done.stdout
    (counted,) = owner.rows("SELECT server_tokens, server_prompt_tokens FROM cell")
    assert counted == (2 * 12 * 8, 2 * 12 * 64)
    (fingerprint,) = owner.rows("SELECT fingerprint FROM sweep")
    assert json.loads(fingerprint[0])["shape"] == "pool"
    assert json.loads(fingerprint[0])["pool_turns"] == 4
    assert "benchy" in owner.type("show", "last", "--calculator", "benchy-0.3.5").stdout


def test_the_options_of_requests_are_recorded_with_the_campaign(owner: Owner) -> None:
    words = ("--temperature", "0.5", "--no-token-ids", "--extra-body", "top_k=5", "--concurrency", "2", "--seed", "7")
    done = owner.type("run", owner.profile(), "--only", "solo", "--plain", *words)
    assert done.returncode == 0, done.stderr
    (fingerprint,) = owner.rows("SELECT fingerprint FROM sweep")
    assert json.loads(fingerprint[0])["sampling"] == {
        "temperature": 0.5,
        "exact_tg": True,
        "token_ids": False,
        "extra_body": {"top_k": 5},
    }
    assert json.loads(fingerprint[0])["prompt_seed"] == 7
    assert owner.rows("SELECT DISTINCT token_source FROM request") == [("usage",)]
