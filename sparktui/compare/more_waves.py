"""How many waves would probably tell apart what ties: the interval of the ratio, asked the other way round.

A wave's own variance is taken to stay what it was, so half the width of the interval of a ratio shrinks about as the
square root of the waves (`interval` has its formula, and Student's t for few waves is kept). Where it is `POWER_SHARE`
of the difference that was seen, most races would be decided if that is the true difference: 1.96 standard errors of
1.96 + 0.84 are the usual power of 0.8 (Cohen 1988), of which 0.76 was left in synthetic races, whose variance had to be
guessed from 3, 5 or 10 waves. It is no promise: where the true difference is smaller, they stay a tie.
"""

from __future__ import annotations

from collections.abc import Iterable

from sparktui.compare.interval import WAVES_FOR_LINE, Estimate, LogRatio, log_ratio
from sparktui.compare.winners import TIE_THRESHOLD, Row

POWER_SHARE = 1.96 / (1.96 + 0.84)
FEWEST = 3
"""Waves that have to be known of each: of two, the variance is anybody's guess."""
MOST = 200
"""Waves: nobody runs more for a difference this small."""


def more_waves(rows: Iterable[Row]) -> int | None:
    """Return how many waves a level would probably decide all of these ties; None where no such number is known.

    Those under the threshold stay a tie however many waves there are, and say nothing.
    """
    needed = [_needed(row, other) for row in rows if row.tie for other in row.tied if _may_be_told(row, other)]
    known = [waves for waves in needed if waves is not None]
    return _rounded(max(known)) if known and len(known) == len(needed) else None


def _may_be_told(row: Row, other: str) -> bool:
    best, value = row.values.get(row.winner or ""), row.values.get(other)
    return other != row.winner and bool(best) and bool(value) and abs((best or 0) / (value or 1) - 1) >= TIE_THRESHOLD


def _needed(row: Row, other: str) -> int | None:
    best, rival = row.estimates.get(row.winner or ""), row.estimates.get(other)
    if best is None or rival is None or min(best.waves, rival.waves) < FEWEST:
        return None
    if not _told_by(best, rival, MOST):
        return None
    return next(waves for waves in range(min(best.waves, rival.waves) + 1, MOST + 1) if _told_by(best, rival, waves))


def _told_by(best: Estimate, rival: Estimate, waves: int) -> bool:
    freedom = waves - 2 if waves >= WAVES_FOR_LINE else waves - 1
    value = log_ratio(best, rival).value
    parts = tuple((known.variance * known.waves / waves, float(freedom)) for known in (best, rival))
    return LogRatio(value, parts).half_width() <= POWER_SHARE * abs(value)


def _rounded(waves: int) -> int:
    """Return it up to the next five, or from 50 on the next ten: it is known no better."""
    step = 1 if waves < 10 else 5 if waves < 50 else 10
    return -(-waves // step) * step
