"""GuideLLM's JSON report (`guidellm run --output kind=json`): its format 2, of 0.8."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ImportFileError
from sparktui.importing.imported import FileOrigin, Imported, ImportedCell, ImportedSweep, KnownFigure, Per, Provenance
from sparktui.importing.known import Count, Level, Positive, of_mean, of_values, shared
from sparktui.importing.text import as_json

TOOL = "guidellm"
CANNOT_KNOW = (
    "topology, engine and nodes",
    "waves: it keeps requests in flight, and its throughput counts ramp, prefill and drain (output_tps)",
    "tokens of each event: one event is taken for one token (tpot_counted_ms)",
)


class Distribution(msgspec.Struct):
    """Mean, population standard deviation and count."""

    mean: Positive
    std_dev: Positive
    count: Count


class ByStatus(msgspec.Struct):
    """A distribution of the requests that succeeded; of others there are more, which no figure is taken from."""

    successful: Distribution | None = None


class Totals(msgspec.Struct):
    """How many requests there were."""

    successful: Count
    errored: Count = 0
    incomplete: Count = 0


class Metrics(msgspec.Struct):
    """What is taken of its metrics."""

    request_totals: Totals
    requests_per_second: ByStatus | None = None
    output_tokens_per_second: ByStatus | None = None
    tokens_per_second: ByStatus | None = None
    request_latency: ByStatus | None = None
    time_to_first_token_ms: ByStatus | None = None
    inter_token_latency_ms: ByStatus | None = None
    time_per_output_token_ms: ByStatus | None = None
    prompt_token_count: ByStatus | None = None
    output_token_count: ByStatus | None = None


class Strategy(msgspec.Struct):
    """How the load was made."""

    type_: str
    streams: Level | None = None
    rate: float | None = None


class BenchmarkConfig(msgspec.Struct):
    """One benchmark's own settings."""

    strategy: Strategy


class Request(msgspec.Struct):
    """One request that succeeded."""

    request_latency: Positive | None = None
    time_to_first_token_ms: Positive | None = None
    inter_token_latency_ms: Positive | None = None
    time_per_output_token_ms: Positive | None = None


class Requests(msgspec.Struct):
    """The requests by how they ended; the user may have asked for a sample of them only."""

    successful: list[Request] | None = None


class Benchmark(msgspec.Struct):
    """One level."""

    config: BenchmarkConfig
    metrics: Metrics
    requests: Requests
    start_time: Positive | None = None


class Backend(msgspec.Struct):
    """What was asked."""

    model: str | None = None


class Data(msgspec.Struct):
    """Where prompts came from; lengths only of synthetic ones."""

    prompt_tokens: Count | None = None
    output_tokens: Count | None = None


class Spec(msgspec.Struct):
    """The run's settings."""

    backend: Backend
    data: list[Data] = []


class Config(msgspec.Struct):
    """The run's settings and labels."""

    spec: Spec


class Metadata(msgspec.Struct):
    """Who wrote the file."""

    version: int
    guidellm_version: str | None = None


class Report(msgspec.Struct):
    """The file."""

    metadata: Metadata
    config: Config
    benchmarks: list[Benchmark]


_DISTRIBUTED: tuple[tuple[str, str, float, Per], ...] = (
    ("time_to_first_token_ms", "ttft_ms", 1.0, "request"),
    ("inter_token_latency_ms", "tpot_counted_ms", 1.0, "request"),
    ("time_per_output_token_ms", "tpot_whole_ms", 1.0, "request"),
    ("request_latency", "body_e2e_ms", 1000.0, "request"),
)
_RATES = (
    ("output_tokens_per_second", "output_tps"),
    ("tokens_per_second", "all_tokens_tps"),
    ("requests_per_second", "request_rps"),
)


def read(raw: bytes, name: str) -> Imported:
    """Read a report; benchmarks at a rate of requests have no concurrency, are left out and named."""
    report = as_json(raw, Report, name)
    if report.metadata.version != 2:
        raise ImportFileError(
            f"{name}: guidellm's format {report.metadata.version}; only format 2 is known", "guidellm 0.8 writes it"
        )
    left_out: list[str] = []
    cells = tuple(_cells(report, left_out))
    if not cells:
        raise ImportFileError(
            f"{name}: no benchmark at a fixed concurrency: {'; '.join(left_out) or 'it has none at all'}",
            "run guidellm with the profile `concurrent` or `synchronous`",
        )
    version = report.metadata.guidellm_version
    calculator = f"guidellm-{version}" if version else "guidellm"
    origin = FileOrigin(
        tool=TOOL,
        version=version,
        file=name,
        format="guidellm",
        calculator=calculator,
        cannot_know=CANNOT_KNOW,
        left_out=tuple(left_out),
    )
    fingerprint = Fingerprint(model=report.config.spec.backend.model, calculator=calculator)
    sweep = ImportedSweep(topology="", cells=cells, fingerprint=shared(cells, fingerprint))
    created = next((b.start_time for b in report.benchmarks if b.start_time), None)
    return Imported(name=name, sweeps=(sweep,), origin=Provenance(sources=(origin,)), created=created)


def _cells(report: Report, left_out: list[str]) -> Iterator[ImportedCell]:
    asked = report.config.spec.data[0] if len(report.config.spec.data) == 1 else Data()
    for number, benchmark in enumerate(report.benchmarks, 1):
        strategy = benchmark.config.strategy
        level = 1 if strategy.type_ == "synchronous" else strategy.streams
        if level is None:
            left_out.append(f"benchmark {number} ({strategy.type_[:40]}): no fixed concurrency")
            continue
        yield _cell(benchmark, level, asked)


def _cell(benchmark: Benchmark, level: int, asked: Data) -> ImportedCell:
    metrics, totals = benchmark.metrics, benchmark.metrics.request_totals
    all_requests = totals.successful + totals.errored
    return ImportedCell(
        concurrency=level,
        pp=asked.prompt_tokens or _mean_length(metrics.prompt_token_count),
        tg=asked.output_tokens or _mean_length(metrics.output_token_count),
        shape="pool",
        runs=1,
        taint=f"{totals.errored} of {all_requests} requests failed" if totals.errored else None,
        figures=(*_rates(metrics), *_latencies(benchmark)),
    )


def _mean_length(found: ByStatus | None) -> int:
    return round(found.successful.mean) if found and found.successful else 0


def _rates(metrics: Metrics) -> Iterator[KnownFigure]:
    """A rate's distribution is over moments, not runs: only its mean is a figure of the run."""
    for field, figure in _RATES:
        found: ByStatus | None = getattr(metrics, field)
        if found and found.successful:
            yield from of_mean(figure, found.successful.mean, n=1)


def _latencies(benchmark: Benchmark) -> Iterator[KnownFigure]:
    requests = benchmark.requests.successful or []
    complete = len(requests) == benchmark.metrics.request_totals.successful
    for field, figure, scale, per in _DISTRIBUTED:
        found: ByStatus | None = getattr(benchmark.metrics, field)
        if found is None or found.successful is None or not found.successful.count:
            continue
        known = [value for request in requests if (value := getattr(request, field)) is not None]
        if complete and len(known) == len(requests) and field in ("time_to_first_token_ms", "request_latency"):
            yield from of_values(figure, known, per, scale)
        else:
            stated = found.successful
            yield from of_mean(figure, stated.mean, stated.std_dev, stated.count, per, scale)
