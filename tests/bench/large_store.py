"""A store of the size that a week of races leaves: a million node samples and a hundred thousand requests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec

from sparktui.nodes.sample import NodeSample
from sparktui.store.connection import open_writable, transaction
from sparktui.store.statements import INSERT_NODE_SAMPLE, NODE_SAMPLE_COLUMNS
from tests.ui.fixture_store import FINISHED, GIB, NOW, build

NODES = ("gf1", "gf2")
HZ = 2.0


def build_large(path: Path, samples: int = 1_000_000, requests: int = 100_000) -> int:
    """Make the store: a finished race with that many requests, over whose nodes that many samples were taken."""
    per_run = sum((1, 2, 4, 8, 16, 32, 64)) * 4
    campaign = build(path, replace(FINISHED, runs=max(1, requests // per_run)))
    with closing(open_writable(path)) as db, transaction(db, "NORMAL"):
        db.executemany(INSERT_NODE_SAMPLE, _samples(campaign, samples))
    return campaign


def _samples(campaign: int, count: int) -> list[tuple[object, ...]]:
    a_sample = NodeSample(
        t=0.0, node="", phase="serving", mem_total_bytes=int(121.7 * GIB), mem_free_bytes=int(6.2 * GIB),
        gpu_procs_bytes=int(79.9 * GIB), unified=True, swap_used_bytes=0, psi_some_pct=0.0, psi_full_pct=0.0,
        order9_free=812, gpu_util_pct=96.0, power_w=61.0, temp_c=70.0, sm_mhz=2411.0, nvml_ms=2.1,
    )  # fmt: skip
    base = msgspec.structs.asdict(a_sample)
    began = NOW - count / len(NODES) / HZ
    rows = []
    for number in range(count):
        beat, which = divmod(number, len(NODES))
        left = int((38.0 + (beat % 997) / 400) * GIB)
        mine = {"t": began + beat / HZ, "node": NODES[which], "mem_available_bytes": left, "heartbeat": beat}
        row = base | mine
        rows.append((campaign, *(row[name] for name in NODE_SAMPLE_COLUMNS)))
    return rows


def rows_in(path: Path) -> dict[str, int]:
    """Return how many rows the large tables have."""
    with closing(sqlite3.connect(path)) as db:
        return {
            table: int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
            for table in ("node_sample", "request")
        }
