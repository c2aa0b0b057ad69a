"""A campaign whose fragile node collapsed while it was loading, as a runner and its agents would have stored it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sparktui.nodes.sample import NodeSample
from sparktui.store.connection import open_writable
from tests.core.node_samples import GIB

T0 = 1_764_000_000.0
"""When the campaign began, seconds since the epoch."""
READY, OVER, LOADING = T0 + 60, T0 + 300, T0 + 320
"""When solo served and was stopped, and when the cluster was launched."""
COLLAPSE = LOADING + 30
"""When memory began to run away."""
TRACE_GIB = (28.97, 28.96, 27.31, 23.79, 10.6, 6.27)
"""What the published node had left, every two seconds, before it froze."""
LAST = COLLAPSE + 10
PROFILE = """\
name: race
nodes:
  gf1: {host: simulated, address: 10.0.0.1, fragile: true}
  gf2: {host: simulated, address: 10.0.0.2}
model: {id: m, weights_gib: 25.67}
serving: {launcher: simulated}
topologies:
  solo: {kind: solo, nodes: [gf2]}
  cluster-tp2: {kind: cluster, nodes: [gf2, gf1]}
"""


@dataclass(slots=True)
class Store:
    """A store that is written row by row."""

    db: sqlite3.Connection

    def insert(self, table: str, **values: object) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return int(cursor.lastrowid or 0)

    def samples(self, campaign: int, samples: Iterable[NodeSample]) -> None:
        """Add samples in the order given."""
        for sample in samples:
            self.insert("node_sample", campaign=campaign, **msgspec.structs.asdict(sample))

    def event(
        self, campaign: int, told: float, level: str, source: str, kind: str, text: str, /, **data: object
    ) -> None:
        """Add a line of the log."""
        self.insert(
            "event", campaign=campaign, t=told, level=level, source=source, kind=kind, text=text, data=json.dumps(data)
        )


def collapse(t: float) -> int:
    """Return what gf1 had left, in bytes, at a moment after the collapse began."""
    step = min(int(t - COLLAPSE) // 2, len(TRACE_GIB) - 2)
    into = t - COLLAPSE - 2 * step
    before, after = TRACE_GIB[step], TRACE_GIB[step + 1]
    return int((before + (after - before) * into / 2) * GIB)


def samples_of(node: str, start: float, end: float, hz: float = 2.0) -> list[NodeSample]:
    """Return a node's samples of the recorded campaign."""
    count = round((end - start) * hz)
    return [_sample(node, start + beat / hz, beat) for beat in range(count + 1)]


def _sample(node: str, t: float, beat: int) -> NodeSample:
    phase = "idle" if t < T0 else "loading" if t < READY else "serving" if t < OVER else "loading"
    left = 36 * GIB if READY <= t < OVER and node == "gf2" else 100 * GIB
    if node == "gf1":
        phase = "idle" if t < LOADING else "loading"
        left = 118 * GIB if t < LOADING else int((118 - 3 * (t - LOADING)) * GIB) if t < COLLAPSE else collapse(t)
    return NodeSample(
        t=t,
        node=node,
        phase=phase,  # type: ignore[arg-type]
        mem_total_bytes=int(121.7 * GIB),
        mem_available_bytes=left,
        mem_free_bytes=left - GIB,
        gpu_procs_bytes=118 * GIB - left,
        unified=True,
        swap_used_bytes=0,
        psi_some_pct=0.0,
        psi_full_pct=0.0,
        gpu_util_pct=96.0,
        power_w=61.0,
        temp_c=70.0,
        sm_mhz=2411.0,
        throttle="",
        rdma_rx_bytes=beat * 10**9,
        rdma_tx_bytes=beat * 10**9,
        alloc_stalls=0,
        heartbeat=beat,
    )


def store_collapse(path: Path, *, samples: Sequence[NodeSample] | None = None, silent: bool = False) -> int:
    """Store the campaign and return its number.

    Args:
        path: Of the store.
        samples: Instead of the recorded ones.
        silent: The node was not stopped in time: its agent was lost.
    """
    with closing(open_writable(path)) as db, db:
        db.execute("BEGIN")
        store = Store(db)
        campaign = store.insert(
            "campaign", name="race", profile_yaml=PROFILE, source="measured", created=T0, host="gf2", version="0.1.0",
            state="running",
        )  # fmt: skip
        _sweeps(store, campaign)
        recorded = [*samples_of("gf1", T0 - 5, LAST), *samples_of("gf2", T0 - 5, LAST + 20)]
        store.samples(campaign, recorded if samples is None else samples)
        _log(store, campaign, silent)
    return campaign


def _sweeps(store: Store, campaign: int) -> None:
    rest = {"campaign": campaign, "fingerprint": "{}", "commands": "[]"}
    solo = store.insert(
        "sweep", seq=0, topology="solo", state="done", launched=T0, ready=READY, stopped=OVER, **rest
    )  # fmt: skip
    store.insert("sweep", seq=1, topology="cluster-tp2", state="launching", launched=LOADING, **rest)
    for seq, level in enumerate((1, 16)):
        began = READY + seq * 100
        store.insert(
            "cell", sweep=solo, seq=seq, concurrency=level, pp=1, tg=1, depth=0, shape="waves", runs=1, state="done",
            started=began, ended=began + 100,
        )  # fmt: skip


def _log(store: Store, campaign: int, silent: bool) -> None:
    store.event(campaign, T0, "info", "runner", "started", "campaign started")
    warned = COLLAPSE + 5.9
    text = "gf1 has 20.0 GiB left while loading, at its stop floor of 16.0 GiB in 1.1 s, falling 3.5 GiB/s"
    store.event(campaign, warned + 0.1, "warning", "gf1", "guard-warn", text, t=warned, level="warn")
    if silent:
        lost = "gf1 last seen, 6.3 GiB left; silent for 5 s: it answers neither ping nor ssh"
        store.event(campaign, LAST + 5, "error", "gf1", "agent-lost", lost, t=LAST, silent_s=5.0)
    else:
        acted = "gf1 has 6.3 GiB left while loading, under its stop floor of 16.0 GiB: 3 processes killed"
        store.event(campaign, LAST + 0.2, "error", "gf1", "guard-stop", acted, t=LAST, left_bytes=int(6.27 * GIB))
