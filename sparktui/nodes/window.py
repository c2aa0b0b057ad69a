"""A stretch of one node's samples, and what can be said of a reading over it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

from sparktui.nodes.sample import NodeSample

Window = Sequence[NodeSample]
Counter = Callable[[NodeSample], int | None]

REACHES = 0.9
"""Of the time asked for, that samples must span: they come twice a second, not on the dot."""


def recent(samples: Window, seconds: float) -> Window:
    """Return the samples of the last seconds before the newest, by the node's own clock; they are oldest first."""
    return [sample for sample in samples if sample.t >= samples[-1].t - seconds]


def before(samples: Window, seconds: float) -> Window:
    """Return the samples but for those of the last seconds."""
    return [sample for sample in samples if sample.t <= samples[-1].t - seconds]


def last(samples: Window, seconds: float) -> Window:
    """Return the samples of the last seconds; none where they do not reach that far back."""
    window = recent(samples, seconds)
    return window if span_s(window) >= REACHES * seconds else ()


def span_s(window: Window) -> float:
    """Return how much time the window covers."""
    return window[-1].t - window[0].t if window else 0.0


def middle(values: Iterable[float | None]) -> float | None:
    """Return the median of what is known."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def highest(values: Iterable[float | None]) -> float | None:
    """Return the largest of what is known."""
    return max((value for value in values if value is not None), default=None)


def moved(window: Window, counter: Counter) -> int | None:
    """Return how far a counter went over the window; None where it is not known, or began again."""
    known = [value for sample in window if (value := counter(sample)) is not None]
    if len(known) < 2 or known != sorted(known):
        return None
    return known[-1] - known[0]
