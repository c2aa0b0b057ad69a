"""The flight recorder as data: units in the names, moments as seconds since the epoch, unknown as null."""

from __future__ import annotations

from typing import Any

import msgspec

from sparktui.nodes.history import ClosestCall, Episode, LastWords, Mark, Run
from sparktui.recorder.flight import Flight, NodeFlight

FORMAT = "sparktui.nodes.v1"


def to_json(flight: Flight) -> dict[str, Any]:
    """Return a flight as JSON can hold it."""
    row = flight.campaign
    return {
        "format": FORMAT,
        "campaign": {"id": row.id, "name": row.name, "source": row.source, "state": row.state},
        "window": {"start": flight.window.start, "end": flight.window.end},
        "focus": None if flight.focus is None else _mark(flight.focus),
        "troubles": [_mark(mark) for mark in flight.troubles],
        "marks": [_mark(mark) for mark in flight.marks],
        "nodes": [_node(flight, node) for node in flight.nodes],
    }


def _node(flight: Flight, node: NodeFlight) -> dict[str, Any]:
    return {
        "name": node.node,
        "fragile": node.fragile,
        "last_words": _words(node.words),
        "limits": msgspec.to_builtins(node.limits),
        "closest": [_closest(call) for call in node.closest],
        "episodes": [_episode(episode) for episode in flight.episodes if episode.node == node.node],
        "columns": [None if column is None else msgspec.to_builtins(column) for column in node.columns],
        "samples": [msgspec.to_builtins(sample) for sample in node.samples],
    }


def _words(words: LastWords) -> dict[str, Any]:
    return {
        "text": str(words),
        "t": words.t,
        "left_bytes": words.left_bytes,
        "slope_bytes_s": words.slope_bytes_s,
        "phase": words.phase,
        **_run(words.run),
        "warned_before_s": words.warned_before_s,
        "silent": words.silent,
    }


def _closest(call: ClosestCall) -> dict[str, Any]:
    return {"text": str(call), "t": call.t, "left_bytes": call.left_bytes, **_run(call.run)}


def _run(run: Run | None) -> dict[str, Any]:
    return {
        "topology": None if run is None else run.topology,
        "concurrency": None if run is None else run.concurrency,
    }


def _episode(episode: Episode) -> dict[str, Any]:
    ended = episode.ended or None
    return {"start": episode.start, "end": episode.end, "ended": ended, "text": episode.text}


def _mark(mark: Mark) -> dict[str, Any]:
    return {"t": mark.t, "level": mark.level, "source": mark.source, "kind": mark.kind, "text": mark.text}
