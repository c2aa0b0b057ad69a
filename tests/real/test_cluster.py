"""The four ways to serve one model, with real vLLM, Ray and LiteLLM, on two nodes reached through a real ssh."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests import two_nodes as namespaces
from tests.runner.campaigns import Owner, json_of
from tests.two_nodes import TwoNodes
from tests.waiting import wait_until

from .cluster_software import PLUGIN_SWITCH, ensure_litellm, ensure_ray
from .environment import Environment
from .processes import describe

pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(namespaces.missing() is not None, reason=str(namespaces.missing())),
]

PORT, ROUTER_PORT, MASTER_PORT = 8101, 4000, 29501
LEVELS = (1, 2, 4)
RUNS = 2
CAMPAIGN_DEADLINE_S = 1200.0
READY_DEADLINE_S = 400.0
NEVER_JOINS_S = 45.0
SSHD_PORT = 22
LAUNCH_FAILED, PARTIAL, INTERRUPTED = 3, 1, 130
TOPOLOGIES: dict[str, dict[str, Any]] = {
    "solo": {"kind": "solo", "nodes": ["spark1"]},
    "cluster-tp2": {"kind": "cluster", "nodes": ["spark1", "spark2"]},
    "cluster-tp2-ray": {"kind": "cluster", "distributed": "ray", "nodes": ["spark1", "spark2"]},
    "shuffle": {"kind": "replicas", "nodes": ["spark1", "spark2"]},
}


@dataclass(frozen=True, slots=True)
class Setting:
    """Two nodes, an owner beside them, and what the nodes run."""

    nodes: TwoNodes
    owner: Owner
    environment: Environment
    litellm: Path

    def profile(self, *topologies: str, **serving: object) -> str:
        """Write a profile with some of the topologies."""
        router = {"executable": str(self.litellm), "port": ROUTER_PORT, "node": "spark1"}
        chosen = {name: dict(TOPOLOGIES[name]) for name in topologies}
        if "shuffle" in chosen:
            chosen["shuffle"]["router"] = router
        content = {
            "name": "two-namespaces",
            "nodes": {
                node.name: {"host": node.name, "address": node.address}
                for node in (self.nodes.first, self.nodes.second)
            },
            "model": {"id": "tiny", "path": str(self.environment.model)},
            "serving": {
                "launcher": "vllm",
                "executable": str(self.environment.vllm),
                "port": PORT,
                "master_port": MASTER_PORT,
                "env": ENGINE_ENV,
                "extra_args": ["--load-format", "dummy", "--enforce-eager", "--max-model-len", "2048"],
                **serving,
            },
            "topologies": chosen,
            "workload": {"pp": 64, "tg": 16, "concurrency": list(LEVELS), "runs": RUNS, "timeout_s": 120.0},
            "ready_timeout_s": READY_DEADLINE_S,
        }
        return self.owner.profile(yaml.safe_dump(content, sort_keys=False))

    def pid_of(self, title: str) -> int:
        """Return the process group of a step that is up."""
        ((pid,),) = self.owner.rows(f"SELECT pid FROM launched WHERE title = '{title}' AND gone IS NULL")
        return int(pid)

    def events(self, kind: str) -> list[str]:
        """Return the texts of one kind of event."""
        return [str(text) for (text,) in self.owner.rows(f"SELECT text FROM event WHERE kind = '{kind}' ORDER BY id")]

    def until_measuring(self, run: subprocess.Popen[str]) -> None:
        """Wait until a wave is being measured; fail as soon as that can no longer happen."""
        measuring = "SELECT 1 FROM cell WHERE state = 'measuring'"
        assert wait_until(lambda: bool(self.owner.rows(measuring)) or run.poll() is not None, READY_DEADLINE_S)
        assert run.poll() is None, run.communicate()[1]

    def assert_clean(self) -> None:
        """Fail where a process, a port or a file of ours is left on a node."""
        assert self.owner.processes() == []
        assert not (mine := marked_launches(self.nodes)), describe(mine)
        for node in (self.nodes.first, self.nodes.second):
            assert node.listening() == {SSHD_PORT}
        left = Path("/root/.cache/sparktui")
        assert not left.exists() or list(left.iterdir()) == []


ENGINE_ENV = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "GLOO_SOCKET_IFNAME": "eth0",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_NUM_THREADS": "1",
    PLUGIN_SWITCH: "1",
}


def marked_launches(nodes: TwoNodes) -> list[psutil.Process]:
    """Return every process on the nodes that still carries the mark of a launch."""
    return [process for node in (nodes.first, nodes.second) for process in node.processes() if _is_marked(process)]


def _is_marked(process: psutil.Process) -> bool:
    try:
        return "SPARKTUI_LAUNCH" in process.environ() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """Both nodes, for all tests below."""
    with namespaces.two_nodes(tmp_path_factory.mktemp("nodes")) as both:
        yield both


@pytest.fixture
def setting(nodes: TwoNodes, environment: Environment, tmp_path: Path) -> Iterator[Setting]:
    """An owner with an empty data folder; what a failed test leaves is ended."""
    ensure_ray(environment)
    made = Setting(nodes, Owner(tmp_path, {"PATH": nodes.path}), environment, ensure_litellm().executable)
    yield made
    for process in marked_launches(nodes):
        process.kill()
    nodes.second.mend()


@pytest.fixture(scope="module")
def race(
    nodes: TwoNodes, environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Setting, dict[str, Any]]:
    """One campaign over all four topologies."""
    ensure_ray(environment)
    owner = Owner(tmp_path_factory.mktemp("race"), {"PATH": nodes.path})
    made = Setting(nodes, owner, environment, ensure_litellm().executable)
    done = owner.type("run", made.profile(*TOPOLOGIES), "--json", timeout_s=CAMPAIGN_DEADLINE_S)
    assert done.returncode == 0, done.stderr[-8000:]
    print(done.stderr, file=sys.stderr)
    return made, json_of(done)


def test_one_command_brings_all_four_up_measures_them_and_compares_four_columns(
    race: tuple[Setting, dict[str, Any]],
) -> None:
    setting, answer = race
    assert answer["topologies"] == list(TOPOLOGIES)
    decode = {row["concurrency"]: row["values"] for row in answer["rows"] if row["metric"] == "decode"}
    assert set(decode) == set(LEVELS)
    assert all(value and value > 0 for values in decode.values() for value in values.values())
    assert {state for (state,) in setting.owner.rows("SELECT state FROM sweep")} == {"done"}


def test_every_stop_is_proven(race: tuple[Setting, dict[str, Any]]) -> None:
    setting, _ = race
    assert setting.owner.rows("SELECT DISTINCT proof FROM sweep") == [("[]",)]
    assert len(setting.events("stopped")) == len(TOPOLOGIES)
    setting.assert_clean()


def test_every_engine_said_what_it_runs_with(race: tuple[Setting, dict[str, Any]]) -> None:
    setting, _ = race
    query = "SELECT topology, json_extract(fingerprint, '$.engine.{}') FROM sweep ORDER BY seq"
    assert dict(setting.owner.rows(query.format("tensor_parallel"))) == {
        "solo": "1",
        "cluster-tp2": "2",
        "cluster-tp2-ray": "2",
        "shuffle": "1",
    }
    assert dict(setting.owner.rows(query.format("transport")))["cluster-tp2"] == "gloo"
    assert {version for _, version in setting.owner.rows(query.format("version"))} == {"0.32.0"}


def test_the_router_says_who_served_and_what_it_costs(race: tuple[Setting, dict[str, Any]]) -> None:
    setting, _ = race
    assert len(setting.events("shares")) + len(setting.events("backend-idle")) == len(LEVELS)
    (cost,) = setting.events("router-cost")
    assert "adds" in cost
    served = setting.owner.rows("SELECT count(*) FROM request WHERE backend IN ('spark1', 'spark2')")
    assert served[0][0] >= sum(LEVELS) * RUNS


def test_no_secret_is_in_the_store_or_a_log(race: tuple[Setting, dict[str, Any]]) -> None:
    setting, _ = race
    for path in (setting.owner.home / "data").rglob("*"):
        if path.is_file():
            assert b"sk-" not in path.read_bytes(), path


def test_a_headless_rank_that_is_killed_ends_its_topology_and_leaves_clean_nodes(setting: Setting) -> None:
    run = setting.owner.start("run", setting.profile("cluster-tp2"), "--plain")
    setting.until_measuring(run)
    os.killpg(setting.pid_of("rank 1 on spark2"), signal.SIGKILL)
    _, said = run.communicate(timeout=READY_DEADLINE_S)
    assert "rank 1 on spark2 ended while it was serving" in said
    assert run.returncode in (LAUNCH_FAILED, PARTIAL)
    setting.assert_clean()


def test_a_link_that_is_cut_is_told_and_what_cannot_be_asked_is_named(setting: Setting) -> None:
    run = setting.owner.start("run", setting.profile("cluster-tp2"), "--plain")
    setting.until_measuring(run)
    setting.nodes.second.cut()
    failed = wait_until(lambda: bool(setting.events("failed")), READY_DEADLINE_S)
    left = wait_until(lambda: bool(setting.events("left-behind")), READY_DEADLINE_S)
    setting.nodes.second.mend()
    _, said = run.communicate(timeout=READY_DEADLINE_S)
    assert failed, said
    assert left, said
    assert "cannot be reached any more" in said
    assert "spark2, which cannot be asked" in said
    assert run.returncode in (LAUNCH_FAILED, PARTIAL)
    cleaned = setting.owner.type("stop", timeout_s=READY_DEADLINE_S)
    assert cleaned.returncode == 0, cleaned.stderr
    setting.assert_clean()


def test_an_engine_that_is_killed_ends_its_topology_and_leaves_clean_nodes(setting: Setting) -> None:
    run = setting.owner.start("run", setting.profile("solo"), "--plain")
    setting.until_measuring(run)
    os.kill(setting.pid_of("engine on spark1"), signal.SIGKILL)
    _, said = run.communicate(timeout=READY_DEADLINE_S)
    assert "engine on spark1 ended while it was serving" in said or "requests failed" in said
    assert run.returncode in (LAUNCH_FAILED, PARTIAL)
    setting.assert_clean()


def test_stop_cleans_up_after_a_runner_that_was_killed(setting: Setting) -> None:
    run = setting.owner.start("run", setting.profile("cluster-tp2-ray"), "--plain")
    setting.until_measuring(run)
    for process in setting.owner.processes_found():
        if "sparktui.runner" in " ".join(process.cmdline()):
            process.kill()
    run.communicate(timeout=READY_DEADLINE_S)
    assert marked_launches(setting.nodes)
    stopped = setting.owner.type("stop", timeout_s=READY_DEADLINE_S)
    assert stopped.returncode == 0, stopped.stderr
    assert "nothing of it is left" in stopped.stderr
    setting.assert_clean()


def test_a_headless_rank_that_never_joins_is_told_with_what_every_rank_was_doing(setting: Setting) -> None:
    idle = setting.owner.home / "bin"
    idle.mkdir()
    (idle / "vllm").write_text("#!/bin/sh\necho this rank does nothing\nexec sleep 1000\n")
    (idle / "vllm").chmod(0o755)
    path = setting.profile("cluster-tp2", executable="vllm")
    profile = yaml.safe_load(Path(path).read_text())
    profile["nodes"]["spark1"]["env"] = {"PATH": f"{setting.environment.vllm.parent}:{namespaces.PATH}"}
    profile["nodes"]["spark2"]["env"] = {"PATH": f"{idle}:{namespaces.PATH}"}
    profile["ready_timeout_s"] = NEVER_JOINS_S
    Path(path).write_text(yaml.safe_dump(profile, sort_keys=False))
    done = setting.owner.type("run", path, "--plain", timeout_s=CAMPAIGN_DEADLINE_S)
    assert done.returncode == LAUNCH_FAILED
    assert f"not ready after {NEVER_JOINS_S:.0f} s" in done.stderr
    assert "a rank that never joined keeps the others waiting" in done.stderr
    assert "this rank does nothing" in done.stderr
    setting.assert_clean()


def test_a_port_that_is_taken_is_told_before_anything_is_started(setting: Setting) -> None:
    with setting.nodes.first.serving(PORT):
        done = setting.owner.type("run", setting.profile("solo"), "--plain", timeout_s=CAMPAIGN_DEADLINE_S)
    assert done.returncode == LAUNCH_FAILED
    assert "is already in use" in done.stderr
    setting.assert_clean()


def test_another_model_than_the_profiles_is_refused_by_name(setting: Setting) -> None:
    args = ["--load-format", "dummy", "--enforce-eager", "--max-model-len", "2048", "--served-model-name", "other"]
    profile = setting.profile("solo", extra_args=args)
    done = setting.owner.type("run", profile, "--plain", timeout_s=CAMPAIGN_DEADLINE_S)
    assert done.returncode == LAUNCH_FAILED
    assert "does not serve 'tiny'; it serves other" in done.stderr
    setting.assert_clean()


def test_a_check_over_ssh_finds_both_nodes_ready_and_says_what_is_not(setting: Setting) -> None:
    with setting.nodes.second.serving(PORT):
        done = setting.owner.type("check", setting.profile(*TOPOLOGIES), "--json")
    found = {(line["node"], line["subject"]): line for line in json_of(done)}
    for node in ("spark1", "spark2"):
        for subject in ("clock", "memory", "program", "ray", "model", "reach", "address", "interface"):
            assert found[node, subject]["verdict"] == "ok", found[node, subject]
    assert found["spark1", "router"]["verdict"] == "ok"
    assert found["spark1", "ports"]["verdict"] == "ok"
    assert found["spark2", "ports"]["verdict"] == "problem"
    assert f"{PORT} is taken" in found["spark2", "ports"]["text"]
    assert done.returncode == PARTIAL
    setting.assert_clean()
