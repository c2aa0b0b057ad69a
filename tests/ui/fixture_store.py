"""A recorded-looking campaign in a real store: four topologies with the published figures, live rows, nodes, events.

Tests and screenshots read it through the same reader as the app. Everything is derived from `NOW`; nothing is random
twice the same way by accident: the generator is seeded.
"""

from __future__ import annotations

import json
import math
import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sparktui.load.messages import SLOT_DECODING, SLOT_FAILED, SLOT_PREFILL
from sparktui.measure.record import pack_event_tokens, pack_events
from sparktui.store.connection import open_writable, transaction

NOW = 1_764_000_000.0
"""The moment at which every picture is taken, seconds since the epoch."""
GIB = 1024**3
LEVELS = (1, 2, 4, 8, 16, 32, 64)
PP, TG = 1024, 128

PUBLISHED: dict[str, dict[str, tuple[float, ...]]] = {
    "solo": {
        "decode": (38.68, 65.97, 100.44, 152.36, 210.95, 281.92, 355.73),
        "prefill": (4807, 6204, 6478, 6965, 7191, 7264, 7177),
        "ttft": (223, 328, 540, 1081, 1810, 3091, 5431),
    },
    "cluster-tp2": {
        "decode": (57.93, 98.16, 148.26, 222.59, 304.03, 382.8, 477.77),
        "prefill": (6034, 7312, 7651, 8487, 9015, 9147, 9165),
        "ttft": (181, 269, 417, 858, 1361, 2330, 4125),
    },
    "cluster-tp2-ray": {
        "decode": (53.64, 92.5, 141.75, 216.32, 297.85, 378.3, 470.32),
        "prefill": (5990, 7280, 7600, 8400, 8960, 9100, 9120),
        "ttft": (184, 272, 421, 866, 1370, 2344, 4150),
    },
    "shuffle": {
        "decode": (39.59, 72.74, 100.65, 160.54, 245.31, 342.53, 508.09),
        "prefill": (4474, 7272, 7669, 9655, 10172, 11573, 12989),
        "ttft": (249, 282, 536, 656, 1166, 1888, 3168),
    },
}
"""tok/s, tok/s and ms at c1..c64; prefill and TTFT of the Ray cluster were never published and are made up here."""

PROFILE_YAML = """\
# The published race, as the fixture plays it.
name: gemma4-26b-a4b
description: Gemma4 26B A4B on two nodes, simulated
nodes:
  gf1: {host: simulated, address: 10.0.0.1, fragile: true}
  gf2: {host: simulated, address: 10.0.0.2}
model: {id: google/gemma-4-26B-A4B-it, weights_gib: 25.67}
serving: {launcher: simulated}
topologies:
  solo: {kind: solo, nodes: [gf2]}
  cluster-tp2: {kind: cluster, nodes: [gf2, gf1]}
  cluster-tp2-ray: {kind: cluster, nodes: [gf2, gf1], distributed: ray}
  shuffle: {kind: replicas, nodes: [gf1, gf2], router: {node: gf1}}
workload: {pp: 1024, tg: 128, concurrency: [1, 2, 4, 8, 16, 32, 64], runs: 5}
"""


@dataclass(frozen=True, slots=True)
class Race:
    """How far the recorded race has come."""

    finished_topologies: int = 2
    """Measured to the end; the next one is under way unless all are finished."""
    done_levels: int = 4
    """Levels done of the one under way."""
    done_waves: int = 2
    """Waves done of the level under way."""
    runs: int = 5
    source: str = "simulated"
    stalled_s: float = 0.0
    """How long ago the last live row and node sample were written."""
    state: str = "running"


FINISHED = Race(finished_topologies=len(PUBLISHED), state="done")


def build(path: Path, race: Race | None = None) -> int:
    """Make the store and return the campaign's number."""
    race = race or Race()
    with closing(open_writable(path)) as db, transaction(db, "NORMAL"):
        return _Recording(db, race).play()


class _Recording:
    """Writes one campaign, row by row, as a runner would have."""

    def __init__(self, db: sqlite3.Connection, race: Race) -> None:
        self.db = db
        self.race = race
        self.random = random.Random(26)
        self.began = NOW - 3 * 3600
        self.t = self.began

    def insert(self, table: str, **values: object) -> int:
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))
        return int(cursor.lastrowid or 0)

    def play(self) -> int:
        over = self.race.state != "running"
        self.campaign = self.insert(
            "campaign", name="gemma4-26b-a4b", profile_yaml=PROFILE_YAML, source=self.race.source, created=self.began,
            finished=NOW - 40 if over else None, host="gf2", version="0.1.0", state=self.race.state,
            exit_code=0 if over else None, detail="every topology was measured" if over else None,
        )  # fmt: skip
        for node in ("gf1", "gf2"):
            facts = {"name": node, "gpu": "NVIDIA GB10", "driver": "580.95.05"}
            self.insert("node", campaign=self.campaign, name=node, facts_json=json.dumps(facts))
        self.event("info", "runner", "started", "campaign started: 4 topologies, c1 to c64, pp1024 tg128")
        for seq, topology in enumerate(PUBLISHED):
            self.sweep(seq, topology)
        if over:
            self.event("info", "runner", "finished", "campaign done: cluster-tp2 wins decode up to c32, shuffle at c64")
        self.nodes()
        return self.campaign

    def event(self, level: str, source: str, kind: str, text: str, **data: object) -> None:
        self.insert(
            "event", t=self.t, campaign=self.campaign, level=level, source=source, kind=kind, text=text,
            data=json.dumps(data),
        )  # fmt: skip

    def sweep(self, seq: int, topology: str) -> None:
        finished = seq < self.race.finished_topologies
        current = seq == self.race.finished_topologies
        state = "done" if finished else "measuring" if current else "waiting"
        sweep = self.insert(
            "sweep", campaign=self.campaign, seq=seq, topology=topology, fingerprint="{}",
            commands="[]", state=state, launched=self.t if finished or current else None,
            ready=self.t + 192 if finished or current else None,
        )  # fmt: skip
        if finished or current:
            self.event("info", "runner", "launched", f"{topology} launching")
            self.t += 192
            self.event("info", topology, "ready", f"{topology} ready after 3 m 12 s")
        for index, level in enumerate(LEVELS):
            done = finished or (current and index < self.race.done_levels)
            self.cell(sweep, index, topology, level, done, current and index == self.race.done_levels)
        if finished:
            self.db.execute("UPDATE sweep SET stopped = ?, proof = '{}' WHERE id = ?", (self.t, sweep))
            self.event("info", topology, "stopped", f"{topology} stopped, nothing left behind")

    def cell(self, sweep: int, seq: int, topology: str, level: int, done: bool, current: bool) -> None:
        state = "done" if done else "measuring" if current else "waiting"
        cell = self.insert(
            "cell", sweep=sweep, seq=seq, concurrency=level, pp=PP, tg=TG, depth=0, shape="waves", runs=self.race.runs,
            state=state, started=self.t if done or current else None,
        )  # fmt: skip
        waves = self.race.runs if done else self.race.done_waves if current else 0
        if waves:
            self.wave(cell, 0, topology, seq, level, warmup=True)
        for number in range(waves):
            self.wave(cell, number, topology, seq, level)
        if done:
            self.db.execute("UPDATE cell SET ended = ? WHERE id = ?", (self.t, cell))
            decode = PUBLISHED[topology]["decode"][seq]
            self.event("info", topology, "cell-done", f"{topology} c{level}: {decode:.1f} tok/s decode")
        if current and self.race.state == "running":
            self.live(cell, sweep, topology, seq, level)

    def wave(self, cell: int, seq: int, topology: str, index: int, level: int, warmup: bool = False) -> None:
        figures = PUBLISHED[topology]
        jitter = 1 + self.random.gauss(0, 0.004)
        ttft_ms = figures["ttft"][index] * jitter
        longest_ms = max(ttft_ms, level * PP / figures["prefill"][index] * 1000 * jitter)
        shortest_ms = max(1.0, 2 * ttft_ms - longest_ms)
        decode_s = level * (TG - 1) / (figures["decode"][index] * jitter)
        wave = self.insert(
            "wave", cell=cell, seq=seq, warmup=int(warmup), started=self.t,
            duration_us=int(shortest_ms * 1000 + decode_s * 1e6), clock="kernel", lag_p50_us=18.0, lag_p99_us=41.0,
            worker_cpu=0.11,
        )  # fmt: skip
        for slot in range(level):
            share = slot / (level - 1) if level > 1 else 0.5
            first_us = int((shortest_ms + share * (longest_ms - shortest_ms)) * 1000)
            self.request(wave, slot, first_us, int(shortest_ms * 1000 + decode_s * 1e6))
        self.t += shortest_ms / 1000 + decode_s

    def request(self, wave: int, slot: int, first_us: int, last_us: int) -> None:
        gap = max(1, (last_us - first_us) // (TG - 1))
        self.insert(
            "request", wave=wave, slot=slot, seq=0, sent_us=slot * 40, ttfr_us=first_us - 900, ttft_us=first_us,
            last_us=first_us + gap * (TG - 1), ended_us=first_us + gap * (TG - 1) + 700, first_tokens=1,
            prompt_tokens=PP, cached_tokens=0, completion_tokens=TG, token_source="token_ids", finish="length",
            events=pack_events([first_us] + [gap] * (TG - 1)), event_tokens=pack_event_tokens([1] * TG),
        )  # fmt: skip

    def live(self, cell: int, sweep: int, topology: str, index: int, level: int) -> None:
        figures = PUBLISHED[topology]
        seconds, hz = 150, 4
        prefill_s = level * PP / figures["prefill"][index]
        wave_s = prefill_s + level * (TG - 1) / figures["decode"][index]
        tokens, prefilled = 0.0, 0.0
        for step in range(seconds * hz):
            into = (step / hz) % wave_s
            decoding = into > prefill_s * 0.9
            active = level if decoding else math.floor(level * into / prefill_s)
            tokens += figures["decode"][index] / hz * (active / level) * (1 + self.random.gauss(0, 0.02))
            prefilled += 0 if decoding else level / prefill_s / hz
            last = step == seconds * hz - 1
            slots = bytes([SLOT_DECODING] * active + [SLOT_PREFILL] * (level - active))
            if last:
                slots = (
                    bytes([SLOT_DECODING] * (level - 3) + [SLOT_PREFILL] * 2 + [SLOT_FAILED]) if level > 4 else slots
                )
            self.insert(
                "live", t=NOW - seconds - self.race.stalled_s + step / hz, cell=cell, wave_seq=self.race.done_waves,
                warmup=0, tokens=int(tokens), prefilled=int(prefilled), waiting=0, prefill=slots.count(SLOT_PREFILL),
                active=slots.count(SLOT_DECODING), done=0, failed=slots.count(SLOT_FAILED), slots=slots,
                ttft_p50_ms=figures["ttft"][index] * (1 + self.random.gauss(0, 0.02)),
                ttft_p95_ms=figures["ttft"][index] * 1.6, ttft_max_ms=figures["ttft"][index] * 1.7,
                itl_p50_ms=1000 * level / figures["decode"][index],
                itl_p95_ms=1240 * level / figures["decode"][index], itl_max_ms=1700 * level / figures["decode"][index],
                stream_p5_tps=0.85 * figures["decode"][index] / level,
                stream_p50_tps=0.93 * figures["decode"][index] / level,
                stream_p95_tps=0.97 * figures["decode"][index] / level,
                lag_p50_us=18.0, lag_p99_us=41.0, worker_cpu=0.11,
            )  # fmt: skip
            if step % 4 == 0:
                self.server(sweep, NOW - seconds - self.race.stalled_s + step / hz, level, tokens)

    def server(self, sweep: int, t: float, level: int, tokens: float) -> None:
        self.insert(
            "server_sample", sweep=sweep, t=t, backend="gf2", running=float(level - 1), waiting=0.0, kv_pct=4.1,
            prompt_tokens=1.0e6, generation_tokens=2.0e5 + tokens, preemptions=0.0, prefix_queries=1.0e6,
            prefix_hits=0.0,
        )  # fmt: skip

    def nodes(self) -> None:
        for node, left, held, base in (("gf1", 38.1, 79.9, 61.0), ("gf2", 41.7, 77.2, 63.0)):
            for second in range(60):
                wobble = self.random.gauss(0, 0.5)
                self.insert(
                    "node_sample", campaign=self.campaign, t=NOW - 60 + second - self.race.stalled_s, node=node,
                    phase="serving", mem_total_bytes=int(121.7 * GIB),
                    mem_available_bytes=int((left + (59 - second) * 0.004) * GIB), mem_free_bytes=int(6.2 * GIB),
                    gpu_procs_bytes=int(held * GIB), unified=1, swap_used_bytes=0, psi_some_pct=0.0, psi_full_pct=0.0,
                    order9_free=812, gpu_util_pct=96.0, power_w=base + wobble, temp_c=70.0, sm_mhz=2411.0,
                    rdma_link_gbps=200.0,
                    rdma_rx_bytes=int(1.9e9 * second), rdma_tx_bytes=int(1.9e9 * second), nvml_ms=2.1,
                    heartbeat=second,
                )  # fmt: skip
