"""Sixteen simulated nodes behind one router, and 512 users: a campaign of that size ends as a small one does."""

from __future__ import annotations

import sys

import pytest

from tests.runner.campaigns import Owner

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="agents read /proc"), pytest.mark.timeout(300)]
NODES = tuple(f"gf{number}" for number in range(1, 17))
PROFILE = f"""
name: large
nodes: {{{", ".join(f"{name}: {{host: simulated}}" for name in NODES)}}}
model: {{id: m, weights_gib: 25.67}}
serving: {{launcher: simulated, load_seconds: 0.2}}
topologies:
  cluster: {{kind: cluster, nodes: [gf16, gf15]}}
  shuffle: {{kind: replicas, nodes: [{", ".join(NODES)}]}}
workload: {{pp: 64, tg: 4, concurrency: [512], runs: 1, warmup_waves: 0}}
"""
SERVED = """
    SELECT topology, sweep.state, count(*), count(request.error) FROM sweep JOIN cell ON cell.sweep = sweep.id
    JOIN wave ON wave.cell = cell.id JOIN request ON request.wave = wave.id GROUP BY topology ORDER BY topology"""


def test_many_nodes_and_many_users_are_measured_without_a_warning(owner: Owner) -> None:
    done = owner.type("run", owner.profile(PROFILE), "--plain", timeout_s=240)
    assert done.returncode == 0, done.stderr
    assert owner.rows(SERVED) == [("cluster", "done", 512, 0), ("shuffle", "done", 512, 0)]
    assert owner.rows("SELECT count(DISTINCT node) FROM node_sample") == [(16,)]
    assert owner.rows("SELECT count(DISTINCT backend) FROM request WHERE backend IS NOT NULL") == [(16,)]
    assert owner.rows("SELECT source, kind, text FROM event WHERE level = 'error'") == []
    owner.until(lambda: not owner.processes(), "the end of every process")
