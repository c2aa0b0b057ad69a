"""AIPerf's summary of one run (`profile_export_aiperf.json`), as 0.13 writes it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ImportFileError
from sparktui.importing.dates import epoch
from sparktui.importing.imported import FileOrigin, Imported, ImportedCell, ImportedSweep, KnownFigure, Per, Provenance
from sparktui.importing.known import Level, Positive, of_mean, shared
from sparktui.importing.text import as_json

TOOL = "aiperf"
CANNOT_KNOW = (
    "topology, engine and nodes",
    "single requests",
    "waves: it keeps requests in flight, and its throughput counts ramp, prefill and drain (output_tps)",
    "tokens of each event: one event is taken for one token (tpot_counted_ms)",
)


BEFORE_CONTENT = "time_to_first_token: before 0.13 it ended with the first response, with content or not"


class Metric(msgspec.Struct):
    """Mean, population standard deviation and count."""

    unit: str
    avg: Positive | None = None
    std: Positive | None = None
    count: int | None = None


class Named(msgspec.Struct):
    """A model."""

    name: str


class Models(msgspec.Struct):
    """What was asked for."""

    items: list[Named] = []


class Length(msgspec.Struct):
    """Tokens asked for."""

    mean: Positive | None = None


class Prompts(msgspec.Struct):
    """Of synthetic prompts."""

    isl: Length | None = None
    osl: Length | None = None


class Dataset(msgspec.Struct):
    """Where prompts came from."""

    prompts: Prompts | None = None


class Phase(msgspec.Struct):
    """How the load was made."""

    kind: str
    type: str
    concurrency: Level | None = None


class InputConfig(msgspec.Struct):
    """The run's settings."""

    models: Models
    phases: list[Phase]
    datasets: list[Dataset] = []


class Report(msgspec.Struct):
    """The file."""

    aiperf_version: str
    input_config: InputConfig
    start_time: str | None = None
    was_cancelled: bool = False
    output_token_throughput: Metric | None = None
    total_token_throughput: Metric | None = None
    request_throughput: Metric | None = None
    request_latency: Metric | None = None
    time_to_first_token: Metric | None = None
    inter_token_latency: Metric | None = None
    inter_chunk_latency: Metric | None = None
    input_sequence_length: Metric | None = None
    output_sequence_length: Metric | None = None
    request_error_rate: Metric | None = None


_FIGURES: tuple[tuple[str, str, str, Per], ...] = (
    ("output_token_throughput", "tokens/sec", "output_tps", "cell"),
    ("total_token_throughput", "tokens/sec", "all_tokens_tps", "cell"),
    ("request_throughput", "requests/sec", "request_rps", "cell"),
    ("time_to_first_token", "ms", "ttft_ms", "request"),
    ("inter_token_latency", "ms", "tpot_counted_ms", "request"),
    ("inter_chunk_latency", "ms", "token_gap_ms", "request"),
    ("request_latency", "ms", "e2e_ms", "request"),
)
"""Its metric, the unit it must have, our figure. Its latency ends, as ours, with the last event that has content."""


def read(raw: bytes, name: str) -> Imported:
    """Read one run's summary."""
    report = as_json(raw, Report, name)
    model = " + ".join(item.name for item in report.input_config.models.items) or None
    calculator = f"aiperf-{report.aiperf_version}"
    cell = _cell(report, _level(report, name), name)
    origin = FileOrigin(
        tool=TOOL,
        version=report.aiperf_version,
        file=name,
        format="aiperf",
        date=report.start_time,
        calculator=calculator,
        cannot_know=CANNOT_KNOW,
        left_out=(BEFORE_CONTENT,) if _before_content(report.aiperf_version) else (),
    )
    fingerprint = Fingerprint(model=model, calculator=calculator)
    sweep = ImportedSweep(topology="", cells=(cell,), fingerprint=shared((cell,), fingerprint))
    return Imported(
        name=name,
        sweeps=(sweep,),
        origin=Provenance(sources=(origin,)),
        created=epoch(report.start_time, name),
        state="partial" if report.was_cancelled else "done",
        detail="the run was cancelled" if report.was_cancelled else None,
    )


def _level(report: Report, name: str) -> int:
    profiling = [phase for phase in report.input_config.phases if phase.kind == "profiling"]
    if len(profiling) != 1 or profiling[0].type != "concurrency" or profiling[0].concurrency is None:
        raise ImportFileError(
            f"{name}: no single phase at a fixed concurrency (input_config.phases)", "run aiperf with --concurrency N"
        )
    return profiling[0].concurrency


def _cell(report: Report, level: int, name: str) -> ImportedCell:
    datasets = report.input_config.datasets
    asked = (datasets[0].prompts if len(datasets) == 1 else None) or Prompts()
    failed_pct = report.request_error_rate.avg if report.request_error_rate else None
    cancelled = "the run was cancelled" if report.was_cancelled else None
    return ImportedCell(
        concurrency=level,
        pp=_length(asked.isl, report.input_sequence_length),
        tg=_length(asked.osl, report.output_sequence_length),
        shape="pool",
        runs=1,
        taint=f"{failed_pct:g} % of the requests failed" if failed_pct else cancelled,
        figures=tuple(_figures(report, name)),
    )


def _length(asked: Length | None, found: Metric | None) -> int:
    mean = asked.mean if asked and asked.mean else found.avg if found else None
    return 0 if mean is None else min(round(mean), 2**31)


def _figures(report: Report, name: str) -> Iterator[KnownFigure]:
    for field, unit, figure, per in _FIGURES:
        metric: Metric | None = getattr(report, field)
        if metric is None or (figure == "ttft_ms" and _before_content(report.aiperf_version)):
            continue
        if metric.unit != unit:
            raise ImportFileError(f"{name}: {field} is in {metric.unit[:20]!r}, expected {unit!r}")
        yield from of_mean(figure, metric.avg, metric.std, metric.count or (1 if per == "cell" else None), per)


def _before_content(version: str) -> bool:
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return major == "0" and minor.isascii() and minor.isdigit() and len(minor) < 6 and int(minor) < 13
