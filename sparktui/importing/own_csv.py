"""Our own CSV export, one row a figure: means come back, single waves do not."""

from __future__ import annotations

from collections.abc import Sequence

from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.origin import FAILED_REQUESTS
from sparktui.errors import ImportFileError
from sparktui.exporting.text import unguarded
from sparktui.importing.csv_rows import CsvRow, csv_rows
from sparktui.importing.imported import FileOrigin, Imported, ImportedCell, ImportedSweep, KnownFigure, Per, Provenance
from sparktui.importing.known import of_mean, shared
from sparktui.importing.sources import resumed_source
from sparktui.importing.text import as_text, clean_name
from sparktui.measure.figures import FIGURES
from sparktui.measure.foreign import FOREIGN
from sparktui.store.rows import CELL_OVER

HEAD = ("topology", "pp", "tg", "depth", "shape", "concurrency", "metric", "per", "mean", "std", "n", "state")
CANNOT_KNOW = ("single waves, requests and token events", "profile, nodes and commands")
_PERS: dict[str, Per] = {"wave": "wave", "request": "request", "cell": "cell"}
_Key = tuple[str, int, int, int, int, str]


def read(raw: bytes, name: str) -> Imported:
    """Read an export of one campaign."""
    _, header, rows = csv_rows(as_text(raw, name), name)
    if missing := [column for column in HEAD if column not in header]:
        raise ImportFileError(f"{name}: no column {missing[0]!r}")
    for column in ("campaign", "name", "source", "sparktui"):
        if len({row.text(column) for row in rows}) > 1:
            raise ImportFileError(f"{name}: rows of several campaigns ({column})", "import one at a time")
    cells: dict[_Key, list[CsvRow]] = {}
    for row in rows:
        cells.setdefault(_key(row), []).append(row)
    topologies = dict.fromkeys(key[0] for key in cells)
    left_out = sorted({row.text("metric") for row in rows} - {""} - FIGURES.keys() - FOREIGN.keys())
    version = rows[0].text("sparktui") or None
    origin = FileOrigin(
        tool="sparktui",
        version=version,
        file=name,
        format="sparktui-csv",
        cannot_know=CANNOT_KNOW if all(row.text("errors") for row in rows) else (*CANNOT_KNOW, FAILED_REQUESTS),
        left_out=tuple(f"{metric}: not a figure that this version knows" for metric in left_out),
    )
    source = resumed_source(rows[0].text("source"))
    sweeps = tuple(
        _sweep(topology, {key: mine for key, mine in cells.items() if key[0] == topology}, source == "simulated")
        for topology in topologies
    )
    return Imported(
        name=unguarded(rows[0].text("name")) or name,
        sweeps=sweeps,
        origin=Provenance(sources=(origin,)),
        source=source,
        version=version,
    )


def _key(row: CsvRow) -> _Key:
    level = row.level("concurrency")
    if level is None:
        raise row.wrong("concurrency", "is missing")
    pp, tg, depth = (row.count(column) or 0 for column in ("pp", "tg", "depth"))
    return clean_name(unguarded(row.text("topology")), row.name), level, pp, tg, depth, unguarded(row.text("shape"))


def _sweep(topology: str, cells: dict[_Key, list[CsvRow]], simulated: bool) -> ImportedSweep:
    found = tuple(_cell(key, rows) for key, rows in cells.items())
    all_rows = [row for rows in cells.values() for row in rows]
    fingerprint = Fingerprint(
        calculator=_one(all_rows, "calculator"),
        token_source=_one(all_rows, "token_source"),
        simulated=simulated or None,
    )
    return ImportedSweep(topology=topology, cells=found, fingerprint=shared(found, fingerprint))


def _one(rows: Sequence[CsvRow], column: str) -> str | None:
    found = {row.text(column) for row in rows} - {"", "none"}
    return found.pop() if len(found) == 1 else None


def _cell(key: _Key, rows: Sequence[CsvRow]) -> ImportedCell:
    _, level, pp, tg, depth, shape = key
    state = rows[0].text("state")
    figures: dict[str, KnownFigure] = {}
    for row in rows:
        metric = row.text("metric")
        if metric in figures:
            raise row.wrong("metric", f"of {key[0]} c{level} is there twice")
        if metric in FIGURES or metric in FOREIGN:
            figures.update({figure.name: figure for figure in _figure(row, metric)})
    return ImportedCell(
        concurrency=level,
        pp=pp,
        tg=tg,
        depth=depth,
        shape=shape or "waves",
        runs=rows[0].count("waves") or 0,
        state=state if state in CELL_OVER else "failed",
        taint=unguarded(rows[0].text("taint")) or None,
        figures=tuple(figures.values()),
    )


def _figure(row: CsvRow, metric: str) -> tuple[KnownFigure, ...]:
    per = _PERS.get(row.text("per"))
    if per is None:
        raise row.wrong("per", f"is none of {', '.join(_PERS)}")
    return of_mean(metric, row.number("mean"), row.number("std"), row.count("n"), per)
