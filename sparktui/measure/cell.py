"""A cell's figures: what its waves' figures add up to, with everything a reader needs to judge them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from sparktui.measure import usage
from sparktui.measure.figures import FIGURES, FigureKind
from sparktui.measure.record import WaveRecord
from sparktui.measure.statistics import mean, population_std, sample_std
from sparktui.measure.usage import WaveFigures


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure over a cell: a value a wave, or a value a request, as its kind says."""

    kind: FigureKind
    values: tuple[float, ...]

    @property
    def n(self) -> int:
        """How many values."""
        return len(self.values)

    @property
    def mean(self) -> float | None:
        """The arithmetic mean."""
        return mean(self.values)

    @property
    def sample_std(self) -> float | None:
        """The standard deviation with n - 1 below."""
        return sample_std(self.values)

    @property
    def population_std(self) -> float | None:
        """The standard deviation with n below, as llama-benchy prints it."""
        return population_std(self.values)


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

    def mean(self, name: str) -> float | None:
        """Return a figure's mean; None where there is no such figure."""
        figure = self.figures.get(name)
        return None if figure is None else figure.mean

    def values(self, name: str) -> tuple[float, ...]:
        """Return a figure's values; none where there is no such figure."""
        figure = self.figures.get(name)
        return () if figure is None else figure.values


def cell_figures(waves: Sequence[WaveRecord]) -> CellFigures:
    """Compute a cell's figures from its measured waves; warm-up waves are not to be among them."""
    each = [usage.wave_figures(wave) for wave in waves]
    errors: Counter[str] = Counter()
    for wave in each:
        errors.update(wave.error_kinds)
    return CellFigures(
        calculator=usage.NAME,
        figures=_figures(each),
        waves=len(waves),
        requests=sum(wave.requests for wave in each),
        errors=sum(wave.errors for wave in each),
        error_kinds=dict(errors),
        token_source=usage.token_source(good for wave in waves for good in usage.good_requests(wave.requests)),
        clock=" + ".join(sorted({wave.clock for wave in waves})) or "none",
        lag_p50_us=_median(wave.lag_p50_us for wave in waves),
        lag_p99_us=_median(wave.lag_p99_us for wave in waves),
        worker_cpu=_median(wave.worker_cpu for wave in waves),
        prompt_tokens=_sum([wave.prompt_tokens for wave in each]),
        completion_tokens=_sum([wave.completion_tokens for wave in each]),
    )


def _figures(each: Sequence[WaveFigures]) -> dict[str, Figure]:
    figures = (Figure(kind, _values(each, kind)) for kind in FIGURES.values())
    return {figure.kind.name: figure for figure in figures if figure.values}


def _values(each: Sequence[WaveFigures], kind: FigureKind) -> tuple[float, ...]:
    found = (getattr(wave, kind.name) for wave in each)
    if kind.per == "request":
        return tuple(value for values in found for value in values)
    return tuple(value for value in found if value is not None)


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if values and len(known) == len(values) else None
