"""CSV with one row a figure: for a data frame or a spreadsheet's pivot table."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sparktui.compare.cells import MeasuredCell
from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.origin import read_origin
from sparktui.exporting.csv_lines import csv_line
from sparktui.exporting.subject import Subject
from sparktui.measure.cell import Figure
from sparktui.store.rows import SweepRow
from sparktui.visible import visible_json

COLUMNS = (
    "campaign",
    "name",
    "source",
    "sparktui",
    "topology",
    "pp",
    "tg",
    "depth",
    "shape",
    "concurrency",
    "metric",
    "unit",
    "better",
    "per",
    "mean",
    "std",
    "n",
    "calculator",
    "token_source",
    "clock",
    "state",
    "waves",
    "requests",
    "errors",
    "taint",
    "model",
    "fingerprint",
    "nodes",
    "profile_sha256",
)
"""One row a campaign, topology, workload, concurrency and metric: `mean` and sample `std` over `n` values, one value
`per` wave or per request, warm-up waves left out. A cell without figures has one row with an empty metric. `requests`
and `errors` are empty where they come from a file that does not tell them."""


def chunks(subject: Subject) -> Iterator[bytes]:
    """Return the file piece by piece."""
    campaign = subject.campaign
    nodes = {node.name: node.facts for node in subject.reader.nodes(campaign.id)}
    head = (campaign.id, campaign.name, campaign.source, campaign.version)
    tail = (_json(nodes), subject.profile_sha256)
    yield csv_line(COLUMNS)
    for sweep in subject.sweeps():
        of_sweep = _of_sweep(sweep)
        told = read_origin(campaign.origin).tells_failures(sweep.topology)
        for measured in subject.cells(sweep):
            figures: list[Figure | None] = [*measured.figures.figures.values()]
            for figure in figures or [None]:
                yield csv_line((*head, *_values(measured, figure, told), *of_sweep, *tail))


def _values(measured: MeasuredCell, figure: Figure | None, told: bool) -> tuple[object, ...]:
    cell, figures = measured.cell, measured.figures
    kind = figure.kind if figure else None
    return (
        measured.topology,
        cell.pp,
        cell.tg,
        cell.depth,
        cell.shape,
        cell.concurrency,
        kind.name if kind else None,
        kind.unit if kind else None,
        kind.better if kind else None,
        kind.per if kind else None,
        figure.mean if figure else None,
        figure.sample_std if figure else None,
        figure.n if figure else 0,
        figures.calculator,
        figures.token_source,
        figures.clock,
        cell.state,
        figures.waves,
        figures.requests if told else None,
        figures.errors if told else None,
        measured.barred,
    )


def _of_sweep(sweep: SweepRow) -> tuple[object, ...]:
    return Fingerprint.from_json(sweep.fingerprint).model, sweep.fingerprint


def _json(value: object) -> str:
    return visible_json(msgspec.json.encode(value)).decode()
