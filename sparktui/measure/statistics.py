"""The few statistics that every figure needs, on plain sequences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Where values lie; every field is None of nothing."""

    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None


def mean(values: Sequence[float]) -> float | None:
    """Return the arithmetic mean; None of nothing."""
    return math.fsum(values) / len(values) if values else None


def sample_std(values: Sequence[float]) -> float | None:
    """Return the standard deviation with n - 1 below; None of fewer than two values."""
    return math.sqrt(_squares(values) / (len(values) - 1)) if len(values) > 1 else None


def population_std(values: Sequence[float]) -> float | None:
    """Return the standard deviation with n below, which is the one llama-benchy prints; None of nothing."""
    return math.sqrt(_squares(values) / len(values)) if values else None


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Return a percentile, interpolated between the two nearest values (numpy's default); None of nothing."""
    return _percentile_of_ordered(sorted(values), percent)


def spread(values: Sequence[float]) -> Spread:
    """Return the mean and the usual percentiles of values in any order."""
    ordered = sorted(values)
    return Spread(mean(ordered), *(_percentile_of_ordered(ordered, percent) for percent in (50, 90, 95, 99)))


def _percentile_of_ordered(ordered: Sequence[float], percent: float) -> float | None:
    if not ordered:
        return None
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _squares(values: Sequence[float]) -> float:
    centre = math.fsum(values) / len(values)
    return math.fsum((value - centre) ** 2 for value in values)
