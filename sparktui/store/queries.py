"""The SQL that viewers read with. Each query can be answered from an index or from the newest rows alone."""

# ruff: noqa: S608 - the interpolated column lists are constants of this module and of the records
from __future__ import annotations

from dataclasses import fields
from typing import Literal

from sparktui.store.rows import (
    BriefSampleRow,
    CampaignRow,
    CellRow,
    ControlRow,
    KnownFigureRow,
    NodeRow,
    SweepNodeRow,
    SweepRow,
)
from sparktui.store.statements import (
    NODE_SAMPLE_COLUMNS,
    PROGRESS_COLUMNS,
    REQUEST_COLUMNS,
    SERVER_COLUMNS,
    WAVE_COLUMNS,
)

Owner = Literal["campaign", "sweep", "cell"]
CAMPAIGN_OF: dict[Owner, str] = {
    "campaign": "SELECT id FROM campaign WHERE id = ?",
    "sweep": "SELECT campaign FROM sweep WHERE id = ?",
    "cell": "SELECT campaign FROM sweep JOIN cell ON cell.sweep = sweep.id WHERE cell.id = ?",
}


def _columns(row: type[object]) -> str:
    return ", ".join(field.name for field in fields(row))  # type: ignore[arg-type]


_CAMPAIGN = f"SELECT {_columns(CampaignRow)} FROM campaign"
CAMPAIGNS = f"{_CAMPAIGN} ORDER BY id DESC"
NEWEST_CAMPAIGN = f"{_CAMPAIGN} ORDER BY id DESC LIMIT 1"
CAMPAIGN = f"{_CAMPAIGN} WHERE id = ?"
NODES = f"SELECT {_columns(NodeRow)} FROM node WHERE campaign = ? ORDER BY name"
SWEEPS = f"SELECT {_columns(SweepRow)} FROM sweep WHERE campaign = ? ORDER BY seq"
SWEEP_NODES = f"""SELECT {_columns(SweepNodeRow)} FROM sweep_node
    WHERE sweep IN (SELECT id FROM sweep WHERE campaign = ?) ORDER BY sweep, node"""
NODE_NEEDS = """SELECT node, left_before_bytes - least_left_bytes AS took_bytes, profile_yaml FROM sweep_node
    JOIN sweep ON sweep.id = sweep_node.sweep JOIN campaign ON campaign.id = sweep.campaign
    WHERE campaign.name = ? AND campaign.source = ? AND sweep.topology = ? AND sweep.ready IS NOT NULL
    AND sweep.state IN ('done', 'stopped') AND least_left_bytes <= left_before_bytes ORDER BY sweep.id DESC LIMIT 100"""
_CELL = f"SELECT {_columns(CellRow)} FROM cell"
CELLS = f"{_CELL} WHERE sweep = ? ORDER BY seq"
LAUNCH_SECONDS = """SELECT sweep.ready - sweep.launched FROM sweep JOIN campaign ON campaign.id = sweep.campaign
    WHERE campaign.name = ? AND campaign.source = ? AND campaign.id <> ? AND sweep.topology = ?
    AND sweep.ready > sweep.launched ORDER BY sweep.id DESC LIMIT 10"""
BACKEND_SHARES = """SELECT backend, count(*) FROM wave JOIN request ON request.wave = wave.id
    WHERE wave.cell = ? AND wave.warmup = 0 AND backend IS NOT NULL GROUP BY backend ORDER BY backend"""
WAVE_SECONDS = """SELECT wave.cell, wave.duration_us / 1e6 FROM wave JOIN cell ON cell.id = wave.cell
    JOIN sweep ON sweep.id = cell.sweep WHERE sweep.campaign = ? ORDER BY wave.id"""
WAVE_COUNTS = """SELECT wave.cell, count(*) FROM cell JOIN wave ON wave.cell = cell.id
    WHERE cell.sweep = ? AND warmup = 0 GROUP BY wave.cell"""
FAILED_CELLS = """SELECT DISTINCT cell.id FROM cell JOIN wave ON wave.cell = cell.id
    JOIN request ON request.wave = wave.id
    WHERE cell.sweep = ? AND cell.state = 'done' AND warmup = 0 AND error IS NOT NULL"""
COUNTED = """SELECT wave.cell, iif(count(prompt_tokens) = count(*), sum(prompt_tokens), NULL) AS prompt_tokens,
    iif(count(completion_tokens) = count(*), sum(completion_tokens), NULL) AS completion_tokens,
    count(error) AS failed
    FROM wave JOIN request ON request.wave = wave.id WHERE wave.cell = ? GROUP BY wave.cell"""
CELL = f"{_CELL} WHERE id = ?"
WITH_FIGURES = """SELECT id FROM campaign WHERE EXISTS (
    SELECT 1 FROM sweep JOIN cell ON cell.sweep = sweep.id WHERE sweep.campaign = campaign.id AND (
        EXISTS (SELECT 1 FROM wave WHERE wave.cell = cell.id AND NOT wave.warmup)
        OR EXISTS (SELECT 1 FROM known_figure WHERE known_figure.cell = cell.id)))"""
HOLDING = """
    WITH mine(id) AS (SELECT wave.id FROM sweep JOIN cell ON cell.sweep = sweep.id JOIN wave ON wave.cell = cell.id
        WHERE sweep.campaign = :campaign)
    SELECT (SELECT count(*) FROM mine) AS waves,
        (SELECT count(*) FROM mine JOIN request ON request.wave = mine.id) AS requests,
        (SELECT count(*) FROM node_sample WHERE campaign = :campaign) AS samples"""

KNOWN_FIGURES = f"SELECT {_columns(KnownFigureRow)} FROM known_figure WHERE cell = ? ORDER BY rowid"

WAVES = f"""
    SELECT id, cell, seq, warmup, {", ".join(WAVE_COLUMNS)} FROM wave
    WHERE cell = ? AND warmup <= ? ORDER BY warmup DESC, seq"""
STRETCHES = "SELECT stretch FROM wave WHERE cell = ? AND warmup = 0 AND stretch IS NOT NULL ORDER BY seq"

_UNREAD = ("events", "event_tokens")
REQUESTS = f"""
    SELECT wave, {", ".join(f"request.{name}" for name in REQUEST_COLUMNS if name not in _UNREAD)},
           iif(:events OR completion_tokens IS NULL OR shape = 'pool', events, x''),
           iif(:events OR completion_tokens IS NULL OR shape = 'pool', event_tokens, x'')
    FROM cell JOIN wave ON wave.cell = cell.id JOIN request ON request.wave = wave.id
    WHERE cell.id = :cell AND warmup <= :warmup ORDER BY wave, slot, request.seq"""
"""Without `:events`, the events only of requests whose tokens have to be counted from them: those of servers that do
not count, and of pool runs, of which a window cuts out a part."""

_LIVE = f"SELECT live.id, t, cell, wave_seq, warmup, {', '.join(f'live.{name}' for name in PROGRESS_COLUMNS)} FROM live"
LIVE_SINCE = f"{_LIVE} WHERE cell = ? AND id > ? ORDER BY id"
LATEST_LIVE = f"""
    {_LIVE} WHERE id = (
        SELECT max((SELECT max(id) FROM live WHERE live.cell = cell.id))
        FROM sweep JOIN cell ON cell.sweep = sweep.id WHERE sweep.campaign = ?)"""

_SAMPLE = f"SELECT id, campaign, {', '.join(NODE_SAMPLE_COLUMNS)} FROM node_sample"
NODE_SAMPLES_SINCE = f"{_SAMPLE} WHERE +campaign = ? AND id > ? AND id <= ? ORDER BY id"
"""The plus keeps SQLite from the index by campaign, whose every entry it would look at: new rows are few and last."""
ONE_NODES_SAMPLES_SINCE = f"{_SAMPLE} WHERE campaign = ? AND id > ? AND id <= ? AND node = ? ORDER BY id"
POWER_SAMPLES = """SELECT node, t, power_w, energy_j FROM node_sample
    WHERE campaign = ? AND t BETWEEN ? AND ? ORDER BY node, t"""
SAMPLES_BETWEEN = "SELECT count(*) FROM node_sample WHERE campaign = ? AND node = ? AND t BETWEEN ? AND ?"
LATEST_NODE_SAMPLES = f"""
    WITH RECURSIVE name(node) AS (
        SELECT min(node) FROM node_sample WHERE campaign = :campaign
        UNION ALL
        SELECT (SELECT min(node) FROM node_sample WHERE campaign = :campaign AND node > name.node)
        FROM name WHERE name.node IS NOT NULL)
    {_SAMPLE} WHERE id IN (
        SELECT (SELECT id FROM node_sample WHERE campaign = :campaign AND node = name.node ORDER BY t DESC LIMIT 1)
        FROM name)"""
"""From name to name through an index, instead of over every sample of a long campaign. By time, not by id: samples that
were fetched after a broken link have later ids than those that were taken after them."""

NODES_SAMPLED = """
    WITH RECURSIVE name(node) AS (
        SELECT min(node) FROM node_sample WHERE campaign = :campaign
        UNION ALL
        SELECT (SELECT min(node) FROM node_sample WHERE campaign = :campaign AND node > name.node)
        FROM name WHERE name.node IS NOT NULL)
    SELECT node, (SELECT min(t) FROM node_sample WHERE campaign = :campaign AND node = name.node),
        (SELECT max(t) FROM node_sample WHERE campaign = :campaign AND node = name.node)
    FROM name WHERE node IS NOT NULL"""
LAST_NODE_SAMPLES = f"{_SAMPLE} WHERE campaign = ? AND node = ? AND t <= ? ORDER BY t DESC LIMIT ?"
LEAST_LEFT = """
    SELECT count(*), t, min(mem_available_bytes), mem_free_bytes, gpu_procs_bytes, phase FROM node_sample
    WHERE campaign = ? AND node = ? AND t >= ? AND t < ?"""
"""All of it from the sample with the least: of a single min, SQLite takes the other columns from the row it is in."""
BRIEF_SAMPLES = f"""SELECT {_columns(BriefSampleRow)} FROM node_sample
    WHERE campaign = ? AND node = ? ORDER BY t"""
NEWEST_NODE_SAMPLE = "SELECT coalesce(max(id), 0) FROM node_sample"
EARLIEST_SINCE = "SELECT min(t) FROM node_sample WHERE +campaign = ? AND id > ?"

_SERVER = f"SELECT id, sweep, t, backend, {', '.join(SERVER_COLUMNS)} FROM server_sample"
SERVER_SAMPLES_SINCE = f"{_SERVER} WHERE sweep = ? AND id > ? ORDER BY id"
LATEST_SERVER_SAMPLES = f"{_SERVER} WHERE sweep = ? ORDER BY id DESC LIMIT 64"
"""More backends than 64 behind one router are not looked for."""

EVENTS_SINCE = """
    SELECT id, t, campaign, level, source, kind, text, data AS data_json FROM event
    WHERE campaign = ? AND id > ? ORDER BY id"""
CONTROLS = f"SELECT {_columns(ControlRow)} FROM control WHERE campaign = ? ORDER BY id"
LAUNCHED_LEFT = """
    SELECT id, campaign, sweep, t, node, title, pid, pid_started, undo AS undo_json, gone FROM launched
    WHERE campaign = ? AND gone IS NULL ORDER BY id DESC"""
