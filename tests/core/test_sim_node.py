"""The memory of a simulated Spark, over the life of real engine processes."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from sparktui.nodes.sample import NodeSample
from sparktui.sim.holding import ACTIVATIONS_BYTES, GIB, HOST_BYTES, Holding, MemoryCurve, publish, published
from sparktui.sim.node import SWING_BYTES, is_alive, read_sample
from sparktui.sim.spark import IDLE_AVAILABLE_BYTES, MEM_TOTAL_BYTES
from tests.sim_engine import MODEL, sim_engine, started, wait_healthy

DEADLINE_S = 20.0
CURVE = MemoryCurve(weights_bytes=24 * GIB, kv_bytes=48 * GIB, load_s=12.0)


def holding(**changes: object) -> Holding:
    facts: dict[str, object] = {
        "pid": os.getpid(), "node": "gf1", "topology": "solo", "role": "engine", "phase": "serving", "since": 0.0,
        "updated": 1000.0, "held_bytes": 30 * GIB, "gpu_bytes": 25 * GIB,
    }  # fmt: skip
    return Holding(**(facts | changes))  # type: ignore[arg-type]


def sample_until(state_dir: Path, node: str, wanted: Callable[[NodeSample], bool]) -> NodeSample:
    deadline = time.monotonic() + DEADLINE_S
    for heartbeat in itertools.count():
        sample = read_sample(state_dir, node, heartbeat)
        if wanted(sample):
            return sample
        assert time.monotonic() < deadline, sample
        time.sleep(0.02)
    raise AssertionError("unreachable")


def left(sample: NodeSample) -> int:
    assert sample.mem_available_bytes is not None
    return sample.mem_available_bytes


def test_a_load_takes_the_weights_steadily_then_the_kv_cache_within_a_second() -> None:
    held = [CURVE.held_bytes(tenth / 10) for tenth in range(200)]
    assert held == sorted(held)
    weights_end = 90
    per_second = (held[weights_end] - held[20]) / 7
    assert 2 * GIB < per_second < 4 * GIB
    assert held[weights_end + 10] - held[weights_end] >= 48 * GIB
    loaded = 24 * GIB + 48 * GIB + ACTIVATIONS_BYTES + HOST_BYTES
    assert held[120] == pytest.approx(loaded, abs=1024)


def test_a_serving_engine_leaks_a_few_megabytes_a_minute() -> None:
    per_minute = CURVE.held_bytes(12 + 600) - CURVE.held_bytes(12 + 540)
    assert 1_000_000 < per_minute < 50_000_000
    assert CURVE.gpu_bytes(10_000) == CURVE.gpu_bytes(12)


def test_an_idle_node_has_what_an_idle_spark_has(tmp_path: Path) -> None:
    sample = read_sample(tmp_path, "gf1", 7)
    assert (sample.node, sample.phase, sample.heartbeat, sample.unified) == ("gf1", "idle", 7, True)
    assert sample.mem_total_bytes == MEM_TOTAL_BYTES == 127_600_748 * 1024
    assert abs(left(sample) - IDLE_AVAILABLE_BYTES) <= SWING_BYTES
    assert sample.mem_free_bytes is not None
    assert sample.mem_free_bytes < left(sample)
    assert sample.gpu_procs_bytes == 0
    assert sample.gpu_total_bytes is None
    assert sample.power_w == pytest.approx(11, abs=1)


def test_a_node_holds_what_its_live_processes_hold_together(tmp_path: Path) -> None:
    publish(tmp_path, holding())
    publish(tmp_path, holding(node="gf2"))
    parent = os.getppid()
    publish(tmp_path, holding(pid=parent, phase="loading", held_bytes=10 * GIB, gpu_bytes=8 * GIB))
    sample = read_sample(tmp_path, "gf1", 0)
    assert sample.gpu_procs_bytes == 33 * GIB
    assert left(sample) == pytest.approx(IDLE_AVAILABLE_BYTES - 40 * GIB, abs=SWING_BYTES)
    assert sample.phase == "loading"


def test_a_dead_process_holds_nothing_but_its_traffic_was_sent_and_its_heat_fades(tmp_path: Path) -> None:
    with started(["true"]) as process:
        process.wait(DEADLINE_S)
    publish(tmp_path, holding(pid=process.pid, heat=1.0, rdma_bytes=5_000))
    temperatures = []
    for later in (0.0, 30.0, 600.0):
        sample = read_sample(tmp_path, "gf1", 0, now=lambda later=later: 1000.0 + later)  # type: ignore[misc]
        assert (sample.phase, sample.gpu_procs_bytes, sample.rdma_tx_bytes) == ("idle", 0, 5_000)
        temperatures.append(sample.temp_c or 0.0)
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[0] == 71
    assert temperatures[-1] == 38


def test_a_process_that_ended_but_was_not_waited_for_is_dead() -> None:
    with started(["true"]) as process:
        deadline = time.monotonic() + DEADLINE_S
        while is_alive(process.pid):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_half_written_state_file_is_never_seen(tmp_path: Path) -> None:
    publish(tmp_path, holding())
    (tmp_path / "gf1" / "99.tmp").write_bytes(b'{"pid":')
    assert [one.pid for one in published(tmp_path, "gf1")] == [os.getpid()]


def test_memory_follows_an_engine_from_loading_to_serving_to_gone(tmp_path: Path) -> None:
    extra = ("--weights-gib", "20", "--kv-gib", "40")
    with sim_engine(tmp_path, node="gf1", load_seconds=1.0, extra=extra, wait_loaded=False) as engine:
        early = sample_until(tmp_path, "gf1", lambda sample: sample.phase == "loading")
        falling = sample_until(tmp_path, "gf1", lambda sample: left(sample) < left(early) - 5 * GIB)
        assert falling.phase == "loading"
        wait_healthy(f"{engine.url}/health", engine.process)
        serving = sample_until(tmp_path, "gf1", lambda sample: sample.phase == "serving")
        assert serving.gpu_procs_bytes == 60 * GIB + ACTIVATIONS_BYTES
        assert left(serving) == pytest.approx(IDLE_AVAILABLE_BYTES - 65 * GIB, abs=SWING_BYTES + GIB // 100)
        body = {"model": MODEL, "prompt": "go", "max_tokens": 1000, "ignore_eos": True}
        with ThreadPoolExecutor(1) as client:
            client.submit(httpx.post, f"{engine.url}/v1/completions", json=body, timeout=DEADLINE_S)
            busy = sample_until(tmp_path, "gf1", lambda sample: (sample.gpu_util_pct or 0) > 50)
        assert (busy.power_w or 0) > 30
        assert busy.rdma_tx_bytes == 0
    gone = sample_until(tmp_path, "gf1", lambda sample: sample.phase == "idle")
    assert left(gone) == pytest.approx(IDLE_AVAILABLE_BYTES, abs=SWING_BYTES)


def test_a_cluster_holds_both_nodes_and_its_rank_works_when_the_head_does(tmp_path: Path) -> None:
    extra = ("--weights-gib", "13.57")
    rank_extra = ("--headless", "--node", "gf1", "--topology", "cluster-tp2", "--model", MODEL)
    with sim_engine(tmp_path, node="gf2", topology="cluster-tp2", extra=extra) as head:
        argv = [*head.process.args[:3], *rank_extra, "--state-dir", str(tmp_path), *extra, "--load-seconds", "0.05"]  # type: ignore[index]
        with started(argv) as rank:
            sample_until(tmp_path, "gf1", lambda sample: sample.phase == "serving")
            body = {"model": MODEL, "prompt": "go", "max_tokens": 500, "ignore_eos": True}
            httpx.post(f"{head.url}/v1/completions", json=body, timeout=DEADLINE_S)
            seen = sample_until(tmp_path, "gf1", lambda sample: bool(sample.rdma_tx_bytes))
            assert (seen.gpu_procs_bytes or 0) > 60 * GIB
            assert seen.rdma_rx_bytes == seen.rdma_tx_bytes
            rank.terminate()
            assert rank.wait(DEADLINE_S) == 0
        assert read_sample(tmp_path, "gf1", 0).gpu_procs_bytes == 0
        assert read_sample(tmp_path, "gf2", 0).phase == "serving"
