"""Every simulated fault through the command line: which node had what, with numbers; and the race goes on."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.runner.campaigns import PROFILE, Owner

SOLO_AND_CLUSTER = ("--only", "solo,cluster-tp2")


def faulty(fault: str, load: str = "pp: 64, tg: 8, concurrency: [1, 2], runs: 2") -> str:
    """Return the small profile with a fault, and another load."""
    text = PROFILE.replace("load_seconds: 0.2", f"load_seconds: 0.2, fault: {fault}")
    return text.replace("pp: 64, tg: 8, concurrency: [1, 2], runs: 2", load)


def told(owner: Owner, kind: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Return level, source, text and data of the events of a kind."""
    rows = owner.rows(f"SELECT level, source, text, data FROM event WHERE kind = '{kind}' ORDER BY id")
    return [(level, source, text, json.loads(data)) for level, source, text, data in rows]


def findings(owner: Owner) -> set[tuple[str, str]]:
    return {(kind, node) for kind, node in owner.rows("SELECT kind, source FROM event WHERE kind LIKE 'health-%'")}


def test_the_demo_is_started_with_the_fault_that_was_asked_for(owner: Owner) -> None:
    started = owner.type("demo", "--fault", "zombie", "--detach")
    assert started.returncode == 0, started.stderr
    ((stored,),) = owner.rows("SELECT profile_yaml FROM campaign")
    assert yaml.safe_load(stored)["serving"]["fault"] == "zombie"
    assert owner.type("stop").returncode == 0


def test_a_collapse_while_loading_is_stopped_on_its_node_and_the_other_topologies_are_measured(owner: Owner) -> None:
    done = owner.type("run", owner.profile(faulty("gf1-collapse")), "--plain")
    assert done.returncode == 4, done.stderr
    states = owner.rows("SELECT topology, state FROM sweep ORDER BY seq")
    assert states == [("solo", "done"), ("cluster-tp2", "guard"), ("shuffle", "done")]
    (stop,) = told(owner, "guard-stop")
    assert stop[1] == "gf1"
    assert "SIMULATED: gf1-collapse is played on gf1" in done.stderr
    assert "stopped by the memory guard: gf1 has" in done.stderr
    (least,) = owner.rows("SELECT min(mem_available_bytes) FROM node_sample WHERE node = 'gf1'")
    assert least[0] >= 10 * 1024**3
    owner.until(lambda: not owner.processes(), "the end of every process")


def test_a_race_ends_with_the_guards_stop_where_its_profile_asks_for_that(owner: Owner) -> None:
    text = faulty("gf1-collapse") + "memory: {after_guard_stop: end}\n"
    done = owner.type("run", owner.profile(text), "--only", "cluster-tp2,shuffle", "--plain")
    assert done.returncode == 4, done.stderr
    assert "the guard has ended a topology: the race ends, as its profile asks" in done.stderr
    assert owner.rows("SELECT topology, state FROM sweep ORDER BY seq") == [
        ("cluster-tp2", "guard"),
        ("shuffle", "stopped"),
    ]
    assert owner.rows("SELECT state, exit_code FROM campaign") == [("guard", 4)]


def test_a_zombie_is_named_with_its_idle_rank_and_given_up_once_its_requests_have_timed_out(owner: Owner) -> None:
    load = "timeout_s: 20, pp: 64, tg: 8, concurrency: [1, 2, 4], runs: 3"
    done = owner.type("run", owner.profile(faulty("zombie", load)), *SOLO_AND_CLUSTER, "--plain")
    assert done.returncode == 1, done.stderr
    (found,) = [event for event in told(owner, "health-zombie") if event[0] == "warning"]
    assert found[1] == "gf1"
    assert "2 requests run, no token for" in found[2]
    assert "idle is rank 1, gf1 13 W at 96 % utilisation, gf2 31 W at 96 % utilisation" in found[2]
    assert found[3]["doc"] == "docs/health.md#zombie"
    assert findings(owner) == {("health-zombie", "gf1")}
    assert owner.rows("SELECT topology, state FROM sweep ORDER BY seq") == [("solo", "done"), ("cluster-tp2", "failed")]
    cells = owner.rows("SELECT concurrency, state FROM cell WHERE sweep = 2 ORDER BY id")
    assert cells == [(1, "done"), (2, "failed"), (4, "skipped")]


def test_a_stuck_clock_is_told_while_it_lasts_and_its_cells_cannot_win(owner: Owner) -> None:
    load = "pp: 64, tg: 110, concurrency: [1], runs: 2"
    done = owner.type("run", owner.profile(faulty("throttle", load)), "--only", "solo", "--plain")
    assert done.returncode == 0, done.stderr
    begun, over = told(owner, "health-stuck-clock")
    assert (begun[0], begun[1], begun[3]["standing"]) == ("warning", "gf2", True)
    assert "850 MHz and 28 W at 96 % utilisation and only 47 °C for" in begun[2]
    assert (over[0], over[3]["standing"]) == ("info", False)
    ((taint, health),) = owner.rows("SELECT taint, health FROM cell")
    assert "gf2: stuck clock, 850 MHz, 28 W" in taint
    assert json.loads(health)["gf2"]["sm_mhz"]["median"] == 850.0
    assert "cannot win: gf2: stuck clock" in done.stderr


def test_a_slow_link_is_told_while_it_lasts_and_its_cells_cannot_win(owner: Owner) -> None:
    load = "pp: 64, tg: 250, concurrency: [1], runs: 2"
    done = owner.type("run", owner.profile(faulty("link-slow", load)), "--only", "cluster-tp2", "--plain")
    assert done.returncode == 0, done.stderr
    (found,) = [event for event in told(owner, "health-slow-link") if event[0] == "warning"]
    assert found[3]["link_gbps"] == 200.0
    assert 8 <= found[3]["gbps"] < 14
    assert "negotiated at 200 Gbit/s, it carries a flat" in found[2]
    ((taint,),) = owner.rows("SELECT taint FROM cell")
    assert "gf2: slow link, " in taint


def test_a_driver_that_hangs_is_told_and_nothing_waits_for_it(owner: Owner) -> None:
    done = owner.type("run", owner.profile(faulty("nvml-hang")), "--only", "cluster-tp2", "--plain")
    assert done.returncode == 0, done.stderr
    (found,) = [event for event in told(owner, "health-nvml-hung") if event[0] == "warning"]
    assert found[1] == "gf1"
    assert "nvmlDeviceGetUtilizationRates" in found[2]
    beside = "SELECT count(*) FROM node_sample WHERE nvml_hung IS NOT NULL AND mem_available_bytes IS NOT NULL"
    assert owner.rows(f"{beside} AND power_w IS NULL AND rdma_tx_bytes IS NOT NULL")[0][0] > 1


def test_an_agent_that_is_lost_is_told_and_comes_back(owner: Owner) -> None:
    load = "pp: 64, tg: 250, concurrency: [1], runs: 4"
    done = owner.type("run", owner.profile(faulty("agent-lost", load)), "--only", "cluster-tp2", "--plain")
    assert done.returncode == 0, done.stderr
    (lost,) = told(owner, "agent-lost")
    assert lost[1] == "gf1"
    assert "gf1 last seen" in lost[2]
    (back,) = told(owner, "agent-back")
    assert back[3]["silent_s"] > 5
    assert owner.rows("SELECT DISTINCT state FROM cell") == [("done",)]


def test_a_healthy_race_has_no_finding_and_every_cell_says_how_its_nodes_were(owner: Owner) -> None:
    load = "pp: 64, tg: 250, concurrency: [1, 4], runs: 2"
    done = owner.type("run", owner.profile(PROFILE.replace("pp: 64, tg: 8, concurrency: [1, 2], runs: 2", load)),
                      "--only", "cluster-tp2", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert findings(owner) == set()
    stamps = [json.loads(health) for (health,) in owner.rows("SELECT health FROM cell")]
    assert [set(stamp) for stamp in stamps] == [{"gf1", "gf2"}] * 2
    for stamp in (one for both in stamps for one in both.values()):
        assert stamp["samples"] >= 4
        assert stamp["rdma_link_gbps"] == 200.0
        assert stamp["throttle"] == []
        assert stamp["sm_mhz"]["max"] == 2411.0
    shown = json.loads(done.stdout)["health"]
    assert [(row["topology"], row["concurrency"]) for row in shown] == [("cluster-tp2", 1), ("cluster-tp2", 4)]
    assert shown[0]["nodes"] == stamps[0]
