"""A cumulative histogram as Prometheus has it, and what one tells of the time between two looks at it; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of what was seen up to each bound since the engine was started."""

    bounds: tuple[float, ...]
    """Rising; the last is infinite where the engine says so."""
    counts: tuple[float, ...]
    """Up to and including each bound, so never falling."""

    @property
    def total(self) -> float:
        """How many were seen."""
        return self.counts[-1] if self.counts else 0.0

    def since(self, before: Histogram) -> Histogram | None:
        """Return what was seen between an earlier look and this one; None where it began anew, or is another."""
        if before.bounds != self.bounds:
            return None
        moved = tuple(now - then for now, then in zip(self.counts, before.counts, strict=True))
        return None if any(step < 0 for step in moved) else Histogram(self.bounds, moved)

    def quantile(self, share: float) -> float | None:
        """Return the value under which a share of what was seen lies, by straight lines within buckets.

        That is Prometheus' `histogram_quantile`: the first bucket begins at zero, and of what lies above the last
        finite bound only that bound is known. None where nothing was seen.
        """
        if self.total <= 0:
            return None
        rank = share * self.total
        at = next(i for i, count in enumerate(self.counts) if count >= rank)
        if math.isinf(self.bounds[at]):
            return self.bounds[at - 1] if at else None
        below, low = (self.counts[at - 1], self.bounds[at - 1]) if at else (0.0, 0.0)
        inside = self.counts[at] - below
        return low + (self.bounds[at] - low) * ((rank - below) / inside if inside else 1.0)


def summed(parts: Iterable[Histogram | None]) -> Histogram | None:
    """Return what several engines saw together; None where one of them is not known, or their buckets differ."""
    every = list(parts)
    known = [part for part in every if part is not None]
    if not known or len(known) < len(every) or len({part.bounds for part in known}) > 1:
        return None
    return Histogram(known[0].bounds, tuple(map(sum, zip(*(part.counts for part in known), strict=True))))
