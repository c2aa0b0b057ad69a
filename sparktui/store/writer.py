"""The runner's side of the store: every row is written here, on one thread of its own, never on the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

import msgspec

from sparktui.errors import StoreError
from sparktui.load.messages import Progress
from sparktui.measure.record import WaveRecord
from sparktui.measure.server_figures import ServerFigures
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.stretch import Stretch
from sparktui.store import statements as sql
from sparktui.store.connection import BUSY_TIMEOUT_S, Durability, open_writable, transaction
from sparktui.store.failures import store_errors
from sparktui.store.rows import CAMPAIGN_OVER, CELL_OVER, SWEEP_OVER, ControlRow
from sparktui.store.storable import storable

T = TypeVar("T")
Write = Callable[[sqlite3.Connection], T]


class Writer:
    """The one process that writes campaigns; open it with `await Writer.open(path)` and close it when done.

    Every method raises `StoreError` where the row could not be written. What a cancelled call had begun is still
    written whole.
    """

    def __init__(self, path: Path, patience_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self._patience_s = patience_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._connection: sqlite3.Connection | None = None
        self._closing = False

    @classmethod
    async def open(cls, path: Path, patience_s: float = BUSY_TIMEOUT_S) -> Self:
        """Open the store, making it where it is missing; `patience_s`: how long to wait for whoever has it locked."""
        writer = cls(path, patience_s)
        try:
            await asyncio.get_running_loop().run_in_executor(writer._thread, writer._connect)
        except BaseException:
            writer._thread.shutdown(wait=False)
            raise
        return writer

    async def close(self) -> None:
        """Close the file, after everything asked for before has been written; a second call does nothing."""
        if self._closing:
            return
        self._closing = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def create_campaign(
        self, *, name: str, profile_yaml: str, source: str, host: str, version: str, state: str = "queued"
    ) -> int:
        """Add a campaign and return its id; `source` is measured, simulated, published or imported."""
        values = (name, profile_yaml, source, time.time(), host, version, state)
        return await self._insert(sql.INSERT_CAMPAIGN, values)

    async def add_node(self, campaign: int, name: str, facts: Mapping[str, object]) -> None:
        """Add a node and what is known of it."""
        await self._insert(sql.INSERT_NODE, (campaign, name, _json(facts)))

    async def create_sweep(
        self, campaign: int, seq: int, topology: str, *, fingerprint: str, commands: Sequence[object] = ()
    ) -> int:
        """Add one topology's sweep, `waiting`, and return its id; `fingerprint` is `Fingerprint.to_json()`."""
        values = (campaign, seq, topology, fingerprint, _json(commands), "waiting")
        return await self._insert(sql.INSERT_SWEEP, values)

    async def create_cell(
        self, sweep: int, seq: int, *, concurrency: int, pp: int, tg: int, depth: int, runs: int, shape: str = "waves"
    ) -> int:
        """Add one cell, `waiting`, and return its id; `runs` does not count warm-up waves."""
        return await self._insert(sql.INSERT_CELL, (sweep, seq, concurrency, pp, tg, depth, shape, runs, "waiting"))

    async def set_campaign_source(self, campaign: int, source: str) -> None:
        """Say whose figures these are, where that turns out otherwise than its profile let expect."""
        await self._update("UPDATE campaign SET source = ? WHERE id = ?", (source, campaign))

    async def set_campaign_state(
        self, campaign: int, state: str, *, exit_code: int | None = None, detail: str | None = None
    ) -> None:
        """Say how a campaign stands; a state that ends it also sets `finished`, any other clears it."""
        finished = time.time() if state in CAMPAIGN_OVER else None
        await self._update(
            "UPDATE campaign SET state = ?, finished = ?, exit_code = ?, detail = ? WHERE id = ?",
            (state, finished, exit_code, detail, campaign),
        )

    async def set_sweep_state(
        self, sweep: int, state: str, *, error: str | None = None, proof: Sequence[object] | None = None
    ) -> None:
        """Say how a sweep stands; launching, the first state after it, and the end each leave their time."""
        now = time.time()
        await self._update(
            """UPDATE sweep SET state = :state, error = coalesce(:error, error), proof = coalesce(:proof, proof),
               launched = CASE WHEN :state = 'launching' THEN :now ELSE launched END,
               ready = CASE WHEN :state = 'launching' THEN NULL
                            WHEN :state IN ('warming', 'measuring') THEN coalesce(ready, :now) ELSE ready END,
               stopped = CASE WHEN :over THEN :now WHEN :state = 'launching' THEN NULL ELSE stopped END
               WHERE id = :id""",
            {
                "state": state,
                "error": error,
                "proof": None if proof is None else _json(proof),
                "now": now,
                "over": state in SWEEP_OVER,
                "id": sweep,
            },
        )

    async def set_sweep_facts(
        self, sweep: int, *, fingerprint: str | None = None, commands: Sequence[object] | None = None
    ) -> None:
        """Replace what a sweep says of itself, once the engine has told its version or the commands have run."""
        await self._update(
            "UPDATE sweep SET fingerprint = coalesce(?, fingerprint), commands = coalesce(?, commands) WHERE id = ?",
            (fingerprint, None if commands is None else _json(commands), sweep),
        )

    async def set_sweep_latency(self, sweep: int, mode: str, latency_us: float | None) -> None:
        """Note how fast the idle server answered, and what it was asked; None where it did not."""
        await self._update("UPDATE sweep SET latency_mode = ?, latency_us = ? WHERE id = ?", (mode, latency_us, sweep))

    async def set_cell_state(
        self,
        cell: int,
        state: str,
        *,
        taint: str | None = None,
        ended_by: str | None = None,
        server_tokens: float | None = None,
        server_prompt_tokens: float | None = None,
    ) -> None:
        """Say how a cell stands; `taint` is why it cannot win, `ended_by` why it has fewer waves than planned."""
        await self._update(
            """UPDATE cell SET state = :state, taint = :taint, ended_by = :ended_by,
               server_tokens = coalesce(:tokens, server_tokens),
               server_prompt_tokens = coalesce(:prompt_tokens, server_prompt_tokens),
               started = CASE WHEN :state = 'measuring' THEN coalesce(started, :now) ELSE started END,
               ended = CASE WHEN :over THEN :now ELSE NULL END
               WHERE id = :id""",
            {
                "state": state,
                "taint": taint,
                "ended_by": ended_by,
                "tokens": server_tokens,
                "prompt_tokens": server_prompt_tokens,
                "now": time.time(),
                "over": state in CELL_OVER,
                "id": cell,
            },
        )

    async def set_cell_health(self, cell: int, health: str) -> None:
        """Note how the nodes were while a cell was measured, as JSON."""
        await self._update("UPDATE cell SET health = ? WHERE id = ?", (health, cell))

    async def set_sweep_node(
        self,
        sweep: int,
        node: str,
        *,
        verdict: str | None = None,
        left_before_bytes: int | None = None,
        least_left_bytes: int | None = None,
        most_gpu_bytes: int | None = None,
    ) -> None:
        """Note what is known of a node under a topology; what is None stays as it was."""
        values = (sweep, node, verdict, left_before_bytes, least_left_bytes, most_gpu_bytes)
        await self._write("FULL", lambda connection: _nothing(connection.execute(sql.UPSERT_SWEEP_NODE, values)))

    async def commit_wave(
        self, cell: int, seq: int, warmup: bool, record: WaveRecord, stretch: Stretch | None = None
    ) -> int:
        """Write a wave with all its requests and return its id: when this returns it is on disk, whole.

        `stretch`: what was known by its end of whatever else may keep its cell from winning.
        """
        about = None if stretch is None else _json(stretch)

        def write(connection: sqlite3.Connection) -> int:
            wave = _inserted(connection, sql.INSERT_WAVE, (cell, seq, warmup, *sql.wave_values(record, about)))
            rows = ((wave, *(getattr(r, name) for name in sql.REQUEST_COLUMNS)) for r in record.requests)
            connection.executemany(sql.INSERT_REQUEST, rows)
            return wave

        return await self._write("FULL", write)

    async def add_live(self, cell: int, wave_seq: int, warmup: bool, progress: Progress, t: float | None = None) -> int:
        """Add a picture of the wave in flight and return its id."""
        when = time.time() if t is None else t
        values = (when, cell, wave_seq, warmup, *(getattr(progress, name) for name in sql.PROGRESS_COLUMNS))
        return await self._insert(sql.INSERT_LIVE, values, "NORMAL")

    async def add_node_samples(self, campaign: int, samples: Sequence[NodeSample]) -> list[NodeSample]:
        """Add what the agents have reported, and return what of it was not there yet."""

        def write(connection: sqlite3.Connection) -> list[NodeSample]:
            return [sample for sample in storable(samples) if _add_node_sample(connection, campaign, sample)]

        return await self._write("NORMAL", write) if samples else []

    async def add_server_sample(self, sweep: int, backend: str, figures: ServerFigures, t: float | None = None) -> None:
        """Add what an engine said about itself."""
        when = time.time() if t is None else t
        values = (sweep, when, backend, *(getattr(figures, name) for name in sql.SERVER_COLUMNS))
        await self._insert(sql.INSERT_SERVER_SAMPLE, values, "NORMAL")

    async def add_event(
        self, campaign: int, level: str, source: str, kind: str, text: str, data: Mapping[str, object] | None = None
    ) -> int:
        """Add one line of the campaign's log and return its id; `level` is info, warning or error."""
        return await self._insert(
            sql.INSERT_EVENT, (time.time(), campaign, level, source, kind, text, _json(data or {}))
        )

    async def pending_controls(self, campaign: int) -> list[ControlRow]:
        """Return what viewers have asked for and nobody has done, oldest first."""
        return await self._run(
            lambda connection: [
                ControlRow(number, t, of, _decoded(command) or "", done, _decoded(topology))
                for number, t, of, command, done, topology in connection.execute(sql.PENDING_CONTROLS, (campaign,))
            ]
        )

    async def finish_control(self, control: int) -> None:
        """Mark a command as done."""
        await self._update("UPDATE control SET done = ? WHERE id = ?", (time.time(), control))

    async def add_launched(
        self,
        campaign: int,
        node: str,
        title: str,
        *,
        sweep: int | None = None,
        undo: Sequence[str] = (),
    ) -> int:
        """Note, on disk, something that a crash would leave behind; return its id."""
        values = (campaign, sweep, time.time(), node, title, _json(undo))
        return await self._insert(sql.INSERT_LAUNCHED, values)

    async def set_launched_pid(self, launched: int, pid: int, pid_started: float | None) -> None:
        """Note the process group that it has become, and when that was started."""
        await self._update("UPDATE launched SET pid = ?, pid_started = ? WHERE id = ?", (pid, pid_started, launched))

    async def mark_gone(self, launched: int) -> None:
        """Note that it has been removed."""
        await self._update("UPDATE launched SET gone = ? WHERE id = ?", (time.time(), launched))

    async def _insert(self, statement: str, values: Sequence[object], durability: Durability = "FULL") -> int:
        return await self._write(durability, lambda connection: _inserted(connection, statement, values))

    async def _update(self, statement: str, values: Sequence[object] | Mapping[str, object]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            if connection.execute(statement, values).rowcount != 1:
                raise StoreError(f"the store {self.path} has no such row any more", "was the campaign deleted?")

        await self._write("FULL", write)

    async def _write(self, durability: Durability, write: Write[T]) -> T:
        def whole(connection: sqlite3.Connection) -> T:
            with transaction(connection, durability):
                return write(connection)

        return await self._run(whole)

    async def _run(self, work: Write[T]) -> T:
        def on_thread() -> T:
            if self._connection is None:
                raise StoreError(f"the store {self.path} is closed")
            with store_errors(self.path):
                done = work(self._connection)
            # A cursor freed on another thread resets its statement while this thread may be running it again.
            assert not isinstance(done, sqlite3.Cursor)
            return done

        try:
            done = asyncio.get_running_loop().run_in_executor(self._thread, on_thread)
        except RuntimeError as error:
            raise StoreError(f"the store {self.path} is closed") from error
        return await done

    def _connect(self) -> None:
        self._connection = open_writable(self.path, self._patience_s)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _inserted(connection: sqlite3.Connection, statement: str, values: Sequence[object]) -> int:
    row = connection.execute(statement, values).lastrowid
    assert row is not None
    return row


def _add_node_sample(connection: sqlite3.Connection, campaign: int, sample: NodeSample) -> bool:
    """Add a sample; return whether it was not there."""
    values = (getattr(sample, name) for name in sql.NODE_SAMPLE_COLUMNS)
    key = (campaign, sample.node, sample.t)
    return connection.execute(sql.ADD_NODE_SAMPLE, (campaign, *values, *key)).rowcount > 0


def _decoded(text: bytes | None) -> str | None:
    return None if text is None else bytes(text).decode(errors="replace")


def _nothing(_: sqlite3.Cursor) -> None:
    """Let a cursor go on the thread that it belongs to."""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
