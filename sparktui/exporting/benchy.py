"""One topology's cells as llama-benchy reports them: the values behind its JSON, CSV and Markdown.

The figures are those of the calculators `benchy-0.3.5` and `benchy-0.4.0`, or of an imported llama-benchy file. What
its report cannot say is left out: a metric without a known spread, and cells that were not loaded in waves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sparktui.compare.cells import MeasuredCell
from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.origin import read_origin
from sparktui.errors import UsageError
from sparktui.exporting.subject import Subject
from sparktui.exporting.text import one_line
from sparktui.importing.benchy import FIGURES, place_of
from sparktui.importing.sources import SIMULATED_MODEL
from sparktui.measure.cell import Figure
from sparktui.store.rows import SweepRow

DEFAULT_CALCULATOR = "benchy-0.4.0"
"""It counts tokens where the server says how many they are; 0.3.5 counts events."""
PREFIX = "benchy-"
_PHASES = ("waves", "prefix", "context-load")


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as its JSON has it: rates in tokens per second, times in milliseconds, `std` with n below."""

    mean: float
    std: float
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One cell."""

    concurrency: int
    context_size: int
    prompt_size: int
    response_size: int
    is_context_prefill_phase: bool
    metrics: Mapping[str, Metric | None]
    """By llama-benchy's names, every one of them there."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run of a suite."""

    version: str
    """Of the llama-benchy whose arithmetic it is."""
    model: str
    latency_mode: str
    latency_ms: float
    prefix_caching: bool
    benchmarks: tuple[Benchmark, ...]
    sweep: SweepRow
    cannot_win: Mapping[str, str]
    """What llama-benchy would not notice, by cell."""
    failures_known: bool
    """Whether those with failed requests are among them: files that were imported may not have told."""

    @property
    def max_concurrency(self) -> int:
        """The highest level, which decides how its tables look."""
        return max(benchmark.concurrency for benchmark in self.benchmarks)


def report(subject: Subject) -> Report:
    """Return the report of the one topology there is, or was chosen.

    Raises:
        UsageError: There are several topologies; the calculator is not llama-benchy's; nothing can be reported.
    """
    sweep = _only(subject)
    measured = [cell for cell in subject.cells(sweep) if cell.cell.shape in _PHASES]
    found = {place_of(cell.cell): _benchmark(cell) for cell in measured}
    benchmarks = tuple(one for one in found.values() if any(one.metrics.values()))
    if not benchmarks:
        raise UsageError(
            f"{sweep.topology}: nothing that llama-benchy's report could hold",
            "it holds cells loaded in waves, with known spread; try --format csv or json",
        )
    fingerprint = Fingerprint.from_json(sweep.fingerprint)
    model = one_line(fingerprint.model or "unknown")
    return Report(
        version=_version(measured),
        model=f"{SIMULATED_MODEL}{model.removeprefix(SIMULATED_MODEL)}" if subject.simulated else model,
        latency_mode=sweep.latency_mode or "none",
        latency_ms=(sweep.latency_us or 0.0) / 1000,
        prefix_caching=any(cell.cell.shape != "waves" for cell in measured),
        benchmarks=benchmarks,
        sweep=sweep,
        cannot_win={place_of(cell.cell): cell.barred for cell in measured if cell.barred is not None},
        failures_known=read_origin(subject.campaign.origin).tells_failures(sweep.topology),
    )


def _only(subject: Subject) -> SweepRow:
    sweeps = subject.sweeps()
    if len(sweeps) != 1:
        there = ", ".join(sweep.topology for sweep in sweeps) or "none"
        raise UsageError("llama-benchy's report holds one topology", f"choose it with --topology: {there}")
    return sweeps[0]


def _version(measured: list[MeasuredCell]) -> str:
    calculators = {cell.figures.calculator for cell in measured if cell.figures.figures}
    if len(calculators) != 1 or not (name := calculators.pop()).startswith(PREFIX):
        raise UsageError(
            "these figures are not llama-benchy's",
            "its formats take --calculator benchy-0.3.5 or benchy-0.4.0, and imported figures stay as they are",
        )
    return name.removeprefix(PREFIX)


def _benchmark(measured: MeasuredCell) -> Benchmark:
    cell = measured.cell
    return Benchmark(
        concurrency=cell.concurrency,
        context_size=cell.depth,
        prompt_size=cell.pp,
        response_size=cell.tg,
        is_context_prefill_phase=cell.shape == "context-load",
        metrics=dict(_metrics(measured)),
    )


def _metrics(measured: MeasuredCell) -> Iterator[tuple[str, Metric | None]]:
    for theirs, (ours, _) in FIGURES.items():
        figure = measured.figures.figures.get(ours)
        yield theirs, None if figure is None else _metric(figure)


def _metric(figure: Figure) -> Metric | None:
    """Return it as a metric; None where its spread is not known, which their format cannot say."""
    mean, std = figure.mean, figure.population_std
    return None if mean is None or std is None else Metric(mean, std, figure.values)
