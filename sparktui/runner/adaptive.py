"""When a cell has been measured long enough: its intervals are narrow, or its order among the others is plain.

Looking after every wave and stopping at the first interval that is narrow enough makes intervals look narrower than
they are (Anscombe 1953; Chow and Robbins 1965 show that the error fades as they get narrow). Three things keep it
small: no look before a floor of waves, Student's t instead of the normal law, and a quarter more waves after the first
look that would have ended it, taken whatever they say. docs/measuring.md holds the coverage found by simulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sparktui.compare.interval import estimate, log_ratio, ratio_interval, t_quantile
from sparktui.compare.winners import METRICS, TIE_THRESHOLD

RANKED = tuple(metric.figure for metric in METRICS.values() if metric.measured)
"""The figures whose means have to be known: decode, prefill, time to first token."""
CONFIDENCE = 0.95
ORDER_CONFIDENCE = 0.99
"""An order looked at after every wave has many chances to look plain by accident."""
CONFIRMATION = 0.25
"""Of the waves at the first look that would have ended a cell, taken on top."""

Samples = Mapping[str, Sequence[float]]
"""By figure, one value a wave."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a cell is measured at least, at most, and how well."""

    precision: float
    """Half the width of the 95 % interval of a mean, as a fraction of it."""
    floor: int
    runs: int


def why_stop(samples: Samples, rule: Rule, rivals: Collection[Samples] = ()) -> str | None:
    """Say why a cell needs no more waves; None where it does, or where it has all it may have.

    Args:
        samples: What it has measured, in the order of its waves.
        rule: Its limits.
        rivals: The same level of other topologies; where there are some, a figure whose order to each of them is plain
            need not be precise too. Without any, precision alone decides.
    """
    waves = min((len(samples.get(name, ())) for name in RANKED), default=0)
    if waves >= rule.runs:
        return None
    for look in range(rule.floor, waves + 1):
        if _enough(_first(samples, look), rule, rivals):
            return _said(samples, waves, rule) if waves >= look + math.ceil(CONFIRMATION * look) else None
    return None


def relative_half_width(values: Sequence[float]) -> float:
    """Return half the width of a mean's 95 % interval as a fraction of the mean; infinite where it is not known."""
    found = estimate(values)
    return math.inf if found is None else t_quantile(found.freedom, CONFIDENCE) * math.sqrt(found.variance)


def is_plain(mine: Sequence[float], theirs: Sequence[float], confidence: float = ORDER_CONFIDENCE) -> bool:
    """Tell whether two means differ by more than a tie, beyond doubt at this confidence."""
    first, second = estimate(mine), estimate(theirs)
    interval = ratio_interval(first, second, confidence)
    if first is None or second is None or interval is None or interval[0] <= 1 <= interval[1]:
        return False
    return abs(log_ratio(first, second).value) > TIE_THRESHOLD


def _enough(samples: Samples, rule: Rule, rivals: Collection[Samples]) -> bool:
    return all(
        relative_half_width(samples[name]) <= rule.precision
        or (bool(rivals) and all(is_plain(samples[name], rival.get(name, ())) for rival in rivals))
        for name in RANKED
    )


def _first(samples: Samples, waves: int) -> Samples:
    return {name: samples[name][:waves] for name in RANKED}


def _said(samples: Samples, waves: int, rule: Rule) -> str:
    widest = max(relative_half_width(samples[name]) for name in RANKED)
    how = "interval" if widest <= rule.precision else "order plain, interval"
    return f"{how} ±{100 * widest:.1f} % after {waves} of {rule.runs} waves"
