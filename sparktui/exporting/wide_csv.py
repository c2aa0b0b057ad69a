"""CSV as the tables are on the screen: one row a metric and level, one column a topology, then who wins."""

from __future__ import annotations

from collections.abc import Iterator

from sparktui.compare.baseline import expectations
from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.winners import Row
from sparktui.exporting.csv_lines import csv_line
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import SIMULATED, ascii_json, iso_moment, one_line, visible
from sparktui.importing.topology_table import EXPECTED, FAILURES_KNOWN, NOT_TOPOLOGIES

HEAD = ("metric", "unit", "better", "concurrency", "pp", "tg", "depth", "shape")
VERDICT = (
    "winner",
    "margin",
    "against",
    "tie",
    "tied",
    "interval_low",
    "interval_high",
    "decided_by",
    "cannot_win",
    "awaited",
    "calculator",
    "token_source",
    "source",
)
"""`margin` and `interval` as fractions: 0.46 is 46 % more than `against`. Where several are named, `; ` parts them:
those who tie, and those not measured to their end. Who cannot win is JSON, `{"solo": "why"}`: a reason may hold any
text, and has to come back."""


def chunks(subject: Subject) -> Iterator[bytes]:
    """Return the file piece by piece: facts as comments, the header, the rows."""
    comparison = subject.comparison()
    stated = _stated(subject)
    for key, value in _facts(subject, comparison):
        yield f"# {one_line(key)}: {one_line(value)}\n".encode(errors="backslashreplace")
    topologies = [_column(name) for name in comparison.topologies]
    yield csv_line((*HEAD, *topologies, *VERDICT, *(EXPECTED if stated else ())))
    tail = (comparison.calculator, comparison.token_source, subject.campaign.source)
    for table in comparison.tables:
        for row in table.rows:
            said = stated.get((row.metric, row.concurrency), {})
            expected = tuple(said.get(name) for name in EXPECTED) if stated else ()
            yield csv_line((*_load(table, row), *_values(comparison, row), *_verdict(row), *tail, *expected))


def _stated(subject: Subject) -> dict[tuple[str, int], dict[str, str | None]]:
    """Return what an imported table says of its own rows, by metric and level; several tables may tell of one row."""
    found: dict[tuple[str, int], dict[str, str | None]] = {}
    for one in expectations(subject.campaign.origin):
        said = (one.winner, one.margin, one.margin_against, one.gain)
        row = found.setdefault((one.metric, one.concurrency), dict.fromkeys(EXPECTED))
        row.update({name: text for name, text in zip(EXPECTED, said, strict=True) if text is not None})
    return found


def _facts(subject: Subject, comparison: Comparison) -> Iterator[tuple[str, str]]:
    campaign = subject.campaign
    if subject.simulated:
        yield "warning", SIMULATED
    yield "name", campaign.name
    yield "date", iso_moment(campaign.created)
    yield "sparktui", campaign.version
    models = {column.fingerprint.model for column in comparison.columns} - {None}
    if len(models) == 1:
        yield "model", str(models.pop())
    if subject.profile_sha256 is not None:
        yield "profile_sha256", subject.profile_sha256
    for node in subject.reader.nodes(campaign.id):
        yield f"node_{node.name.replace('-', '_')}", ascii_json(node.facts)
    for column in comparison.columns:
        name = column.name.replace("-", "_").replace("/", "_")
        yield f"fingerprint_{name}", ascii_json(column.fingerprint)
    yield FAILURES_KNOWN, "yes" if all(column.tells_failures for column in comparison.columns) else "no"
    for note in comparison.notes:
        yield "note", note


def _column(topology: str) -> str:
    """Return a topology's column, told apart from a column of ours that is called the same."""
    return f"{topology}_" if topology in NOT_TOPOLOGIES else topology


def _load(table: Table, row: Row) -> tuple[object, ...]:
    load = table.workload
    metric = table.metric
    known = (load.pp or None, load.tg or None, load.depth, load.shape)
    return (metric.name, metric.unit, metric.better, row.concurrency, *known)


def _values(comparison: Comparison, row: Row) -> tuple[object, ...]:
    return tuple(row.values.get(name) for name in comparison.topologies)


def _verdict(row: Row) -> tuple[object, ...]:
    low, high = row.interval or (None, None)
    tie = None if row.margin is None else "yes" if row.tie else "no"
    tied, awaited = "; ".join(row.tied) or None, "; ".join(row.awaited) or None
    barred = {visible(_column(name)).strip(): why for name, why in row.barred.items()}
    return (
        row.winner,
        row.margin,
        row.against,
        tie,
        tied,
        low,
        high,
        row.decided_by,
        ascii_json(barred) if barred else None,
        awaited,
    )
