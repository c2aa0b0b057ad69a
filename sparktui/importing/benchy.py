"""llama-benchy's result files: JSON and CSV, which 0.3.5 and 0.4.0 write with the same keys and columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

import msgspec

from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.origin import FAILED_REQUESTS
from sparktui.compare.workload import Workload
from sparktui.errors import ImportFileError
from sparktui.importing.csv_rows import CsvRow, csv_rows
from sparktui.importing.dates import epoch
from sparktui.importing.imported import FileOrigin, Imported, ImportedCell, ImportedSweep, KnownFigure, Per, Provenance
from sparktui.importing.known import Count, Level, Positive, of_mean, shared
from sparktui.importing.sources import SIMULATED_MODEL, source_of_model
from sparktui.importing.text import as_json, as_text
from sparktui.store.rows import CellRow

TOOL = "llama-benchy"
CANNOT_KNOW = (
    FAILED_REQUESTS,
    "prompt and output tokens of each request",
    "token events",
    "engine, topology and nodes",
    "sampling",
)
FIGURES: dict[str, tuple[str, Per]] = {
    "tg_throughput": ("decode_tps", "wave"),
    "tg_req_throughput": ("decode_tps_stream", "request"),
    "pp_throughput": ("prefill_tps", "wave"),
    "pp_req_throughput": ("prefill_tps_stream", "request"),
    "e2e_ttft": ("ttft_ms", "request"),
    "ttfr": ("ttfr_ms", "request"),
    "est_ppt": ("est_ppt_ms", "request"),
    "peak_throughput": ("peak_tps", "wave"),
    "peak_req_throughput": ("peak_tps_stream", "request"),
}
"""Its metrics under the names that the calculators `benchy-0.3.5` and `benchy-0.4.0` give them."""


class Metric(msgspec.Struct):
    """Mean, population standard deviation and values, one a wave or one a request."""

    mean: Positive
    std: Positive
    values: list[Positive] = []


class Benchmark(msgspec.Struct):
    """One cell."""

    concurrency: Level
    context_size: Count
    prompt_size: Count
    response_size: Count
    is_context_prefill_phase: bool = False
    pp_throughput: Metric | None = None
    pp_req_throughput: Metric | None = None
    tg_throughput: Metric | None = None
    tg_req_throughput: Metric | None = None
    peak_throughput: Metric | None = None
    peak_req_throughput: Metric | None = None
    ttfr: Metric | None = None
    est_ppt: Metric | None = None
    e2e_ttft: Metric | None = None


class Beside(msgspec.Struct):
    """What our own export has beside a report, as far as it comes back."""

    cannot_win: dict[str, str] = {}
    """Why, by `place_of` the cell."""
    failures_known: bool = False


class Report(msgspec.Struct):
    """The JSON file."""

    version: str
    latency_mode: str
    latency_ms: Positive
    model: str
    benchmarks: list[Benchmark]
    timestamp: str | None = None
    prefix_caching_enabled: bool = False
    sparktui: Beside = msgspec.field(default_factory=Beside)


def read_json(raw: bytes, name: str) -> Imported:
    """Read `--format json`."""
    report = as_json(raw, Report, name)
    barred = report.sparktui.cannot_win
    found = (_cell(benchmark, report.prefix_caching_enabled) for benchmark in report.benchmarks)
    cells = tuple(replace(cell, taint=barred.get(place_of(cell))) for cell in found)
    origin = _told_beside(_origin(name, "benchy-json", report.version, date=report.timestamp), report.sparktui, cells)
    sweep = _sweep(cells, report.model, report.version, report.latency_mode, 1000 * report.latency_ms)
    return Imported(
        name=name,
        sweeps=(sweep,),
        origin=Provenance(sources=(origin,)),
        source=source_of_model(report.model),
        created=epoch(report.timestamp, name),
    )


def place_of(cell: ImportedCell | CellRow) -> str:
    """Return what a cell is called in the report of one topology."""
    return f"{Workload(cell.pp, cell.tg, cell.depth, cell.shape)} c{cell.concurrency}"


def calculator(version: str | None) -> str | None:
    """Return what computed the figures; None where the file does not tell its version: the tg formula changed."""
    return None if version is None else f"benchy-{version}"


def _origin(name: str, form: str, version: str | None, date: str | None = None) -> FileOrigin:
    unknown = CANNOT_KNOW if version else ("llama-benchy's version, date and latency", "single waves", *CANNOT_KNOW)
    return FileOrigin(
        tool=TOOL,
        version=version,
        file=name,
        format=form,
        date=date,
        calculator=calculator(version),
        cannot_know=unknown,
    )


def _told_beside(origin: FileOrigin, beside: Beside, cells: Iterable[ImportedCell]) -> FileOrigin:
    """Return what our own export knows more of, and which cells that cannot win have nothing in the report."""
    there = {place_of(cell) for cell in cells}
    missing = tuple(f"{place}: no figures ({why})" for place, why in beside.cannot_win.items() if place not in there)
    unknown = tuple(what for what in origin.cannot_know if what != FAILED_REQUESTS or not beside.failures_known)
    return msgspec.structs.replace(origin, left_out=missing, cannot_know=unknown)


def _sweep(
    cells: tuple[ImportedCell, ...],
    model: str,
    version: str | None,
    latency_mode: str | None = None,
    latency_us: float | None = None,
) -> ImportedSweep:
    source = "chunks" if version == "0.3.5" else None
    bare = model.removeprefix(SIMULATED_MODEL)
    fingerprint = shared(cells, Fingerprint(model=bare, calculator=calculator(version), token_source=source))
    return ImportedSweep(
        topology="", cells=cells, fingerprint=fingerprint, latency_mode=latency_mode, latency_us=latency_us
    )


def _cell(benchmark: Benchmark, prefix_caching: bool) -> ImportedCell:
    metrics = {field: getattr(benchmark, field) for field in FIGURES}
    figures = tuple(_figure(*FIGURES[field], metric) for field, metric in metrics.items() if metric is not None)
    waves = benchmark.tg_throughput or benchmark.pp_throughput
    return ImportedCell(
        concurrency=benchmark.concurrency,
        pp=benchmark.prompt_size,
        tg=benchmark.response_size,
        depth=benchmark.context_size,
        shape=_shape(benchmark.is_context_prefill_phase, prefix_caching and benchmark.context_size > 0),
        runs=len(waves.values) if waves else 0,
        figures=figures,
    )


def _shape(context_phase: bool, prefix: bool) -> str:
    """Name the phases of a prefix-caching run apart: their prompts are not those of a plain run of the same label."""
    return "context-load" if context_phase else "prefix" if prefix else "waves"


def _figure(name: str, per: Per, metric: Metric) -> KnownFigure:
    return KnownFigure(name, metric.mean, metric.std, len(metric.values) or None, per, tuple(metric.values))


CSV_FIGURES: dict[str, dict[str, tuple[str, Per]]] = {
    "pp": {
        "t_s": ("prefill_tps", "wave"),
        "t_s_req": ("prefill_tps_stream", "request"),
        "ttfr": ("ttfr_ms", "request"),
        "est_ppt": ("est_ppt_ms", "request"),
        "e2e_ttft": ("ttft_ms", "request"),
    },
    "tg": {
        "t_s": ("decode_tps", "wave"),
        "t_s_req": ("decode_tps_stream", "request"),
        "peak_ts": ("peak_tps", "wave"),
        "peak_ts_req": ("peak_tps_stream", "request"),
    },
}
CSV_HEAD = ("model", "test_name", "t_s_mean")
_TEST = re.compile(
    r"(?P<context>ctx_)?(?P<kind>pp|tg)(?P<size>\d{1,9})?(?: @ d(?P<depth>\d{1,9}))?(?: \(c(?P<c>[1-9]\d{0,5})\))?",
    re.ASCII,
)


def read_csv(raw: bytes, name: str, version: str | None = None) -> Imported:
    """Read `--format csv`: a row of prompt processing, then one of generation, for each cell."""
    _, header, rows = csv_rows(as_text(raw, name), name)
    wanted = {f"{column}_{end}" for fields in CSV_FIGURES.values() for column in fields for end in ("mean", "std")}
    if missing := sorted({*CSV_HEAD, *wanted} - set(header)):
        raise ImportFileError(f"{name}, line 1: no column {missing[0]!r}")
    models = {row.text("model") for row in rows}
    if len(models) > 1:
        raise ImportFileError(f"{name}: figures of several models: {', '.join(sorted(models))}", "import one at a time")
    model = models.pop()
    cells = tuple(_csv_cells(rows))
    return Imported(
        name=name,
        sweeps=(_sweep(cells, model, version),),
        origin=Provenance(sources=(_origin(name, "benchy-csv", version),)),
        source=source_of_model(model),
    )


def _csv_cells(rows: list[CsvRow]) -> Iterator[ImportedCell]:
    """Join each cell's two rows; one that has only one of them leaves the other's length unknown."""
    pending: tuple[re.Match[str], CsvRow] | None = None
    for row in rows:
        test = _TEST.fullmatch(row.text("test_name"))
        if test is None:
            raise row.wrong("test_name", "is no test such as 'pp1024 @ d4096 (c8)'")
        if test["kind"] == "pp":
            if pending is not None:
                yield _csv_cell(pending, None)
            pending = (test, row)
            continue
        if pending is not None and _place(pending[0]) != _place(test):
            yield _csv_cell(pending, None)
            pending = None
        yield _csv_cell(pending, (test, row))
        pending = None
    if pending is not None:
        yield _csv_cell(pending, None)


def _place(test: re.Match[str]) -> tuple[str | None, ...]:
    return (test["context"], test["depth"], test["c"])


def _csv_cell(
    prefill: tuple[re.Match[str], CsvRow] | None, decode: tuple[re.Match[str], CsvRow] | None
) -> ImportedCell:
    rows = [pair for pair in (prefill, decode) if pair is not None]
    test = rows[0][0]
    return ImportedCell(
        concurrency=int(test["c"] or 1),
        pp=int(prefill[0]["size"] or 0) if prefill else 0,
        tg=int(decode[0]["size"] or 0) if decode else 0,
        depth=int(test["depth"] or 0),
        shape=_shape(test["context"] is not None, False),
        figures=tuple(figure for test, row in rows for figure in _csv_figures(row, test["kind"])),
    )


def _csv_figures(row: CsvRow, kind: str) -> Iterator[KnownFigure]:
    for column, (name, per) in CSV_FIGURES[kind].items():
        yield from of_mean(name, row.number(f"{column}_mean"), row.number(f"{column}_std"), per=per)
