"""A store that has grown: a hundred campaigns, and one that goes on with 16 nodes, 8 topologies and 512 users."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from tests.ui import fixture_store
from tests.ui.fixture_store import FINISHED, PUBLISHED, Race, build

LEVELS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
NODES = tuple(f"gf{number}" for number in range(1, 17))
TOPOLOGIES = ("solo", "solo-b", "cluster-tp2", "cluster-tp2-b", "cluster-tp2-ray", "shuffle", "shuffle-8", "shuffle-16")
CAMPAIGNS = 100
PROFILE = f"""\
name: everything
nodes:
{"".join(f"  {name}: {{host: simulated, fragile: {str(name == 'gf1').lower()}}}" + chr(10) for name in NODES)}
model: {{id: google/gemma-4-26B-A4B-it, weights_gib: 25.67}}
serving: {{launcher: simulated}}
topologies:
  solo: {{kind: solo, nodes: [gf2]}}
  solo-b: {{kind: solo, nodes: [gf3]}}
  cluster-tp2: {{kind: cluster, nodes: [gf2, gf1]}}
  cluster-tp2-b: {{kind: cluster, nodes: [gf4, gf3]}}
  cluster-tp2-ray: {{kind: cluster, nodes: [gf2, gf1], distributed: ray}}
  shuffle: {{kind: replicas, nodes: [gf1, gf2]}}
  shuffle-8: {{kind: replicas, nodes: [{", ".join(NODES[:8])}]}}
  shuffle-16: {{kind: replicas, nodes: [{", ".join(NODES)}]}}
workload: {{pp: 1024, tg: 128, concurrency: [{", ".join(map(str, LEVELS))}], runs: 2}}
"""


def build_grown(path: Path) -> int:
    """Make the store; return the number of the campaign that goes on."""
    for _ in range(CAMPAIGNS - 1):
        build(path, Race(FINISHED.finished_topologies, runs=1, state="done"))
    published = {name: _longer(PUBLISHED[_kind(name)], 1 + place / 50) for place, name in enumerate(TOPOLOGIES)}
    with patch.multiple(fixture_store, PUBLISHED=published, LEVELS=LEVELS, PROFILE_YAML=PROFILE):
        campaign = build(path, Race(finished_topologies=7, done_levels=9, done_waves=1, runs=2))
    with closing(sqlite3.connect(path)) as db, db:
        for name in NODES[2:]:
            _copy_node(db, campaign, name)
    return campaign


def _kind(topology: str) -> str:
    return next(name for name in sorted(PUBLISHED, key=len, reverse=True) if topology.startswith(name))


def _longer(figures: dict[str, tuple[float, ...]], times: float) -> dict[str, tuple[float, ...]]:
    """Return the published figures with levels beyond them, where requests wait for each other."""
    grown = {name: [value * times for value in values] for name, values in figures.items()}
    for values in grown.values():
        while len(values) < len(LEVELS):
            values.append(values[-1] * (2.0 if values is grown["ttft"] else 1.1))
    return {name: tuple(values) for name, values in grown.items()}


def _copy_node(db: sqlite3.Connection, campaign: int, name: str) -> None:
    of = {"campaign": campaign, "name": name}
    db.execute("INSERT INTO node SELECT campaign, :name, facts_json FROM node WHERE campaign = :campaign LIMIT 1", of)
    columns = [row[1] for row in db.execute("PRAGMA table_info(node_sample)") if row[1] not in ("id", "node")]
    listed = ", ".join(columns)
    db.execute(
        f"INSERT INTO node_sample (node, {listed}) SELECT :name, {listed} FROM node_sample "
        "WHERE campaign = :campaign AND node = 'gf1'",
        of,
    )
