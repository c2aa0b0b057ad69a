"""Which node samples of a campaign that is over nothing is read from any more."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sparktui.compare.energy import PowerSample, sampled_span, wave_window
from sparktui.compare.meter import serving_nodes
from sparktui.compare.thinning import Span, needed, tells_the_same
from sparktui.errors import UsageError
from sparktui.nodes.history import troubles
from sparktui.recorder.flight import SAMPLES, Records
from sparktui.store.reader import Reader
from sparktui.store.rows import BriefSampleRow, CampaignRow

PART_S = 10.0
"""Of each such part the sample with the least left stays: the line of a node's memory keeps its dips."""
BEFORE_S, AFTER_S = 600.0, 60.0
"""Around whatever went wrong everything stays: it is evidence."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """One cell: what served it, and when its waves ran."""

    nodes: tuple[str, ...]
    span: Span
    windows: tuple[Span, ...]


def superfluous_samples(reader: Reader, campaign: CampaignRow) -> list[int]:
    """Return the ids of the samples without which every figure is the same."""
    try:
        records = Records(reader, campaign.id)
    except UsageError:
        return []
    measured = list(_measured(reader, campaign))
    evidence = [(mark.t - BEFORE_S, mark.t + AFTER_S) for mark in troubles(records.marks)]
    found: list[int] = []
    for node in records.spans:
        rows = records.history.brief(node)
        stay = {row.t for row in (rows[0], *rows[-SAMPLES:], *_least_left(rows), *_within(rows, evidence))}
        stay |= {call.t for call in records.closest_calls(node)}
        found += _without(rows, stay, [cell for cell in measured if node in cell.nodes])
    return found


def _measured(reader: Reader, campaign: CampaignRow) -> Iterator[_Measured]:
    for sweep in reader.sweeps(campaign.id):
        nodes = serving_nodes(campaign.profile_yaml, sweep.topology)
        for cell in reader.cells(sweep.id):
            if waves := [wave.record for wave in reader.waves(cell.id, warmup=False)]:
                yield _Measured(nodes, sampled_span(waves), tuple(map(wave_window, waves)))


def _without(rows: Sequence[BriefSampleRow], stay: set[float], cells: Sequence[_Measured]) -> list[int]:
    parts = [(cell, [PowerSample(row.t, row.power_w, row.energy_j) for row in _in(rows, cell.span)]) for cell in cells]
    for cell, samples in parts:
        stay |= needed(samples, cell.windows) if samples else frozenset()
    for cell, samples in parts:  # what stays for another reason must not change it either
        if samples and not tells_the_same(samples, stay, cell.windows):
            stay |= {sample.t for sample in samples}
    return [row.id for row in rows if row.t not in stay]


def _least_left(rows: Sequence[BriefSampleRow]) -> Iterator[BriefSampleRow]:
    parts: dict[int, BriefSampleRow] = {}
    for row in rows:
        least = parts.setdefault(int(row.t / PART_S), row)
        if row.mem_available_bytes is not None and (
            least.mem_available_bytes is None or row.mem_available_bytes < least.mem_available_bytes
        ):
            parts[int(row.t / PART_S)] = row
    yield from parts.values()


def _within(rows: Sequence[BriefSampleRow], spans: Sequence[Span]) -> Iterator[BriefSampleRow]:
    for span in spans:
        yield from _in(rows, span)


def _in(rows: Sequence[BriefSampleRow], span: Span) -> Sequence[BriefSampleRow]:
    start, end = span
    first = bisect_left(rows, start, key=lambda row: row.t)
    return rows[first : bisect_right(rows, end, key=lambda row: row.t)]
