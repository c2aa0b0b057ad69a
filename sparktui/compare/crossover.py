"""From how many users on the order of two topologies is the other one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from sparktui.compare.winners import Metric, MetricName


@dataclass(frozen=True, slots=True)
class Crossover:
    """One flip of the order of two topologies."""

    metric: MetricName
    below: str
    """The better one at fewer users."""
    above: str
    """The better one at more."""
    concurrency: float
    """Where they are equal, as a point estimate."""
    between: tuple[int, int]
    """The measured levels on both sides."""


def crossovers(
    metric: Metric, first: str, second: str, first_values: Mapping[int, float], second_values: Mapping[int, float]
) -> tuple[Crossover, ...]:
    """Return every flip of the order, by rising level; levels that only one of them has are left out.

    Between two levels the logarithm of the ratio is taken to be straight over log2 of the concurrency.
    """
    leads = [
        (level, _lead(metric, first_values[level], second_values[level]))
        for level in sorted(first_values.keys() & second_values.keys())
    ]
    equal = [level for level, lead in leads if lead == 0]
    decided = [(level, lead) for level, lead in leads if lead != 0]
    return tuple(
        Crossover(
            metric.name,
            below=first if before[1] > 0 else second,
            above=second if before[1] > 0 else first,
            concurrency=_point(before, after, [level for level in equal if before[0] < level < after[0]]),
            between=(before[0], after[0]),
        )
        for before, after in pairwise(decided)
        if (before[1] > 0) != (after[1] > 0)
    )


def _lead(metric: Metric, first: float, second: float) -> float:
    """Return how far the first is ahead, as a logarithm of the ratio; negative where it is behind."""
    lead = math.log(first / second)
    return lead if metric.better == "higher" else -lead


def _point(before: tuple[int, float], after: tuple[int, float], equal: list[int]) -> float:
    if equal:
        return float(2 ** (sum(math.log2(level) for level in equal) / len(equal)))
    share = before[1] / (before[1] - after[1])
    low, high = math.log2(before[0]), math.log2(after[0])
    return float(2 ** (low + share * (high - low)))
