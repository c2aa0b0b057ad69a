"""Tables with a column for each topology, as they are published: `metric,unit,better,concurrency,solo,cluster-tp2,...`.

Above the header may stand facts, one a line: `# model: ...`, `# pp: 1024`, `# calculator: benchy-0.3.5`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

import msgspec

from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.origin import FAILED_REQUESTS, Expectation
from sparktui.compare.winners import LEAST, METRICS, MOST
from sparktui.errors import ImportFileError
from sparktui.exporting.text import unguarded
from sparktui.importing.csv_rows import CsvRow, csv_rows
from sparktui.importing.dates import epoch
from sparktui.importing.imported import (
    FileOrigin,
    Imported,
    ImportedCell,
    ImportedSweep,
    Provenance,
    Source,
)
from sparktui.importing.known import of_mean, shared
from sparktui.importing.text import as_text, clean_name
from sparktui.measure.figures import FIGURES, FigureKind
from sparktui.measure.foreign import FOREIGN

HEAD = ("metric", "unit", "better", "concurrency")
WORKLOAD = ("pp", "tg", "depth", "shape", "runs")
EXPECTED = ("published_winner", "published_margin", "margin_against", "published_gain")
VERDICT = (
    "winner",
    "margin",
    "against",
    "tie",
    "tied",
    "interval",
    "interval_low",
    "interval_high",
    "decided_by",
    "cannot_win",
    "awaited",
    "calculator",
    "token_source",
    "source",
    "campaign",
    "name",
    "sparktui",
    "model",
)
NOT_TOPOLOGIES = frozenset({*HEAD, *WORKLOAD, *EXPECTED, *VERDICT})
FAILURES_KNOWN = "failures_known"
"""The fact above a table that those who had requests that failed are among those who cannot win: `yes`."""
CANNOT_KNOW = ("how sure a mean is: there is one number a cell", "single waves and requests", FAILED_REQUESTS)
_Place = tuple[int, int, int, int, str, int]
"""Concurrency, pp, tg, depth, shape and runs of a row."""


def read(raw: bytes, name: str) -> Imported:
    """Read a table; a blank or `-` is a cell that was not measured."""
    facts, header, rows = csv_rows(as_text(raw, name), name)
    if missing := [column for column in HEAD if column not in header]:
        raise ImportFileError(f"{name}: no column {missing[0]!r}")
    topologies = {column: unguarded(column) for column in header if column not in NOT_TOPOLOGIES}
    if not topologies:
        raise ImportFileError(f"{name}: no column of a topology", f"expected {','.join(HEAD)},<one column a topology>")
    _check(rows, facts, set(topologies.values()))
    fingerprint = _fingerprint(rows, facts)
    sweeps = tuple(
        _sweep(clean_name(topology, name), list(_cells(rows, column, topology, facts)), fingerprint)
        for column, topology in topologies.items()
    )
    origin = FileOrigin(
        tool=facts.get("tool", "table"),
        version=facts.get("tool_version"),
        file=name,
        format="topology-csv",
        date=facts.get("date"),
        calculator=fingerprint.calculator,
        cannot_know=tuple(_cannot_know(header, facts)),
        facts={key: value for key, value in facts.items() if key not in WORKLOAD},
    )
    return Imported(
        name=facts.get("name", name),
        sweeps=sweeps,
        origin=Provenance(sources=(origin,), expectations=tuple(_expectations(rows))),
        source=_source(rows, header),
        created=epoch(facts.get("date"), name),
    )


def _cannot_know(header: Sequence[str], facts: dict[str, str]) -> Iterator[str]:
    for what in CANNOT_KNOW:
        if what != FAILED_REQUESTS or facts.get(FAILURES_KNOWN) != "yes":
            yield what
    if not facts.get("pp") and "pp" not in header:
        yield "prompt and output length"


def _check(rows: Sequence[CsvRow], facts: dict[str, str], topologies: Set[str]) -> None:
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        kind = _kind(row)
        for column, expected in (("unit", kind.unit), ("better", kind.better)):
            if row.text(column) != expected:
                raise row.wrong(column, f"should be {expected!r} for {row.text('metric')}")
        place = (kind.name, *_workload(row, facts))
        if (first := seen.setdefault(place, row.line)) != row.line:
            raise ImportFileError(f"{row.name}, line {row.line}: the same cells as line {first}")
        if strangers := sorted(_barred(row).keys() - topologies):
            raise row.wrong("cannot_win", f"names {strangers[0]!r}, which has no column")


def _barred(row: CsvRow) -> dict[str, str]:
    """Return who cannot win at a row, and why."""
    text = unguarded(row.text("cannot_win"))
    if text in ("", "-"):
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        raise row.wrong("cannot_win", """should be JSON such as {"solo": "why"}""") from None


def _kind(row: CsvRow) -> FigureKind:
    metric = row.text("metric")
    figure = METRICS[metric].figure if metric in METRICS else metric
    kind = FIGURES.get(figure) or FOREIGN.get(figure)
    if kind is None:
        raise row.wrong("metric", f"is none of {', '.join(METRICS)}, nor a figure's name")
    return kind


def _workload(row: CsvRow, facts: dict[str, str]) -> _Place:
    """Return a row's own workload, else the table's, else not known."""
    level = row.level("concurrency")
    if level is None:
        raise row.wrong("concurrency", "is missing")
    above = CsvRow(row.name, row.line, {**facts, **{key: value for key, value in row.values.items() if value.strip()}})
    pp, tg, depth, runs = (above.count(column) or 0 for column in ("pp", "tg", "depth", "runs"))
    return level, pp, tg, depth, above.text("shape") or "waves", runs


def _cells(rows: Sequence[CsvRow], column: str, topology: str, facts: dict[str, str]) -> Iterator[ImportedCell]:
    """Join a topology's rows of one level, one a metric; where no row has a value there is no cell."""
    places: dict[_Place, list[CsvRow]] = {}
    for row in rows:
        places.setdefault(_workload(row, facts), []).append(row)
    cells = (_cell(place, mine, column, topology) for place, mine in places.items())
    return (cell for cell in cells if cell.figures)


def _cell(place: _Place, rows: Sequence[CsvRow], column: str, topology: str) -> ImportedCell:
    known = [
        (row, figure) for row in rows for figure in of_mean(_kind(row).name, row.number(column), per=_kind(row).per)
    ]
    # A value out of these bounds is barred for itself, not for its cell.
    reasons = (_barred(row).get(topology) for row, figure in known if LEAST < figure.mean < MOST)
    level, pp, tg, depth, shape, runs = place
    return ImportedCell(
        concurrency=level,
        pp=pp,
        tg=tg,
        depth=depth,
        shape=shape,
        runs=runs,
        taint=next((why for why in reasons if why), None),
        figures=tuple(figure for _, figure in known),
    )


def _sweep(topology: str, cells: list[ImportedCell], fingerprint: Fingerprint) -> ImportedSweep:
    return ImportedSweep(topology=topology, cells=tuple(cells), fingerprint=shared(cells, fingerprint))


def _fingerprint(rows: Sequence[CsvRow], facts: dict[str, str]) -> Fingerprint:
    def fact(key: str) -> str | None:
        inside = {row.text(key) for row in rows} - {""}
        return inside.pop() if len(inside) == 1 else facts.get(key)

    return Fingerprint(
        model=fact("model"),
        calculator=fact("calculator"),
        token_source=fact("token_source"),
        engine={key: facts[key] for key in ("engine", "image", "flags") if key in facts},
    )


def _source(rows: Sequence[CsvRow], header: Sequence[str]) -> Source:
    if any("simulated" in row.text("source").lower() for row in rows):
        return "simulated"
    return "published" if any(column in header for column in EXPECTED) else "imported"


def _expectations(rows: Sequence[CsvRow]) -> Iterator[Expectation]:
    for row in rows:
        stated = {column: row.text(column) or None for column in EXPECTED}
        if any(stated.values()):
            yield Expectation(
                metric=row.text("metric"),
                concurrency=row.level("concurrency") or 1,
                winner=stated["published_winner"],
                margin=stated["published_margin"],
                margin_against=stated["margin_against"],
                gain=stated["published_gain"],
            )
