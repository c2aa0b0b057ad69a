"""The SQL that writes rows, built from the records' own field names so that schema and records cannot drift apart."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.load.messages import Progress
from sparktui.measure.record import RequestRecord, WaveRecord
from sparktui.measure.server_figures import ServerFigures
from sparktui.nodes.sample import NodeSample

REQUEST_COLUMNS = RequestRecord.__struct_fields__
PROGRESS_COLUMNS = Progress.__struct_fields__
NODE_SAMPLE_COLUMNS = NodeSample.__struct_fields__
SERVER_COLUMNS = ServerFigures.__struct_fields__
_SWEEP_NODE_COLUMNS = ("sweep", "node", "verdict", "left_before_bytes", "least_left_bytes", "most_gpu_bytes")
WAVE_COLUMNS = ("started", "duration_us", "clock", "lag_p50_us", "lag_p99_us", "worker_cpu", "arrival_error")


def _insert(table: str, columns: Sequence[str]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names from this module only


INSERT_CAMPAIGN = """
    INSERT INTO campaign (id, name, profile_yaml, source, created, host, version, state)
    SELECT 1 + max((SELECT coalesce(max(id), 0) FROM campaign), (SELECT coalesce(max(campaign), 0) FROM deleted)),
           ?, ?, ?, ?, ?, ?, ?"""
"""A number that was never given before."""
INSERT_NODE = _insert("node", ("campaign", "name", "facts_json"))
INSERT_SWEEP = _insert("sweep", ("campaign", "seq", "topology", "fingerprint", "commands", "state"))
INSERT_CELL = _insert("cell", ("sweep", "seq", "concurrency", "pp", "tg", "depth", "shape", "runs", "state"))
INSERT_WAVE = _insert("wave", ("cell", "seq", "warmup", *WAVE_COLUMNS, "stretch"))
INSERT_REQUEST = _insert("request", ("wave", *REQUEST_COLUMNS))
INSERT_LIVE = _insert("live", ("t", "cell", "wave_seq", "warmup", *PROGRESS_COLUMNS))
INSERT_NODE_SAMPLE = _insert("node_sample", ("campaign", *NODE_SAMPLE_COLUMNS))
ADD_NODE_SAMPLE = (
    f"INSERT INTO node_sample (campaign, {', '.join(NODE_SAMPLE_COLUMNS)}) "  # noqa: S608 - names from this module only
    f"SELECT {', '.join('?' * (1 + len(NODE_SAMPLE_COLUMNS)))} "
    "WHERE NOT EXISTS (SELECT 1 FROM node_sample WHERE campaign = ? AND node = ? AND t = ?)"
)
"""A node's file may be read again from its beginning: what it has said already is not added twice."""
INSERT_SERVER_SAMPLE = _insert("server_sample", ("sweep", "t", "backend", *SERVER_COLUMNS))
INSERT_KNOWN_FIGURE = _insert("known_figure", ("cell", "name", "mean", "std", "n", "per", "values_json"))
UPSERT_SWEEP_NODE = (
    _insert("sweep_node", _SWEEP_NODE_COLUMNS)
    + " ON CONFLICT (sweep, node) DO UPDATE SET "
    + ", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in _SWEEP_NODE_COLUMNS[2:])
)
INSERT_EVENT = _insert("event", ("t", "campaign", "level", "source", "kind", "text", "data"))
INSERT_CONTROL = _insert("control", ("t", "campaign", "command", "topology"))
PENDING_CONTROLS = """SELECT id, t, campaign, CAST(command AS BLOB), done, CAST(topology AS BLOB) FROM control
    WHERE campaign = ? AND done IS NULL ORDER BY id"""
"""As bytes: a text that is none in one row must not keep a stop in another from being read."""
INSERT_LAUNCHED = _insert("launched", ("campaign", "sweep", "t", "node", "title", "undo"))


def wave_values(record: WaveRecord, stretch: str | None = None) -> tuple[object, ...]:
    """Return a wave's own columns, in the order of WAVE_COLUMNS, and its stretch."""
    return (
        record.started_at,
        record.duration_us,
        record.clock,
        record.lag_p50_us,
        record.lag_p99_us,
        record.worker_cpu,
        record.arrival_error,
        stretch,
    )
