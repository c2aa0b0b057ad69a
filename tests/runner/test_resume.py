"""Campaigns that were broken off go on, through the command line, on the embedded engine."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from contextlib import closing, suppress

import psutil
import pytest

from tests.runner.campaigns import PROFILE, Owner, json_of

RACE = PROFILE.replace("warmup_waves: 0", "warmup_waves: 1").replace("tg: 8", "tg: 24")
"""c1 and c2, two waves and a warm-up wave each."""
SOLO = [("solo", 1, 1, 2, 2), ("solo", 2, 1, 2, 2)]
CLUSTER = [("cluster-tp2", 1, 1, 2, 2), ("cluster-tp2", 2, 1, 2, 2)]
SHUFFLE = [("shuffle", 1, 1, 2, 2), ("shuffle", 2, 1, 2, 2)]
PER_CELL = """
    SELECT topology, concurrency, sum(warmup), sum(NOT warmup), count(DISTINCT iif(warmup, NULL, wave.seq))
    FROM sweep JOIN cell ON cell.sweep = sweep.id JOIN wave ON wave.cell = cell.id
    GROUP BY cell.id ORDER BY sweep.seq, cell.seq"""
WAVES = "SELECT id, cell, warmup, seq, started, duration_us FROM wave ORDER BY id"


def runner_pid(owner: Owner) -> int:
    return int((owner.home / "data" / "runner.lock").read_text().split()[1])


def kill_runner(owner: Owner) -> None:
    """End the runner without a word; what it launched stays up."""
    os.kill(runner_pid(owner), signal.SIGKILL)
    owner.until(lambda: not any("sparktui.load.worker" in line for line in owner.processes()), "the worker's end")


def kill_all(owner: Owner) -> None:
    """End everything at once, as a reboot would."""
    os.kill(runner_pid(owner), signal.SIGKILL)
    for process in owner.processes_found():
        with suppress(psutil.Error):
            process.kill()
    owner.until(lambda: not owner.processes(), "the end of every process")


def count(owner: Owner, query: str) -> int:
    rows = owner.rows(query)
    return int(rows[0][0]) if rows else 0


def change(owner: Owner, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(owner.home / "data" / "sparktui.db")) as store, store:
        store.execute(statement, values)


def interrupted(owner: Owner, topologies: str, *, after: str, at_least: int = 1) -> None:
    """Run a campaign until a count in the store is reached, and kill its runner."""
    owner.type("run", owner.profile(RACE), "--only", topologies, "--detach")
    owner.until(lambda: count(owner, after) >= at_least, after)
    kill_runner(owner)


@pytest.mark.parametrize(
    ("after", "at_least"),
    [
        ("SELECT count(*) FROM sweep", 1),
        ("SELECT count(*) FROM launched", 1),
        ("SELECT count(*) FROM wave WHERE warmup", 1),
        ("SELECT count(*) FROM wave WHERE NOT warmup", 2),
        ("SELECT count(*) FROM sweep WHERE state = 'done'", 1),
        ("SELECT count(*) FROM cell WHERE state = 'done'", 4),
    ],
)
def test_a_campaign_whose_runner_was_killed_ends_with_every_wave_once(owner: Owner, after: str, at_least: int) -> None:
    interrupted(owner, "solo,cluster-tp2", after=after, at_least=at_least)
    before = owner.rows(WAVES)
    done = owner.type("resume", "--plain")
    assert done.returncode == 0, done.stderr
    assert "campaign 1 goes on" in done.stderr
    assert owner.rows(PER_CELL) == [*SOLO, *CLUSTER]
    assert owner.rows(WAVES)[: len(before)] == before
    assert owner.rows("SELECT DISTINCT state FROM cell UNION SELECT DISTINCT state FROM sweep") == [("done",)]
    assert owner.rows("SELECT state, exit_code FROM campaign") == [("done", 0)]
    assert owner.rows("SELECT DISTINCT prompt_tokens, completion_tokens FROM request") == [(64, 24)]
    assert count(owner, "SELECT count(*) FROM launched WHERE gone IS NULL") == 0
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_a_topology_that_is_done_is_not_launched_again(owner: Owner) -> None:
    interrupted(owner, "solo,cluster-tp2", after="SELECT count(*) FROM wave WHERE cell = 4")
    launches = "SELECT count(*) FROM launched WHERE sweep = 1"
    before = count(owner, launches), owner.rows("SELECT * FROM sweep WHERE id = 1")
    assert owner.type("resume", "--plain").returncode == 0
    assert (count(owner, launches), owner.rows("SELECT * FROM sweep WHERE id = 1")) == before
    assert count(owner, "SELECT count(*) FROM launched WHERE sweep = 2") == 4
    (launched, ready, stopped) = owner.rows("SELECT launched, ready, stopped FROM sweep WHERE id = 2")[0]
    assert launched < ready < stopped
    assert count(owner, "SELECT count(*) FROM wave WHERE cell = 4 AND started < " + str(launched)) > 0


def test_a_campaign_broken_off_again_and_again_comes_to_its_end(owner: Owner) -> None:
    interrupted(owner, "solo", after="SELECT count(*) FROM wave")
    for waves in (2, 4):
        owner.type("resume", "1", "--detach")
        owner.until(lambda waves=waves: count(owner, "SELECT count(*) FROM wave") >= waves, "more waves")  # type: ignore[misc]
        kill_runner(owner)
    assert owner.type("resume", "1", "--plain").returncode == 0
    assert owner.rows(PER_CELL) == SOLO
    assert count(owner, "SELECT count(*) FROM event WHERE kind = 'resumed'") == 3


def test_after_a_reboot_no_process_of_somebody_else_is_ended(owner: Owner) -> None:
    owner.type("run", owner.profile(RACE), "--only", "cluster-tp2", "--detach")
    owner.until(lambda: count(owner, "SELECT count(*) FROM wave") >= 2, "two waves")
    kill_all(owner)
    bystander = psutil.Popen(["sleep", "600"], start_new_session=True)
    try:
        change(owner, "UPDATE launched SET pid = ?, pid_started = pid_started - 86400", bystander.pid)
        done = owner.type("resume", "--plain")
        assert done.returncode == 0, done.stderr
        assert bystander.is_running()
    finally:
        bystander.kill()
        bystander.wait()
    assert owner.rows(PER_CELL) == CLUSTER


def test_what_was_stopped_on_purpose_can_be_finished_and_a_stale_request_to_stop_is_not_obeyed(owner: Owner) -> None:
    owner.type("run", owner.profile(RACE), "--only", "solo,shuffle", "--detach")
    owner.until(lambda: count(owner, "SELECT count(*) FROM wave") >= 1, "the first wave")
    assert owner.type("stop").returncode == 0
    change(owner, "INSERT INTO control (t, campaign, command) VALUES (0, 1, 'stop')")
    done = owner.type("resume", "--json")
    assert done.returncode == 0, done.stderr
    assert {row["concurrency"] for row in json_of(done)["rows"]} == {1, 2}
    assert owner.rows(PER_CELL) == [*SOLO, *SHUFFLE]


def test_figures_of_a_broken_off_campaign_have_the_same_prompts_as_an_unbroken_one(owner: Owner) -> None:
    interrupted(owner, "solo", after="SELECT count(*) FROM wave WHERE NOT warmup")
    assert owner.type("resume", "--plain").returncode == 0
    assert owner.type("run", owner.profile(RACE), "--only", "solo", "--plain").returncode == 0
    # Whether waves as short as these have samples enough for their energy is left to the machine.
    timed = ("decode", "prefill", "ttft")
    shown = [json_of(owner.type("show", which, "--json"))["rows"] for which in ("1", "2")]
    first, second = ([row["concurrency"] for row in rows if row["metric"] in timed] for rows in shown)
    assert first == second
    taints = owner.rows("SELECT taint FROM cell WHERE sweep = 1 AND taint LIKE '%cache%'")
    assert taints == []
    prints = owner.rows("SELECT fingerprint FROM sweep ORDER BY id")
    assert json.loads(prints[0][0]) == json.loads(prints[1][0])


def test_a_topology_that_the_owner_ended_early_stays_ended(owner: Owner) -> None:
    owner.type("run", owner.profile(RACE), "--only", "solo,shuffle", "--detach")
    owner.until(lambda: count(owner, "SELECT count(*) FROM wave") >= 1, "the first wave")
    skipped = owner.type("skip")
    assert skipped.returncode == 0
    assert "asked campaign 1 to end solo" in skipped.stderr
    owner.until(lambda: count(owner, "SELECT count(*) FROM wave WHERE cell = 3") >= 1, "the next topology's first wave")
    kill_runner(owner)
    done = owner.type("resume", "--plain")
    assert done.returncode == 1, done.stderr
    assert owner.rows("SELECT state FROM sweep ORDER BY seq") == [("stopped",), ("done",)]
    assert owner.rows(PER_CELL)[-2:] == SHUFFLE
    again = owner.type("resume", "--plain")
    assert again.returncode == 0
    assert "nothing is missing but what was skipped, of solo; a new race measures that" in again.stderr
    late = owner.type("skip")
    assert late.returncode == 2
    assert "campaign 1 is not running" in late.stderr


def test_a_finished_campaign_has_nothing_missing(owner: Owner) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    done = owner.type("resume", "1")
    assert (done.returncode, done.stdout) == (0, "")
    assert "campaign 1 has all its waves: nothing is missing" in done.stderr


def test_a_running_campaign_is_refused_and_so_is_another_beside_it(owner: Owner) -> None:
    interrupted(owner, "solo", after="SELECT count(*) FROM wave")
    owner.type("run", owner.profile(RACE), "--only", "solo", "--detach")
    for which, said in (("2", "campaign 2 is running already"), ("1", "campaign 2 is running, and two at once")):
        refused = owner.type("resume", which)
        assert refused.returncode == 2
        assert said in refused.stderr
    assert owner.type("stop", "2").returncode == 0


def test_an_imported_campaign_is_refused(owner: Owner) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    exported = str(owner.home / "out.json")
    assert owner.type("export", "1", "-o", exported).returncode == 0
    assert owner.type("import", exported).returncode == 0
    refused = owner.type("resume", "2")
    assert refused.returncode == 2
    assert "campaign 2 was imported" in refused.stderr


def test_another_profile_is_refused_with_the_difference(owner: Owner) -> None:
    interrupted(owner, "solo", after="SELECT count(*) FROM wave")
    other = owner.profile(
        RACE.replace("tg: 24", "tg: 25").replace("  cluster-tp2: {kind: cluster, nodes: [gf2, gf1]}\n", "")
    )
    refused = owner.type("resume", "--profile", other)
    assert refused.returncode == 2, refused.stderr
    assert "workload.tg: 24, now 25" in refused.stderr
    assert "topologies.shuffle: not there, now" in refused.stderr
    assert owner.type("stop").returncode == 0


def test_a_profile_that_is_no_profile_any_more_is_refused(owner: Owner) -> None:
    interrupted(owner, "solo", after="SELECT count(*) FROM wave")
    assert owner.type("stop").returncode == 0
    change(owner, "UPDATE campaign SET profile_yaml = replace(profile_yaml, 'topologies:', 'topology:')")
    refused = owner.type("resume")
    assert refused.returncode == 2, refused.stderr
    assert "cannot go on: its profile cannot be used" in refused.stderr
    assert "did you mean 'topologies'" in refused.stderr or "topologies" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_another_engine_is_refused_by_name_and_forced_only_with_a_taint(owner: Owner) -> None:
    interrupted(owner, "solo", after="SELECT count(*) FROM wave WHERE cell = 2 AND NOT warmup")
    change(owner, "UPDATE sweep SET fingerprint = json_set(fingerprint, '$.engine.version', '0.0.9')")
    refused = owner.type("resume", "--plain")
    assert refused.returncode == 1, refused.stderr
    assert "solo is not what its first waves were measured on: version: 0.0.9 at first" in refused.stderr
    assert "sparktui resume 1 --force" in refused.stderr
    forced = owner.type("resume", "--force", "--plain")
    assert forced.returncode == 0, forced.stderr
    assert owner.rows(PER_CELL) == SOLO
    first, second = owner.rows("SELECT taint FROM cell ORDER BY id")
    assert "another engine" not in str(first[0])
    assert "another engine" in second[0]


def test_a_cell_with_waves_of_another_engine_cannot_win_though_it_ends_on_the_first_one(owner: Owner) -> None:
    owner.type(
        "run", owner.profile(RACE.replace("runs: 2", "runs: 6")), "--only", "solo", "--concurrency", "1", "--detach"
    )
    measured = "SELECT count(*) FROM wave WHERE NOT warmup"
    owner.until(lambda: count(owner, measured) >= 1, "a wave of the first engine")
    kill_runner(owner)
    told = "UPDATE sweep SET fingerprint = json_set(fingerprint, '$.engine.version', ?)"
    ((version,),) = owner.rows("SELECT json_extract(fingerprint, '$.engine.version') FROM sweep")
    before = count(owner, measured)
    change(owner, told, "0.0.9")
    assert owner.type("resume", "--force", "--detach").returncode == 0
    owner.until(lambda: count(owner, measured) > before, "a wave of another engine")
    kill_runner(owner)
    change(owner, told, version)
    done = owner.type("resume", "--plain")
    assert done.returncode == 0, done.stderr
    assert count(owner, measured) == 6
    ((taint,),) = owner.rows("SELECT taint FROM cell")
    assert taint.count("measured on another engine than its topology's first waves (version: 0.0.9 at first") == 1


@pytest.mark.parametrize("module", ["sparktui.sim.engine", "sparktui.sim.router"])
def test_a_wave_whose_engine_or_router_ended_is_not_kept_but_measured_again(owner: Owner, module: str) -> None:
    owner.type("run", owner.profile(RACE.replace("runs: 2", "runs: 4")), "--only", "shuffle", "--detach")
    owner.until(lambda: count(owner, "SELECT count(*) FROM wave") >= 2, "two waves")
    next(process for process in owner.processes_found() if module in process.info["cmdline"]).kill()
    owner.until(lambda: owner.state() != "running", "the campaign's end")
    assert owner.rows("SELECT text FROM event WHERE kind = 'failed' AND text LIKE '%ended while it was serving%'")
    assert count(owner, "SELECT count(*) FROM request WHERE error IS NOT NULL") == 0
    done = owner.type("resume", "--plain")
    assert done.returncode == 0, done.stderr
    assert owner.rows(PER_CELL) == [("shuffle", 1, 1, 4, 4), ("shuffle", 2, 1, 4, 4)]
    assert count(owner, "SELECT count(*) FROM request WHERE error IS NOT NULL") == 0


def test_a_runner_that_is_told_of_a_lost_terminal_goes_on(owner: Owner) -> None:
    owner.type("run", owner.profile(RACE), "--only", "solo", "--detach")
    owner.until(lambda: count(owner, "SELECT count(*) FROM wave") >= 1, "the first wave")
    for process in owner.processes_found():
        if any(module in process.info["cmdline"] for module in ("sparktui.runner", "sparktui.nodes.agent")):
            process.send_signal(signal.SIGHUP)
    owner.until(lambda: owner.state() != "running", "the campaign's end")
    assert owner.state() == "done"
    assert owner.rows(PER_CELL) == SOLO
    assert count(owner, "SELECT count(*) FROM event WHERE level <> 'info' AND kind LIKE 'agent%'") == 0


def test_a_campaign_that_was_stopped_when_all_had_been_measured_is_called_done(owner: Owner) -> None:
    assert owner.type("run", owner.profile(RACE), "--only", "solo", "--plain").returncode == 0
    change(owner, "UPDATE sweep SET state = 'stopped', error = 'SIGTERM received'")
    change(owner, "UPDATE campaign SET state = 'stopped', exit_code = 130")
    launched = count(owner, "SELECT count(*) FROM launched WHERE sweep IS NOT NULL")
    done = owner.type("resume", "--plain")
    assert done.returncode == 0, done.stderr
    assert owner.rows("SELECT state, error FROM sweep") == [("done", None)]
    assert owner.state() == "done"
    assert owner.rows(PER_CELL) == SOLO
    assert count(owner, "SELECT count(*) FROM launched WHERE sweep IS NOT NULL") == launched
    assert "nothing is missing" in owner.type("resume").stderr
