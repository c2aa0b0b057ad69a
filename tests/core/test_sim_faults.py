"""Faults on simulated nodes: what they do to readings, memory and engines, and that without one nothing is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.cli import cli
from sparktui.errors import ProfileError, UsageError
from sparktui.faults import FAULTS, Fault
from sparktui.nodes.guard import Guard, Limits
from sparktui.nodes.health import View, look
from sparktui.nodes.health_engine import Engine, Flow
from sparktui.nodes.sample import NodeSample
from sparktui.profile.catalog import shipped_folder
from sparktui.profile.faulty import trouble, with_fault
from sparktui.profile.loader import load_profile, parse_profile
from sparktui.profile.model import Simulated
from sparktui.profile.narrow import narrowed
from sparktui.sim.faults import AGENT_KILLED, HUNG_CALL, Collapsing, fabric_bytes, left_gib, slowdown
from sparktui.sim.holding import GIB, Holding, MemoryCurve, publish
from sparktui.sim.node import read_sample
from sparktui.sim.spark import IDLE_AVAILABLE_BYTES
from tests.core.good_profile import GOOD

DEMO = load_profile(shipped_folder() / "demo.yaml")
CURVE = MemoryCurve(weights_bytes=13 * GIB, kv_bytes=51 * GIB, load_s=2.0)
T = 1_000.0


def holding(**changes: object) -> Holding:
    facts: dict[str, object] = {
        "pid": os.getpid(), "node": "gf1", "topology": "cluster-tp2", "role": "rank", "phase": "serving", "since": 0.0,
        "updated": T, "held_bytes": 68 * GIB, "gpu_bytes": 64 * GIB, "busy": 1.0,
    }  # fmt: skip
    return Holding(**(facts | changes))  # type: ignore[arg-type]


def reading(tmp_path: Path, **changes: object) -> NodeSample:
    publish(tmp_path, holding(**changes))
    return read_sample(tmp_path, "gf1", 0, now=lambda: T)


def test_a_collapse_is_the_published_trace_after_a_way_down_to_it() -> None:
    assert [left_gib(t, 48.0) for t in (0.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 99.0)] == [
        48.0, 28.97, 28.96, 27.31, 23.79, 10.6, 6.27, 2.5, 2.5,
    ]  # fmt: skip
    falling = [left_gib(t / 10, 48.0) for t in range(200)]
    assert falling == sorted(falling, reverse=True)


def test_only_the_sick_node_collapses_and_neither_comes_to_serve() -> None:
    sick, well = Collapsing(CURVE, sick=True), Collapsing(CURVE, sick=False)
    assert sick.load_s == well.load_s > CURVE.load_s + 15
    assert IDLE_AVAILABLE_BYTES - sick.held_bytes(2.0 + 11.0) == pytest.approx(10.6 * GIB, rel=1e-6)
    assert well.held_bytes(2.0 + 11.0) == CURVE.held_bytes(2.0)
    assert sick.held_bytes(1.0) == well.held_bytes(1.0) == CURVE.held_bytes(1.0)
    assert sick.gpu_bytes(20.0) == CURVE.gpu_bytes(20.0)


def test_a_guard_with_the_floors_of_a_fragile_node_stops_the_collapse_in_time() -> None:
    limits = Limits(warn_bytes=12 * GIB, loading_stop_bytes=16 * GIB, serving_stop_bytes=6 * GIB)
    guard, curve = Guard.of("gf1", limits), Collapsing(CURVE, sick=True)
    for fifth in range(100):
        left = IDLE_AVAILABLE_BYTES - curve.held_bytes(fifth / 5)
        guard, decision = guard.observe(fifth / 5, left, "loading")
        if decision.level == "look":
            guard, decision = guard.observe(fifth / 5 + 0.02, left, "loading")
        if decision.level == "stop":
            break
    assert left >= 10 * GIB


def test_a_zombie_looks_busy_and_draws_next_to_nothing(tmp_path: Path) -> None:
    idle = reading(tmp_path, plays="zombie", sick=True, busy=0.0)
    assert (idle.gpu_util_pct, idle.power_w, idle.sm_mhz) == (96.0, 13.0, 2411.0)
    spinning = reading(tmp_path, plays="zombie", busy=0.0)
    assert (spinning.gpu_util_pct, spinning.power_w) == (96.0, 31.0)


def test_a_stuck_clock_shows_only_under_load_and_only_on_its_node(tmp_path: Path) -> None:
    stuck = reading(tmp_path, plays="throttle", sick=True)
    assert (stuck.sm_mhz, stuck.power_w, stuck.temp_c, stuck.throttle) == (850.0, 28.0, 47.0, "")
    assert reading(tmp_path, plays="throttle", sick=True, busy=0.0).sm_mhz != 850.0
    assert reading(tmp_path, plays="throttle").sm_mhz != 850.0


def test_a_driver_that_hangs_takes_the_gpus_readings_with_it_and_no_others(tmp_path: Path) -> None:
    hung = reading(tmp_path, plays="nvml-hang", sick=True)
    assert hung.nvml_hung == HUNG_CALL
    assert {hung.power_w, hung.gpu_util_pct, hung.temp_c, hung.sm_mhz, hung.gpu_procs_bytes, hung.nvml_ms} == {None}
    assert hung.mem_available_bytes == reading(tmp_path).mem_available_bytes
    assert reading(tmp_path, plays="nvml-hang").nvml_hung is None


def test_a_slow_link_carries_13_of_200_gbit_while_the_gpus_wait(tmp_path: Path) -> None:
    slow = reading(tmp_path, plays="link-slow")
    assert (slow.rdma_link_gbps, slow.power_w) == (200.0, 41.0)
    assert fabric_bytes("link-slow", 5, 8.0) == 13e9
    assert fabric_bytes("link-slow", 0, 8.0) == 0
    assert fabric_bytes(None, 5, 8.0) == 5


def test_what_is_slow_takes_longer() -> None:
    assert slowdown("throttle") == pytest.approx(2411 / 850)
    assert slowdown("link-slow") == 2.0
    assert {slowdown(fault) for fault in FAULTS if fault not in ("throttle", "link-slow")} == {1.0}
    assert slowdown(None) == 1.0


def agent_once(tmp_path: Path) -> int:
    """Let a process take a sample as an agent does, and return how it ended."""
    code = "import sys, pathlib; from sparktui.nodes.simulated import SimulatedReader as R;"
    code += "R('gf1', pathlib.Path(sys.argv[1])).left()"
    return subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=60).returncode


def test_an_agent_is_killed_once_and_the_next_one_is_silent_for_a_while_first(tmp_path: Path) -> None:
    publish(tmp_path, holding(plays="agent-lost"))
    assert agent_once(tmp_path) == 0
    publish(tmp_path, holding(plays="agent-lost", sick=True))
    assert agent_once(tmp_path) == -signal.SIGKILL
    killed = tmp_path / "gf1" / AGENT_KILLED
    os.utime(killed, (killed.stat().st_mtime - 60, killed.stat().st_mtime - 60))
    assert agent_once(tmp_path) == 0


def test_looking_at_a_node_kills_nobody(tmp_path: Path) -> None:
    assert reading(tmp_path, plays="agent-lost", sick=True).power_w is not None
    assert not (tmp_path / "gf1" / AGENT_KILLED).exists()


def test_the_fabrics_counter_goes_up_evenly_between_what_its_process_tells(tmp_path: Path) -> None:
    publish(tmp_path, holding(rdma_before_bytes=1_000, rdma_bytes=2_000, interval_s=0.5))
    counts = [read_sample(tmp_path, "gf1", 0, now=lambda t=t: T + t / 8).rdma_tx_bytes for t in range(-1, 7)]  # type: ignore[misc]
    assert counts == [1_000, 1_000, 1_250, 1_500, 1_750, 2_000, 2_000, 2_000]


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=8), st.floats(1e6, 3.5e9))
def test_a_simulated_node_without_a_fault_has_no_finding_whatever_its_load(
    tmp_path_factory: pytest.TempPathFactory, loads: list[float], full_bytes_per_s: float
) -> None:
    folder = tmp_path_factory.mktemp("nodes")
    samples, carried = [], 0
    for half in range(60):
        busy, t = loads[half * len(loads) // 60], T + half / 2
        before, carried = carried, carried + int(busy * full_bytes_per_s / 2)
        counts = {"rdma_before_bytes": before, "rdma_bytes": carried, "interval_s": 0.5}
        publish(folder, holding(busy=busy, heat=busy, updated=t, **counts))
        samples.append(read_sample(folder, "gf1", half, now=lambda: t))  # noqa: B023 - called at once
    flow = [Flow(T + s, 4.0, 30.0 * s) for s in range(31)]
    engine = Engine(("gf1", "gf2"), flow, True)
    assert look(View(now=T + 30, topology="cluster-tp2", engines=(engine,), samples={"gf1": samples})) == ()
    assert all(a.t < b.t and (a.net_tx_bytes or 0) <= (b.net_tx_bytes or 0) for a, b in pairwise(samples))


@pytest.mark.parametrize(
    ("fault", "topology", "node"),
    [
        ("gf1-collapse", "cluster-tp2", "gf1"),
        ("zombie", "cluster-tp2", "gf1"),
        ("throttle", "solo", "gf2"),
        ("agent-lost", "cluster-tp2", "gf1"),
        ("nvml-hang", "cluster-tp2", "gf1"),
        ("link-slow", "cluster-tp2", "gf1"),
    ],
)
def test_in_the_demo_each_fault_happens_where_its_description_says(fault: Fault, topology: str, node: str) -> None:
    found = trouble(with_fault(DEMO, fault))
    assert found is not None
    assert (found.fault, found.topology, found.node) == (fault, topology, node)
    assert node in FAULTS[fault].what
    assert topology in FAULTS[fault].what


def test_a_fault_is_played_elsewhere_where_the_profile_says_so_or_nothing_else_is_left() -> None:
    assert trouble(DEMO) is None
    alone = narrowed(with_fault(DEMO, "zombie"), only=["solo"])
    assert trouble(alone) is not None
    assert (trouble(alone) or trouble(DEMO)).topology == "solo"  # type: ignore[union-attr]
    data = (shipped_folder() / "demo.yaml").read_text()
    chosen = data.replace("seed: 1", "fault: throttle\n  fault_topology: shuffle\n  fault_node: gf1\n  seed: 1", 1)
    placed = trouble(parse_profile(chosen, "x.yaml"))
    assert placed is not None
    assert (placed.topology, placed.node) == ("shuffle", "gf1")


def test_a_zombies_requests_are_not_waited_for_ten_minutes() -> None:
    assert with_fault(DEMO, "zombie").workload.timeout_s == 30.0
    assert with_fault(DEMO, "throttle").workload.timeout_s == DEMO.workload.timeout_s


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("fault: fire", "fault"),
        ("fault: zombie\n  fault_topology: solos", "'solos' is not among topologies"),
        ("fault: zombie\n  fault_node: gf3", "'gf3' is not among nodes"),
        ("fault: zombie\n  fault_topology: solo\n  fault_node: gf1", "'gf1' is not in solo, which has gf2"),
    ],
)
def test_a_fault_that_cannot_be_played_is_said_to_be_none(keys: str, told: str) -> None:
    text = (shipped_folder() / "demo.yaml").read_text().replace("seed: 1", f"{keys}\n  seed: 1", 1)
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "x.yaml")
    assert told in " ".join(caught.value.problems)


def test_the_command_line_says_what_each_fault_plays() -> None:
    said = " ".join(CliRunner().invoke(cli, ["demo", "--help"]).output.split())
    for fault, part in FAULTS.items():
        assert f"{fault} {part.what}" in said
    assert CliRunner().invoke(cli, ["demo", "--fault", "fire"]).exit_code == 2


def test_real_nodes_have_no_faults_played_on_them() -> None:
    with pytest.raises(UsageError, match="not simulated"):
        with_fault(parse_profile(GOOD, "x.yaml"), "zombie")
    assert isinstance(with_fault(DEMO, "zombie").serving, Simulated)
