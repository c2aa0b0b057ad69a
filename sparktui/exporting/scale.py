"""From figures to places in a plot, and the ticks of its axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

TICKS = 6
"""At most, on an axis of figures."""
LOG_FROM_RATIO = 8
"""Latencies that lie further apart than this get a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight or a logarithmic axis between two places."""

    low: float
    high: float
    start: float
    """Where `low` is."""
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return the place of a value; an axis of one value only has it in the middle."""
        bend: Callable[[float], float] = math.log2 if self.log else float
        low, high = bend(self.low), bend(self.high)
        share = 0.5 if high == low else (bend(value) - low) / (high - low)
        return self.start + share * (self.end - self.start)


def level_axis(levels: Sequence[int], start: float, end: float) -> Axis:
    """Return the log2 axis of concurrency."""
    return Axis(min(levels), max(levels), start, end, log=True)


def figure_axis(values: Sequence[float], start: float, end: float, *, latency: bool) -> tuple[Axis, list[float]]:
    """Return the axis of a figure and its ticks: rates from zero on, latencies that differ much on a log axis."""
    highest, lowest = max(values, default=1.0), min(values, default=1.0)
    if latency and lowest > 0 and highest / lowest > LOG_FROM_RATIO:
        ticks = log_ticks(lowest, highest)
        return Axis(ticks[0], ticks[-1], start, end, log=True), thinned(ticks)
    ticks = straight_ticks(highest)
    return Axis(0.0, ticks[-1], start, end), ticks


def straight_ticks(highest: float) -> list[float]:
    """Return round numbers from zero to the first one that is not below the highest value."""
    if highest <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(highest / (TICKS - 1)))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor * (TICKS - 1) >= highest)
    steps = math.ceil(highest / step - 1e-9)
    return [step * number for number in range(steps + 1)]


def log_ticks(lowest: float, highest: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten, from the last not above the lowest to the first not below the highest."""
    first = math.floor(math.log10(lowest))
    series = [factor * 10.0 ** (first + power) for power in range(14) for factor in (1, 2, 5)]
    start = max(index for index, value in enumerate(series) if value <= lowest * (1 + 1e-9))
    end = next((index for index in count(start + 1) if index == len(series) - 1 or series[index] >= highest), start + 1)
    return series[start : end + 1]


def thinned(ticks: Sequence[float]) -> list[float]:
    """Leave ticks out until there is room for all."""
    return list(ticks[:: max(1, math.ceil(len(ticks) / (TICKS + 1)))])
