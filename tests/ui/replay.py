"""A campaign of many hours, written into a store and looked at minute by minute, as fast as it can be drawn."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import psutil

from sparktui.load.messages import SLOT_DECODING
from sparktui.measure.record import pack_event_tokens, pack_events
from sparktui.ui.app import SparktuiApp
from sparktui.ui.messages import SnapshotTaken
from tests.ui.fixture_store import GIB, NOW, PP, TG, Race, build

STEP_S = 60
SAMPLE_HZ, LIVE_HZ = 2, 4
USERS = 16
MINUTES_A_CELL = 60


class Replayed(SparktuiApp):
    """Looks when it is told to, at a moment that it is told."""

    def __init__(self, store: Path, campaign: int) -> None:
        self.moment = NOW
        self.drawn = asyncio.Event()
        super().__init__(store, campaign, hz=0.001, clock=lambda: self.moment, folder=store.parent)

    def on_snapshot_taken(self, message: SnapshotTaken) -> None:
        self.call_after_refresh(self.drawn.set)


async def replay(folder: Path, minutes: int, keys: str = "2") -> AsyncIterator[int]:
    """Play a campaign of so many minutes; yield after each how many bytes the viewer's process holds."""
    store = folder / "sparktui.db"
    campaign = build(store, Race(finished_topologies=1, done_levels=4, done_waves=0, runs=MINUTES_A_CELL))
    app, process = Replayed(store, campaign), psutil.Process()
    async with app.run_test(size=(120, 40)) as pilot:
        with closing(sqlite3.connect(store, isolation_level=None)) as db:
            recording = Recording(db, campaign)
            for minute in range(minutes):
                recording.play(minute)
                app.moment = recording.t
                app.drawn.clear()
                app.look()
                async with asyncio.timeout(60):
                    await app.drawn.wait()
                if minute % 20 == 0:
                    await pilot.press(keys[minute // 20 % len(keys)])
                    gc.collect()
                yield int(process.memory_info().rss)


class Recording:
    """Writes what a runner would, a minute at a time."""

    def __init__(self, db: sqlite3.Connection, campaign: int) -> None:
        self.db = db
        self.campaign = campaign
        self.t = NOW
        self.tokens = 0
        (self.sweep,) = db.execute("SELECT id FROM sweep WHERE state = 'measuring'").fetchone()
        (self.cell,) = db.execute("SELECT id FROM cell WHERE state = 'measuring'").fetchone()

    def play(self, minute: int) -> None:
        """Write one minute: samples, pictures of the wave, the wave itself, a line of the log; hourly a new cell."""
        self.db.execute("BEGIN")
        if minute and minute % MINUTES_A_CELL == 0:
            self._next_cell(minute // MINUTES_A_CELL)
        self.db.executemany(_insert("node_sample", _SAMPLE), self._samples())
        self.db.executemany(_insert("live", _LIVE), self._live(minute))
        self._wave(minute % MINUTES_A_CELL)
        event = (self.t, self.campaign, "info", "solo", "note", f"minute {minute}", "{}")
        self.db.execute(_insert("event", ("t", "campaign", "level", "source", "kind", "text", "data")), event)
        self.db.execute("COMMIT")
        self.t += STEP_S

    def _next_cell(self, hour: int) -> None:
        self.db.execute("UPDATE cell SET state = 'done', ended = ? WHERE id = ?", (self.t, self.cell))
        names = ("sweep", "seq", "concurrency", "pp", "tg", "depth", "shape", "runs", "state", "started")
        values = (self.sweep, 100 + hour, 100 + hour, PP, TG, 0, "waves", MINUTES_A_CELL, "measuring", self.t)
        self.cell = int(self.db.execute(_insert("cell", names), values).lastrowid or 0)

    def _samples(self) -> list[tuple[object, ...]]:
        return [
            (self.campaign, self.t + beat / SAMPLE_HZ, node, "serving", int(121.7 * GIB), int((38 + beat % 7) * GIB),
             int(6.2 * GIB), int(79.9 * GIB), 1, 96.0, 61.0, 70.0, 2411.0, int(self.t * SAMPLE_HZ) + beat)
            for beat in range(STEP_S * SAMPLE_HZ)
            for node in ("gf1", "gf2")
        ]  # fmt: skip

    def _live(self, minute: int) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = []
        for step in range(STEP_S * LIVE_HZ):
            self.tokens += 50
            rows.append(
                (self.t + step / LIVE_HZ, self.cell, minute % MINUTES_A_CELL, 0, self.tokens, USERS, 0, 0, USERS, 0, 0,
                 bytes([SLOT_DECODING] * USERS), 1342.0, 2210.0, 51.0, 63.0, 18.0, 41.0, 0.11)
            )  # fmt: skip
        return rows

    def _wave(self, seq: int) -> None:
        names = ("cell", "seq", "warmup", "started", "duration_us", "clock", "lag_p50_us", "lag_p99_us", "worker_cpu")
        values = (self.cell, seq, 0, self.t, 50_000_000, "kernel", 18.0, 41.0, 0.11)
        wave = self.db.execute(_insert("wave", names), values).lastrowid
        gap = 300_000
        events = pack_events([1_000_000] + [gap] * (TG - 1)), pack_event_tokens([1] * TG)
        last = 1_000_000 + gap * (TG - 1)
        rest = (999_000, 1_000_000, last, last + 700, 1, PP, 0, TG, "token_ids", "length", *events)
        self.db.executemany(_insert("request", _REQUEST), [(wave, slot, 0, slot * 40, *rest) for slot in range(USERS)])


_SAMPLE = (
    "campaign", "t", "node", "phase", "mem_total_bytes", "mem_available_bytes", "mem_free_bytes", "gpu_procs_bytes",
    "unified", "gpu_util_pct", "power_w", "temp_c", "sm_mhz", "heartbeat",
)  # fmt: skip
_LIVE = (
    "t", "cell", "wave_seq", "warmup", "tokens", "prefilled", "waiting", "prefill", "active", "done", "failed", "slots",
    "ttft_p50_ms", "ttft_p95_ms", "itl_p50_ms", "itl_p95_ms", "lag_p50_us", "lag_p99_us", "worker_cpu",
)  # fmt: skip
_REQUEST = (
    "wave", "slot", "seq", "sent_us", "ttfr_us", "ttft_us", "last_us", "ended_us", "first_tokens", "prompt_tokens",
    "cached_tokens", "completion_tokens", "token_source", "finish", "events", "event_tokens",
)  # fmt: skip


def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
