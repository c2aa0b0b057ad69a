"""Which samples of a node the energy of a cell is read from; without the others it is the same to a bit. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import TypeAlias

from sparktui.compare.energy import MAX_GAP_S, MIN_SAMPLES, EnergyCurve, PowerSample, energy_curve

APART_S = MAX_GAP_S / 2
"""Between those that stay, at the most: no gap opens, and power is known near every moment of the counter."""

Span: TypeAlias = tuple[float, float]


def needed(samples: Sequence[PowerSample], windows: Sequence[Span]) -> frozenset[float]:
    """Return the moments of the samples that are needed to tell what was taken in some windows.

    By the GPU's own counter, those at the edges of each window and a few between them tell the same; by power, every
    sample counts.

    Args:
        samples: Of one node over one cell, in their order.
        windows: When its waves ran.
    """
    curve = energy_curve(samples)
    if curve is None:
        return frozenset()
    everything = frozenset(sample.t for sample in samples)
    kept = _edges(curve, windows) | _spaced(curve.times)
    return kept if tells_the_same(samples, kept, windows) else everything


def tells_the_same(samples: Sequence[PowerSample], kept: Collection[float], windows: Sequence[Span]) -> bool:
    """Tell whether the samples of some moments say of the windows what all of them say, to the last bit."""
    curve, thinner = energy_curve(samples), energy_curve([sample for sample in samples if sample.t in kept])
    if curve is None or thinner is None:
        return curve is thinner
    if curve.method != thinner.method or _enough(curve, windows) != _enough(thinner, windows):
        return False
    return all(curve.taken_j(*window) == thinner.taken_j(*window) for window in windows)


def _edges(curve: EnergyCurve, windows: Sequence[Span]) -> frozenset[float]:
    times = curve.times
    places = {place for window in windows for moment in window for place in _around(times, moment)}
    return frozenset(times[place] for place in places if 0 <= place < len(times))


def _around(times: Sequence[float], moment: float) -> range:
    return range(bisect_left(times, moment) - 1, bisect_right(times, moment) + 1)


def _spaced(times: Sequence[float]) -> frozenset[float]:
    kept = [times[0]]
    for before, t in pairwise(times):
        if t - kept[-1] > APART_S:
            kept.append(before)
    return frozenset((*kept, times[-1]))


def _enough(curve: EnergyCurve, windows: Sequence[Span]) -> bool:
    return sum(curve.samples_within(*window) for window in windows) >= MIN_SAMPLES
