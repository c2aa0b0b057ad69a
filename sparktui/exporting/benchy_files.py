"""llama-benchy's three files, in the shape that 0.3.5 and 0.4.0 write: JSON, CSV and a Markdown table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

import msgspec

from sparktui import __version__
from sparktui.exporting.benchy import Benchmark, Metric, Report, report
from sparktui.exporting.csv_lines import csv_line
from sparktui.exporting.facts import made_by
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import SIMULATED, markdown, moment
from sparktui.visible import visible_json

COLUMNS = ("t_s", "t_s_req", "peak_ts", "peak_ts_req", "ttfr", "est_ppt", "e2e_ttft")
TITLES = ("t/s (total)", "t/s (req)", "peak t/s", "peak t/s (req)", "ttfr (ms)", "est_ppt (ms)", "e2e_ttft (ms)")
SINGLE_TITLES = ("t/s", "peak t/s", "ttfr (ms)", "est_ppt (ms)", "e2e_ttft (ms)")
"""Where no level is above one: each request is a wave."""
_OF_SINGLE = (0, 2, 4, 5, 6)
_PREFILL = ("pp_throughput", "pp_req_throughput", None, None, "ttfr", "est_ppt", "e2e_ttft")
_DECODE = ("tg_throughput", "tg_req_throughput", "peak_throughput", "peak_req_throughput", None, None, None)

Line = tuple[str, tuple[Metric | None, ...]]
"""A test's name and its metrics, one a column."""


def json_chunks(subject: Subject) -> Iterator[bytes]:
    """Return the JSON report; what llama-benchy has no key for stands under `sparktui`."""
    found = report(subject)
    mark: dict[str, object] = {"SIMULATED": SIMULATED} if subject.simulated else {}
    document = mark | {
        "version": found.version,
        "timestamp": _timestamp(subject),
        "latency_mode": found.latency_mode,
        "latency_ms": found.latency_ms,
        "model": found.model,
        "prefix_caching_enabled": found.prefix_caching,
        "max_concurrency": found.max_concurrency,
        "benchmarks": [_json(benchmark) for benchmark in found.benchmarks],
        "sparktui": _beside(subject, found),
    }
    yield visible_json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


def csv_chunks(subject: Subject) -> Iterator[bytes]:
    """Return the CSV: two rows a cell, prefill and decode."""
    found = report(subject)
    yield csv_line(("model", "test_name", *(f"{column}_{end}" for column in COLUMNS for end in ("mean", "std"))))
    for name, metrics in _lines(found):
        both = ((None, None) if metric is None else (metric.mean, metric.std) for metric in metrics)
        yield csv_line((found.model, name, *(value for pair in both for value in pair)))


def markdown_chunks(subject: Subject) -> Iterator[bytes]:
    """Return the Markdown table, and below it where it comes from."""
    found = report(subject)
    if subject.simulated:
        yield f"**{SIMULATED}**\n\n".encode()
    yield _table(found).encode()
    yield (
        f"\n\nllama-benchy {found.version}'s figures; {markdown(made_by(subject))}; "
        f"topology: {markdown(found.sweep.topology)} | date: {_timestamp(subject)} | "
        f"latency mode: {found.latency_mode}\n"
    ).encode()


def _json(benchmark: Benchmark) -> dict[str, object]:
    return {
        "concurrency": benchmark.concurrency,
        "context_size": benchmark.context_size,
        "prompt_size": benchmark.prompt_size,
        "response_size": benchmark.response_size,
        "is_context_prefill_phase": benchmark.is_context_prefill_phase,
        **{name: None if metric is None else asdict(metric) for name, metric in benchmark.metrics.items()},
        "throughput_over_time": None,
        "requests_throughput_over_time": None,
    }


def _beside(subject: Subject, found: Report) -> dict[str, object]:
    campaign = subject.campaign
    return {
        "measured_by": campaign.version,
        "exported_by": __version__,
        "simulated": subject.simulated,
        "campaign": {"id": campaign.id, "name": campaign.name, "source": campaign.source, "state": campaign.state},
        "topology": found.sweep.topology,
        "fingerprint": msgspec.Raw(found.sweep.fingerprint.encode()),
        "nodes": [{"name": node.name, "facts": node.facts} for node in subject.reader.nodes(campaign.id)],
        "profile_yaml": campaign.profile_yaml,
        "cannot_win": found.cannot_win,
        "failures_known": found.failures_known,
    }


def _timestamp(subject: Subject) -> str:
    return moment(subject.campaign.created).replace(" UTC", "Z")


def _lines(found: Report) -> Iterator[Line]:
    for benchmark in found.benchmarks:
        if benchmark.metrics["pp_throughput"]:
            yield _name(found, benchmark, "pp", benchmark.prompt_size), _picked(benchmark, _PREFILL)
        if benchmark.metrics["tg_throughput"] or benchmark.metrics["peak_throughput"]:
            yield _name(found, benchmark, "tg", benchmark.response_size), _picked(benchmark, _DECODE)


def _name(found: Report, benchmark: Benchmark, kind: str, size: int) -> str:
    level = f" (c{benchmark.concurrency})" if found.max_concurrency > 1 else ""
    if benchmark.is_context_prefill_phase:
        return f"ctx_{kind} @ d{benchmark.context_size}{level}"
    depth = f" @ d{benchmark.context_size}" if benchmark.context_size else ""
    return f"{kind}{size}{depth}{level}"


def _picked(benchmark: Benchmark, names: Sequence[str | None]) -> tuple[Metric | None, ...]:
    return tuple(None if name is None else benchmark.metrics[name] for name in names)


def _table(found: Report) -> str:
    """Return a pipe table, aligned for reading as text: two spaces more than a title, or as wide as its widest cell."""
    single = found.max_concurrency == 1
    columns = _OF_SINGLE if single else range(len(COLUMNS))
    head = ("model", "test", *(SINGLE_TITLES if single else TITLES))
    body = [
        (markdown(found.model), name, *(_spread(metrics[index]) for index in columns))
        for name, metrics in _lines(found)
    ]
    widths = [max(len(title) + 2, *(len(row[at]) for row in body)) for at, title in enumerate(head)]
    rule = [f":{'-' * (widths[0] + 1)}", *(f"{'-' * (width + 1)}:" for width in widths[1:])]
    rows = [_aligned(row, widths) for row in (head, *body)]
    return "\n".join([rows[0], f"|{'|'.join(rule)}|", *rows[1:]])


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    place: list[Callable[[str, int], str]] = [str.ljust, *[str.rjust] * (len(cells) - 1)]
    return "| " + " | ".join(put(cell, width) for put, cell, width in zip(place, cells, widths, strict=True)) + " |"


def _spread(metric: Metric | None) -> str:
    return "" if metric is None else f"{metric.mean:.2f} ± {metric.std:.2f}"
