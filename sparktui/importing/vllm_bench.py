"""`vllm bench serve --save-result`: one JSON object, or with `--append-result` one a line."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Literal

import msgspec

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import ImportFileError
from sparktui.importing.dates import epoch
from sparktui.importing.imported import FileOrigin, Imported, ImportedCell, ImportedSweep, KnownFigure, Provenance
from sparktui.importing.known import Count, Level, Positive, of_mean, of_values, shared
from sparktui.importing.text import as_json
from sparktui.store.rows import MOST_AT_ONCE

TOOL = "vllm bench serve"
CANNOT_KNOW = (
    "its version",
    "topology, engine flags and nodes",
    "the prompt length that was asked for: pp is the median, or the mean, of the prompts sent",
    "which responses carried no content: its TTFT is to the first response of any kind (ttfr_ms)",
    "waves: it keeps requests in flight, and its throughput counts ramp, prefill and drain (output_tps)",
)


class Result(msgspec.Struct):
    """One run; lists only with `--save-detailed`."""

    model_id: str
    num_prompts: Count
    request_rate: Positive | Literal["inf"]
    duration: Positive
    completed: Count
    total_input_tokens: Count
    total_output_tokens: Count
    request_throughput: Positive
    output_throughput: Positive
    total_token_throughput: Positive
    max_concurrency: Level | None = None
    date: str | None = None
    label: str | None = None
    failed: Count | None = None
    input_lens: list[Count] = []
    output_lens: list[Count] = []
    ttfts: list[Positive] = []
    max_output_tokens_per_s: Positive | None = None
    mean_ttft_ms: Positive | None = None
    std_ttft_ms: Positive | None = None
    mean_tpot_ms: Positive | None = None
    std_tpot_ms: Positive | None = None
    mean_itl_ms: Positive | None = None
    std_itl_ms: Positive | None = None
    mean_e2el_ms: Positive | None = None
    std_e2el_ms: Positive | None = None


def read(raw: bytes, name: str, version: str | None = None) -> Imported:
    """Read a result file; results with different labels are different topologies."""
    lines = [line for line in raw.splitlines() if line.strip()]
    try:
        results = [as_json(raw, Result, name)]
    except ImportFileError:
        if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):
            raise
        results = [as_json(line, Result, f"{name}, line {number}") for number, line in enumerate(lines, 1)]
    calculator = "vllm-bench" if version is None else f"vllm-bench-{version}"
    labels = dict.fromkeys(result.label or "" for result in results)
    sweeps = [_sweep(label, [r for r in results if (r.label or "") == label], calculator, name) for label in labels]
    dates = [result.date for result in results if result.date]
    origin = FileOrigin(
        tool=TOOL,
        version=version,
        file=name,
        format="vllm-bench",
        date=dates[0] if dates else None,
        calculator=calculator,
        cannot_know=CANNOT_KNOW if version is None else CANNOT_KNOW[1:],
    )
    created = epoch(dates[0], name, "%Y%m%d-%H%M%S") if dates else None
    return Imported(name=name, sweeps=tuple(sweeps), origin=Provenance(sources=(origin,)), created=created)


def _sweep(label: str, results: Iterable[Result], calculator: str, name: str) -> ImportedSweep:
    mine = list(results)
    models = {result.model_id for result in mine}
    if len(models) > 1:
        raise ImportFileError(f"{name}: figures of several models: {', '.join(sorted(models))}", "import one at a time")
    cells = tuple(_cell(result, name) for result in mine)
    return ImportedSweep(
        topology=label,
        cells=cells,
        fingerprint=shared(cells, Fingerprint(model=models.pop(), calculator=calculator, token_source="usage")),  # noqa: S106 - no secret
    )


def _cell(result: Result, name: str) -> ImportedCell:
    if result.request_rate != "inf":
        raise ImportFileError(
            f"{name}: requests came at {result.request_rate:g} a second, so there is no concurrency to compare it at",
            "only runs with --request-rate inf can be imported",
        )
    return ImportedCell(
        concurrency=max(1, min(result.max_concurrency or result.num_prompts, MOST_AT_ONCE)),
        pp=_length(result.input_lens, result.total_input_tokens, result.completed),
        tg=_length(result.output_lens, result.total_output_tokens, result.completed),
        shape="pool" if result.max_concurrency else "waves",
        runs=1,
        taint=f"{result.failed} of {result.num_prompts} requests failed" if result.failed else None,
        figures=_figures(result),
    )


def _length(lengths: list[int], total: int, completed: int) -> int:
    return round(median(lengths)) if lengths else round(total / completed) if completed else 0


def _figures(result: Result) -> tuple[KnownFigure, ...]:
    n = result.completed
    every_ttfr = not result.failed and len(result.ttfts) == n
    return (
        *of_mean("output_tps", result.output_throughput, n=1),
        *of_mean("all_tokens_tps", result.total_token_throughput, n=1),
        *of_mean("request_rps", result.request_throughput, n=1),
        *of_mean("peak_bucket_eps", result.max_output_tokens_per_s, n=1),
        *(
            of_values("ttfr_ms", result.ttfts, "request", 1000.0)
            if every_ttfr
            else of_mean("ttfr_ms", result.mean_ttft_ms, result.std_ttft_ms, n, "request")
        ),
        *of_mean("tpot_ttfr_ms", result.mean_tpot_ms, result.std_tpot_ms, per="request"),
        *of_mean("event_gap_ms", result.mean_itl_ms, result.std_itl_ms, per="request"),
        *of_mean("event_e2e_ms", result.mean_e2el_ms, result.std_e2el_ms, n, "request"),
    )
