from __future__ import annotations

import csv
import io
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from tests.runner.campaigns import DEADLINE_S, PROFILE, Owner, into_every_runner, json_of
from tests.sim_engine import sim_engine


def waves_done(owner: Owner, at_least: int = 1) -> bool:
    rows = owner.rows("SELECT count(*) FROM wave")
    return bool(rows) and rows[0][0] >= at_least


def owns(owner: Owner, process: psutil.Process) -> bool:
    return process.environ().get("SPARKTUI_HOME") == str(owner.home / "data")


def leave_behind(owner: Owner, undo: str) -> None:
    """Note in the store that the first campaign started something, which a command removes."""
    connection = sqlite3.connect(owner.home / "data" / "sparktui.db")
    connection.execute(
        "INSERT INTO launched (campaign, sweep, t, node, title, undo) VALUES (1, 1, 0, 'gf2', 'x', ?)", (f'["{undo}"]',)
    )
    connection.commit()
    connection.close()


def import_meanwhile(owner: Owner) -> None:
    """Have a campaign in the store that is newer than all others, and was imported."""
    with closing(sqlite3.connect(owner.home / "data" / "sparktui.db")) as connection, connection:
        connection.execute(
            "INSERT INTO campaign (id, name, profile_yaml, source, created, host, version, state, origin) "
            "VALUES (9, 'newer', '', 'imported', 0, 'h', '0', 'done', '{}')"
        )


LONG = PROFILE.replace("tg: 8", "tg: 40").replace("runs: 2", "runs: 5")


def test_a_campaign_runs_to_its_tables_and_leaves_nothing_behind(owner: Owner) -> None:
    done = owner.type("run", owner.profile(), "--plain")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("SIMULATED") == 3
    assert "shuffle" in done.stdout
    assert "launching" not in done.stdout  # stdout carries results only
    assert "stopped, nothing left behind" in done.stderr
    assert owner.rows("SELECT count(*) FROM wave") == [(3 * 2 * 2,)]
    assert owner.rows("SELECT count(*) FROM launched WHERE gone IS NULL") == [(0,)]
    assert owner.rows("SELECT DISTINCT source FROM campaign") == [("simulated",)]
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_the_engines_own_counters_agree_with_what_was_counted(owner: Owner) -> None:
    done = owner.type("run", owner.profile(), "--only", "cluster-tp2", "--plain")
    assert done.returncode == 0, done.stderr
    counted = owner.rows(
        "SELECT server_tokens, server_prompt_tokens, sum(completion_tokens), sum(prompt_tokens)"
        " FROM cell JOIN wave ON wave.cell = cell.id JOIN request ON request.wave = wave.id GROUP BY cell.id"
    )
    assert len(counted) == 2
    assert all(tokens == mine and prompts == my_prompts for tokens, prompts, mine, my_prompts in counted)
    assert owner.rows("SELECT DISTINCT prompt_tokens, completion_tokens FROM request") == [(64, 8)]


def test_what_is_shown_listed_and_exported_is_what_is_stored(owner: Owner) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo,shuffle", "--json").returncode == 0
    shown = json_of(owner.type("show", "last", "--json"))
    assert shown["simulated"] is True
    assert {row["concurrency"] for row in shown["rows"]} == {1, 2}
    assert [(c["id"], c["state"]) for c in json_of(owner.type("list", "--json"))] == [(1, "done")]
    exported = owner.type("export", "last", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(exported.stdout)))
    assert {row["source"] for row in rows} == {"simulated"}
    target = owner.home / "out.json"
    assert owner.type("export", "1", "--format", "json", "-o", str(target)).returncode == 0
    assert target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_killing_the_terminal_does_not_stop_the_campaign(owner: Owner, number: signal.Signals) -> None:
    viewer = owner.start("run", owner.profile(LONG), "--only", "solo", "--concurrency", "1", "--plain")
    owner.until(lambda: waves_done(owner), "the first wave")
    os.killpg(viewer.pid, number)
    viewer.communicate()
    assert owner.state() == "running"
    attached = owner.type("attach", "--plain")
    assert attached.returncode == 0, attached.stderr
    assert "solo" in attached.stdout
    assert owner.state() == "done"
    assert owner.rows("SELECT count(*), count(DISTINCT seq) FROM wave") == [(5, 5)]
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_ctrl_c_stops_the_campaign_cleanly(owner: Owner) -> None:
    viewer = owner.start("run", owner.profile(LONG), "--only", "shuffle", "--plain")
    owner.until(lambda: waves_done(owner), "the first wave")
    viewer.send_signal(signal.SIGINT)
    _, said = viewer.communicate(timeout=60)
    assert viewer.returncode == 130, said
    assert owner.state() == "stopped"
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_ctrl_c_stops_the_campaign_though_its_store_is_locked(owner: Owner) -> None:
    viewer = owner.start("run", owner.profile(LONG), "--only", "solo", "--plain")
    owner.until(lambda: waves_done(owner), "the first wave")
    with closing(sqlite3.connect(owner.home / "data" / "sparktui.db", isolation_level=None)) as store:
        store.execute("BEGIN IMMEDIATE")
        viewer.send_signal(signal.SIGINT)
        assert viewer.stderr is not None
        said = next((line for line in viewer.stderr if "locked" in line or "stopping" in line), "nothing")
        assert said.startswith("stopping campaign 1")
    _, said = viewer.communicate(timeout=60)
    assert viewer.returncode == 130, said
    assert owner.state() == "stopped"
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_stop_ends_a_campaign_from_another_terminal(owner: Owner) -> None:
    started = owner.type("run", owner.profile(LONG), "--only", "cluster-tp2", "--detach")
    assert started.stdout == "1\n"
    owner.until(lambda: waves_done(owner), "the first wave")
    refused = owner.type("run", owner.profile(LONG))
    assert refused.returncode == 2
    assert "campaign 1 is running" in refused.stderr
    assert owner.type("stop").returncode == 0
    assert owner.state() == "stopped"
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_stop_cleans_up_after_a_killed_runner(owner: Owner) -> None:
    owner.type("run", owner.profile(LONG), "--only", "cluster-tp2", "--detach")
    owner.until(lambda: waves_done(owner), "the first wave")
    pid = int((owner.home / "data" / "runner.lock").read_text().split()[1])
    os.kill(pid, signal.SIGKILL)
    owner.until(lambda: not any("sparktui.load.worker" in line for line in owner.processes()), "the worker's end")
    left = [line for line in owner.processes() if "sparktui.sim.engine" in line]
    assert len(left) == 2
    assert json_of(owner.type("list", "--json"))[0]["state"] == "interrupted"
    stopped = owner.type("stop", "1")
    assert stopped.returncode == 0, stopped.stderr
    assert owner.state() == "stopped"
    assert owner.rows("SELECT DISTINCT state FROM sweep") == [("stopped",)]
    assert owner.rows("SELECT DISTINCT state FROM cell ORDER BY 1") == [("failed",), ("skipped",)]
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_stop_finds_what_a_runner_had_started_and_was_killed_before_it_could_note(owner: Owner) -> None:
    owner.type("run", owner.profile(LONG), "--only", "cluster-tp2", "--detach")
    owner.until(lambda: waves_done(owner), "the first wave")
    os.kill(int((owner.home / "data" / "runner.lock").read_text().split()[1]), signal.SIGKILL)
    owner.until(lambda: not any("sparktui.load.worker" in line for line in owner.processes()), "the worker's end")
    with closing(sqlite3.connect(owner.home / "data" / "sparktui.db")) as store, store:
        store.execute("UPDATE launched SET pid = NULL, pid_started = NULL")
    stopped = owner.type("stop", "1")
    assert stopped.returncode == 0, stopped.stderr
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_a_campaign_that_was_stopped_before_its_runner_was_up_is_not_run(owner: Owner) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    waves = owner.rows("SELECT count(*) FROM wave")
    late = subprocess.run(
        [sys.executable, "-m", "sparktui.runner", "1"],
        env={**os.environ, "SPARKTUI_HOME": str(owner.home / "data")},
        timeout=DEADLINE_S,
    )
    assert late.returncode == 130
    assert owner.state() == "done"
    assert owner.rows("SELECT count(*) FROM wave") == waves


def test_the_guard_ends_one_topology_and_the_others_are_measured(owner: Owner) -> None:
    floors = (
        "memory: {fragile_floors: {refuse_gib: 20.0, warn_gib: 90.0, loading_stop_gib: 80.0, serving_stop_gib: 80.0}}"
    )
    done = owner.type("run", owner.profile(PROFILE + floors), "--only", "solo,cluster-tp2", "--plain")
    assert done.returncode == 4, done.stderr
    assert "stopped by the memory guard: gf1 has" in done.stderr
    assert owner.rows("SELECT topology, state FROM sweep ORDER BY seq") == [("solo", "done"), ("cluster-tp2", "guard")]
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_a_load_worker_that_dies_ends_one_topology_and_nothing_is_left_open(owner: Owner) -> None:
    owner.type("run", owner.profile(LONG), "--only", "solo,cluster-tp2", "--concurrency", "1,2", "--detach")
    owner.until(lambda: waves_done(owner), "the first wave")
    for worker in psutil.process_iter():
        with suppress(psutil.Error):
            if "sparktui.load.worker" in worker.cmdline() and owns(owner, worker):
                worker.kill()
    done = owner.type("attach", "--plain")
    assert done.returncode == 1, done.stderr
    assert owner.rows("SELECT topology, state FROM sweep ORDER BY seq") == [("solo", "failed"), ("cluster-tp2", "done")]
    assert owner.rows("SELECT state FROM cell ORDER BY id") == [("failed",), ("skipped",), ("done",), ("done",)]


def test_a_number_that_an_older_store_has_used_starts_like_any_other(owner: Owner) -> None:
    started = owner.home / "data" / "run" / "1" / "started"
    started.parent.mkdir(parents=True)
    started.touch()
    done = owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain")
    assert done.returncode == 0, done.stderr


def test_a_runner_that_does_not_come_up_leaves_no_campaign_waiting(owner: Owner) -> None:
    into_every_runner(owner, "import os; os._exit(3)")
    done = owner.type("run", owner.profile(), "--plain")
    assert done.returncode == 2
    assert "did not come up" in done.stderr
    assert "Traceback" not in done.stderr
    assert owner.state() == "failed"


def test_where_the_lock_cannot_be_taken_no_campaign_is_stored(owner: Owner) -> None:
    (owner.home / "data" / "runner.lock").mkdir(parents=True)
    done = owner.type("run", owner.profile(), "--plain")
    assert done.returncode == 1
    assert "cannot lock" in done.stderr
    assert not owner.rows("SELECT id FROM campaign")


def test_a_server_that_is_not_up_is_not_waited_for_as_if_it_were_loading(owner: Owner) -> None:
    profile = """
name: away
nodes: {here: {host: local}}
model: {id: m}
serving: {launcher: external, url: "http://127.0.0.1:1"}
topologies: {solo: {kind: solo, nodes: [here]}}
workload: {pp: 64, tg: 8, concurrency: [1], runs: 1}
"""
    done = owner.type("run", owner.profile(profile), "--plain")
    assert done.returncode == 3, done.stderr
    assert "not ready after 10 s" in done.stderr
    assert "nothing was launched there: start it, or mend its address" in done.stderr
    assert "rank" not in done.stderr
    assert owner.rows("SELECT state FROM cell") == [("skipped",)]


def test_cleaning_up_after_one_campaign_leaves_a_running_one_alone(owner: Owner) -> None:
    owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain")
    owner.type("run", owner.profile(LONG), "--only", "solo", "--detach")
    leave_behind(owner, "true")
    stopped = owner.type("stop", "1")
    assert stopped.returncode == 2
    assert "campaign 2 is running" in stopped.stderr
    assert owner.type("stop", "2").returncode == 0
    assert owner.type("stop", "1").returncode == 0


def test_stop_without_an_id_takes_the_race_that_runs_and_names_it_first(owner: Owner) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    newest = owner.type("stop")
    assert newest.stderr.splitlines()[0] == "no ID was given: this stops campaign 1 small"
    owner.type("run", owner.profile(LONG), "--only", "solo", "--detach")
    import_meanwhile(owner)
    stopped = owner.type("stop")
    assert stopped.returncode == 0, stopped.stderr
    assert stopped.stderr.splitlines()[:2] == [
        "no ID was given: this stops campaign 2 small",
        "asked campaign 2 to stop; waiting for its engines to end",
    ]
    assert "no ID" not in owner.type("stop", "2").stderr


@pytest.mark.parametrize("command", ["stop", "attach", "show", "export", "resume", "nodes"])
def test_help_says_that_an_id_may_be_left_out_and_which_is_meant_then(owner: Owner, command: str) -> None:
    text = owner.type(command, "--help").stdout
    assert f"{command} [OPTIONS] [ID]" in text
    assert "left out" in " ".join(text.split())
    assert "newest" in text


def test_stop_says_by_its_exit_code_that_something_is_left(owner: Owner) -> None:
    assert owner.type("run", owner.profile(), "--only", "solo", "--concurrency", "1", "--plain").returncode == 0
    leave_behind(owner, "false")
    stopped = owner.type("stop", "1")
    assert stopped.returncode == 1
    assert "left behind: x: `false` on gf2" in stopped.stderr


def test_a_topology_that_cannot_launch_is_recorded_and_the_others_go_on(owner: Owner) -> None:
    profile = """
name: broken
nodes: {here: {host: local}}
model: {id: m}
serving: {launcher: command, argv: [sh, -c, "echo out of luck; exit 7"]}
topologies: {solo: {kind: solo, nodes: [here]}}
workload: {pp: 64, tg: 8, concurrency: [1], runs: 1}
"""
    done = owner.type("run", owner.profile(profile), "--plain")
    assert done.returncode == 3
    assert "ended before it was ready" in done.stderr
    assert "out of luck" in done.stderr
    assert "Traceback" not in done.stderr
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_bench_measures_a_server_that_is_up_and_leaves_it_up(owner: Owner, tmp_path: Path) -> None:
    with sim_engine(tmp_path / "sim") as engine:
        done = owner.type(
            "bench", engine.url, "--concurrency", "1,4", "--pp", "128", "--tg", "16", "--runs", "2", "--json"
        )
        assert done.returncode == 0, done.stderr
        assert engine.process.poll() is None
    result = json_of(done)
    assert {row["concurrency"] for row in result["rows"]} == {1, 4}
    assert result["simulated"], "the embedded engine's figures are no measurement, by whatever address it is reached"
    assert [row["source"] for row in json_of(owner.type("list", "--json"))] == ["simulated"]
    assert f"{engine.url} is sparktui's embedded engine: this campaign is SIMULATED" in done.stderr
    assert '"simulated":true' in owner.rows("SELECT fingerprint FROM sweep")[0][0]
    assert owner.rows("SELECT DISTINCT clock FROM wave") == [("kernel",)] or os.uname().sysname != "Linux"


def test_a_name_for_a_bench_is_what_lists_and_comparisons_call_it(owner: Owner, tmp_path: Path) -> None:
    load = ("--concurrency", "1", "--pp", "64", "--tg", "8", "--runs", "1", "--seed", "1", "--plain")
    with sim_engine(tmp_path / "sim") as engine:
        for name in ("solo", "cluster"):
            done = owner.type("bench", engine.url, "--name", name, *load)
            assert done.returncode == 0, done.stderr
    assert [row["name"] for row in json_of(owner.type("list", "--json"))] == ["cluster", "solo"]
    compared = owner.type("compare", "1", "2").stdout
    assert "c solo cluster Gain" in " ".join(compared.split())
    assert "1/solo" not in compared


def test_a_name_that_no_topology_could_have_is_refused_before_the_server_is_asked(owner: Owner) -> None:
    done = owner.type("bench", "http://127.0.0.1:1", "--name", "My Race")
    assert done.returncode == 2
    assert "expected a name: lower-case letters" in done.stderr


def test_bench_of_another_model_says_what_the_server_has(owner: Owner, tmp_path: Path) -> None:
    with sim_engine(tmp_path / "sim") as engine:
        done = owner.type("bench", engine.url, "--model", "other")
    assert done.returncode == 2
    assert "does not serve 'other'; it serves sim-model" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("run", "no-such-profile"),
        ("run", "demo", "--only", "nope"),
        ("run", "demo", "--concurrency", "4,2"),
        ("show", "7"),
        ("attach",),
        ("stop",),
        ("export", "last", "--format", "csv"),
        ("bench", "not a url"),
    ],
)
def test_what_cannot_be_used_is_one_message_and_exit_2(owner: Owner, words: tuple[str, ...]) -> None:
    done = owner.type(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    assert not owner.processes()
