"""The figures of the moment as rows for a file: the wave in flight, the nodes and the engines, or what it came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

from sparktui.live.values import Engine, Wave
from sparktui.load.messages import SLOT_DECODING, SLOT_DONE, SLOT_FAILED, SLOT_PREFILL, SLOT_WAITING
from sparktui.ui.compare_rows import compare_rows
from sparktui.ui.node_values import Node
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.table_shown import TableShown, Value

COLUMNS = ("what", "of", "figure", "value")
"""A figure's name ends in its unit: `ttft_p50_ms`, `mem_available_bytes`; `tps` is tokens a second."""
SLOTS = {
    "waiting": SLOT_WAITING,
    "prefill": SLOT_PREFILL,
    "decoding": SLOT_DECODING,
    "done": SLOT_DONE,
    "failed": SLOT_FAILED,
}

FigureRow = tuple[Value, ...]


def live_rows(snapshot: Snapshot) -> TableShown | None:
    """Return every figure on the screen; once the race is over its tables; None while nothing is open."""
    if snapshot.campaign is None:
        return None
    if not snapshot.campaign.running:
        return compare_rows(snapshot.comparison)
    rows = [*_wave(snapshot.wave)]
    rows += [row for node in snapshot.nodes for row in _figures("node", node.name, node)]
    rows += [row for engine in snapshot.engines for row in _figures("engine", engine.backend, engine)]
    return TableShown(COLUMNS, tuple(rows), _facts(snapshot))


def _facts(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    stamps = () if snapshot.clock is None else (("time stamps from", snapshot.clock),)
    return (("rates over", "the last 2 seconds"), *stamps)


def _wave(wave: Wave | None) -> Iterator[FigureRow]:
    if wave is None:
        return
    of = f"{wave.topology} c{wave.concurrency}"
    yield from _figures("wave", of, wave)
    counts = Counter(wave.slots)
    yield from (("wave", of, f"requests_{name}", counts[state]) for name, state in SLOTS.items())


def _figures(what: str, of: str, source: Wave | Node | Engine) -> Iterator[FigureRow]:
    """Return what a value tells, field by field; what is no single number or word is left out."""
    for field in fields(source):
        value = getattr(source, field.name)
        if isinstance(value, bool):
            value = "yes" if value else "no"
        if value is None or isinstance(value, (str, int, float)):
            yield what, of, field.name, value
