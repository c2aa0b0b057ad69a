"""Whether the engine's own token counters and the tokens that arrived here tell the same story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from sparktui.measure.live import Point, count_at, since_reset
from sparktui.units import percent, whole

MAX_OFF = 0.05
"""Of the engine's count: how far apart the two may be before it is said."""
WINDOW_S = 10.0
"""Of the comparison in flight: the engine is asked once a second, and a second's tokens are not to decide it."""
MIN_WINDOW_S = 3.0
MIN_TOKENS = 100
"""Fewer say nothing: one token more or less would be over a per cent."""
STILL_TOKENS = 20
"""Arrived here while the engine's counter stood still: it counts a request's tokens only when that has ended."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Tokens over the same stretch of time, by both counts."""

    engine: float
    here: float

    @property
    def off(self) -> float:
        """How far the count here is from the engine's, as a share of the engine's; negative where fewer arrived."""
        return self.here / self.engine - 1

    @property
    def disagrees(self) -> bool:
        """Whether that is too far to be chance."""
        return abs(self.off) > MAX_OFF


def over_cell(engine: float | None, here: float | None) -> Agreement | None:
    """Compare what an engine's counter moved by with what was counted here; None where either is not known."""
    return None if engine is None or here is None or engine <= 0 else Agreement(engine, here)


def in_flight(engine: Sequence[Point], here: Sequence[Point], window_s: float = WINDOW_S) -> Agreement | None:
    """Compare two counters over the last seconds they share; None while too little is known.

    None too for engines that count a request's tokens when it has ended (SGLang, llama.cpp): theirs can only be held
    against whole cells.

    Args:
        engine: The engine's counter at each look, oldest first; summed over engines.
        here: The count of what has arrived, oldest first; looked at more often.
        window_s: How far back to look from the newest of `engine`.
    """
    theirs, ours = since_reset(engine), since_reset(here)
    if not ours or not theirs:
        return None
    shared = [point for point in theirs if ours[0][0] <= point[0] <= ours[-1][0]]
    recent = [point for point in shared if point[0] >= shared[-1][0] - window_s]
    if not recent or recent[-1][0] - recent[0][0] < MIN_WINDOW_S:
        return None
    (start, before), (end, after) = recent[0], recent[-1]
    if after - before < MIN_TOKENS or _counts_at_the_end(recent, ours):
        return None
    return Agreement(after - before, count_at(ours, end) - count_at(ours, start))


def _counts_at_the_end(engine: Sequence[Point], here: Sequence[Point]) -> bool:
    return any(
        before == after and count_at(here, end) - count_at(here, start) >= STILL_TOKENS
        for (start, before), (end, after) in pairwise(engine)
    )


def told(kind: str, found: Agreement) -> str:
    """Say what both counted, and how far apart that is."""
    return (
        f"the engine counts {whole(found.engine)} {kind} tokens, this client {whole(found.here)} ({percent(found.off)})"
    )
