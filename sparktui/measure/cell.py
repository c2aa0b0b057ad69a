"""A cell's figures: what its waves' figures add up to, with everything a reader needs to judge them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median

from sparktui.measure import pool, usage
from sparktui.measure.calculator_names import USAGE
from sparktui.measure.figures import USAGE_FIGURES, FigureKind
from sparktui.measure.record import WaveRecord
from sparktui.measure.statistics import mean, population_std, sample_std
from sparktui.measure.usage import Limits, WaveFigures


@dataclass(frozen=True, slots=True)
class CellContext:
    """What a calculator needs to know of a cell beside its waves."""

    concurrency: int
    prompt_tokens: int
    """Asked for, context included."""
    shape: str = "waves"
    latency_s: float | None = None
    """Of the idle server, as probed before the cell; None where it was not."""
    limits: Limits | None = None
    """What goodput is counted under; None for no goodput."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A figure of which a file tells no more than this."""

    mean: float
    std: float | None = None
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure over a cell: a value a wave, or a value a request, as its kind says."""

    kind: FigureKind
    values: tuple[float, ...]
    wave_means: tuple[float, ...] = ()
    """The mean of each wave's values, where there is one value a request and its wave is known."""
    stated: Stated | None = None
    """What a file says of it, where it does not tell the values."""

    @property
    def samples(self) -> tuple[float, ...]:
        """One value a wave, as intervals need them: requests of one wave depend on each other."""
        return self.wave_means if self.kind.per == "request" else self.values

    @property
    def n(self) -> int | None:
        """How many values; None where a file does not say."""
        return self.stated.n if self.stated else len(self.values)

    @property
    def mean(self) -> float | None:
        """The arithmetic mean."""
        return self.stated.mean if self.stated else mean(self.values)

    @property
    def sample_std(self) -> float | None:
        """The standard deviation with n - 1 below, or the one that a file states."""
        return self.stated.std if self.stated else sample_std(self.values)

    @property
    def population_std(self) -> float | None:
        """The standard deviation with n below, as llama-benchy prints it."""
        return self.stated.std if self.stated else population_std(self.values)


@dataclass(frozen=True, slots=True)
class CellFigures:
    """Every figure of a cell and how it was come by."""

    calculator: str
    figures: dict[str, Figure]
    """By name; one that no wave could give is left out."""
    waves: int
    requests: int
    errors: int
    error_kinds: dict[str, int] = field(default_factory=dict)
    token_source: str = "none"
    clock: str = "none"
    """kernel, user, or both: whose receive stamps."""
    lag_p50_us: float | None = None
    lag_p99_us: float | None = None
    """Of the median wave."""
    worker_cpu: float | None = None
    """Of the median wave, as a fraction of one core."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    notes: tuple[str, ...] = ()
    """What has to be said with these figures."""
    unknown: dict[str, str] = field(default_factory=dict)
    """Why a figure that others have is not among these, by its name."""

    def mean(self, name: str) -> float | None:
        """Return a figure's mean; None where there is no such figure."""
        figure = self.figures.get(name)
        return None if figure is None else figure.mean

    def values(self, name: str) -> tuple[float, ...]:
        """Return a figure's values; none where there is no such figure."""
        figure = self.figures.get(name)
        return () if figure is None else figure.values

    def samples(self, name: str) -> tuple[float, ...]:
        """Return a figure's values, one a wave; none where there is no such figure."""
        figure = self.figures.get(name)
        return () if figure is None else figure.samples


def cell_figures(waves: Sequence[WaveRecord], limits: Limits | None = None) -> CellFigures:
    """Compute a cell's `usage` figures from its measured waves; warm-up waves are not to be among them."""
    each = [usage.wave_figures(wave, limits) for wave in waves]
    return described(
        CellFigures(
            calculator=USAGE,
            figures=_figures(each),
            waves=len(waves),
            requests=sum(wave.requests for wave in each),
            errors=sum(wave.errors for wave in each),
            token_source=usage.token_source(good for wave in waves for good in usage.good_requests(wave.requests)),
            prompt_tokens=_sum([wave.prompt_tokens for wave in each]),
            completion_tokens=_sum([wave.completion_tokens for wave in each]),
            notes=tuple(dict.fromkeys(note for wave in waves if (note := pool.untold(wave)) is not None)),
            unknown=_unknown(each),
        ),
        waves,
    )


def _unknown(each: Sequence[WaveFigures]) -> dict[str, str]:
    """Say why there is no prefill, where requests were answered and not counted."""
    uncounted = any(wave.requests > wave.errors and wave.prompt_tokens is None for wave in each)
    return {"prefill_tps": "the server did not count its prompts"} if uncounted else {}


def described(figures: CellFigures, waves: Sequence[WaveRecord]) -> CellFigures:
    """Add what every calculator says alike: which requests failed, and how the client fared."""
    return replace(
        figures,
        error_kinds=usage.error_kinds(request for wave in waves for request in wave.requests),
        clock=" + ".join(sorted({wave.clock for wave in waves})) or "none",
        lag_p50_us=_median(wave.lag_p50_us for wave in waves),
        lag_p99_us=_median(wave.lag_p99_us for wave in waves),
        worker_cpu=_median(wave.worker_cpu for wave in waves),
    )


def _figures(each: Sequence[WaveFigures]) -> dict[str, Figure]:
    figures = (_figure(each, kind) for kind in USAGE_FIGURES)
    return {figure.kind.name: figure for figure in figures if figure.values}


def _figure(each: Sequence[WaveFigures], kind: FigureKind) -> Figure:
    if kind.per == "wave":
        found = (wave.value(kind.name) for wave in each)
        return Figure(kind, tuple(value for value in found if value is not None))
    return figure_by_request(kind, [getattr(wave, kind.name) for wave in each])


def figure_by_request(kind: FigureKind, by_wave: Iterable[Sequence[float]]) -> Figure:
    """Return a figure of one value a request; waves without any have no mean."""
    known = [values for values in by_wave if values]
    return Figure(kind, tuple(value for values in known for value in values), tuple(map(fmean, known)))


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None
