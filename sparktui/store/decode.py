"""Rows as SQLite returns them, checked and made into values: a foreign or damaged row raises, it never passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import msgspec

from sparktui.load.messages import Progress
from sparktui.measure.record import RequestRecord, WaveRecord
from sparktui.measure.server_figures import ServerFigures
from sparktui.nodes.sample import NodeSample
from sparktui.nodes.stretch import Stretch
from sparktui.store.condensed import EVENT_BYTES, TOKEN_BYTES, expand
from sparktui.store.rows import LiveRow, Moment, NodeSampleRow, ServerSampleRow, WaveRow
from sparktui.store.statements import (
    NODE_SAMPLE_COLUMNS,
    PROGRESS_COLUMNS,
    REQUEST_COLUMNS,
    SERVER_COLUMNS,
    WAVE_COLUMNS,
)

T = TypeVar("T")
Row = tuple[Any, ...]


def as_row(kind: type[T], row: Row) -> T:
    """Make a row into the dataclass that mirrors its table."""
    return msgspec.convert(dict(zip(_names(kind), row, strict=True)), kind)


def wave_row(wave: Row, requests: Sequence[Row]) -> WaveRow:
    """Make a wave and its requests into a record."""
    identity, cell, seq, warmup, started, *values = wave
    record = {
        "started_at": started,
        **dict(zip(WAVE_COLUMNS[1:], values, strict=True)),
        "requests": tuple(_request(row) for row in requests),
    }
    msgspec.convert(started, Moment)
    return WaveRow(identity, cell, seq, bool(warmup), msgspec.convert(record, WaveRecord))


def stretch_of(row: Row) -> Stretch:
    """Make what was stored with a wave into what it tells of its cell."""
    return msgspec.json.decode(row[0], type=Stretch)


def live_row(row: Row) -> LiveRow:
    """Make a picture of a wave in flight."""
    identity, t, cell, wave_seq, warmup, *values = row
    progress = msgspec.convert({"type": "progress", **dict(zip(PROGRESS_COLUMNS, values, strict=True))}, Progress)
    return LiveRow(identity, msgspec.convert(t, Moment), cell, wave_seq, bool(warmup), progress)


def node_sample_row(row: Row) -> NodeSampleRow:
    """Make one look at a node."""
    identity, campaign, *values = row
    sample = dict(zip(NODE_SAMPLE_COLUMNS, values, strict=True))
    msgspec.convert(sample["t"], Moment)
    if sample["unified"] is not None:
        sample["unified"] = bool(sample["unified"])
    return NodeSampleRow(identity, campaign, msgspec.convert(sample, NodeSample))


def server_sample_row(row: Row) -> ServerSampleRow:
    """Make one engine's own figures."""
    identity, sweep, t, backend, *values = row
    figures = msgspec.convert(dict(zip(SERVER_COLUMNS, values, strict=True)), ServerFigures)
    return ServerSampleRow(identity, sweep, msgspec.convert(t, Moment), backend, figures)


def _request(row: Row) -> RequestRecord:
    record = msgspec.convert(dict(zip(REQUEST_COLUMNS, row, strict=True)), RequestRecord)
    try:
        events, tokens = expand(record.events, EVENT_BYTES), expand(record.event_tokens, TOKEN_BYTES)
    except ValueError as error:
        raise msgspec.ValidationError(f"the token events of slot {record.slot} are cut off") from error
    plain = events is record.events and tokens is record.event_tokens
    return record if plain else msgspec.structs.replace(record, events=events, event_tokens=tokens)


def _names(kind: type[object]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
