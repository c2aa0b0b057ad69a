"""A level's answer in words, in every length there may be room for: `cluster-tp2 +46 %`, `tie, +22 % vs solo`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from sparktui.compare.interval import Interval
from sparktui.compare.winners import Row
from sparktui.units import UNKNOWN, percent, percents

SO_FAR = " so far"
"""What an answer is while others are still to be measured."""
PART = re.compile(r"(?=[-_/.])")
"""Where a name may be cut so that what is left still says which it is."""
MIN_SHARED = 4
"""Columns: for fewer nobody needs a name to be cut."""


def verdict(row: Row, *, named: bool = False) -> str:
    """Say who wins: `cluster-tp2 +46 %`, `cluster-tp2 = cluster-tp2-ray, +22 % vs solo`, or `-`.

    Args:
        row: The level.
        named: Say whom a winner's margin is against, or nothing of it: what stands above the column is somebody else.
    """
    return verdicts(row, named=named)[0]


def verdicts(row: Row, *, named: bool = False, sure: bool = False) -> tuple[str, ...]:
    """Return the same in every length, the fullest first.

    Args:
        row: The level.
        named: As in `verdict`.
        sure: Give the interval of the margin, in all lengths of a winner's and in the longest of a tie's.
    """
    if row.only is not None:
        return _only(row, row.only)
    if row.winner is None:
        return (UNKNOWN,)
    return _tie(row, named, sure) if row.tie else _winner(row, named, sure)


def tie_in_numbers(row: Row) -> str:
    """Say of a tie only how far ahead of whom all of them are: `tie, +17 to +18 % vs solo`; nothing of what is none."""
    return f"tie, {_leads(row)}" if row.tie and row.lead_over is not None else ""


def fitting(texts: Sequence[str], room: int) -> str:
    """Return the first text that fits, or else the last."""
    return next((text for text in texts if len(text) <= room), texts[-1])


def equal(names: Sequence[str]) -> str:
    """Say that some topologies are equally good: `solo = shuffle`."""
    return " = ".join(names)


def equal_in_short(names: Sequence[str]) -> str:
    """Say the same without repeating what a name begins with: `cluster-tp2 = …-ray`."""
    first, *others = names
    return equal([first, *(_rest(first, other) for other in others)])


def span(interval: Interval) -> str:
    """Return the interval of a margin: `+1.4 to +2.0`."""
    low, high = interval
    return f"{low * 100:+.1f} to {high * 100:+.1f}"


def _only(row: Row, name: str) -> tuple[str, ...]:
    """Say that there was nobody to compare with; others that have a value cannot be ranked by it."""
    others = [value for other, value in row.values.items() if other != name and value is not None]
    return f"only {name} {'counts' if others else 'measured'}", f"only {name}"


def _winner(row: Row, named: bool, sure: bool) -> tuple[str, ...]:
    margin = f"{row.winner} {percent(row.margin)}"
    if not named:
        return (f"{margin}{_sure(row, sure)}",)
    return f"{margin} vs {row.against}{_sure(row, sure)}", row.winner or UNKNOWN


def _tie(row: Row, named: bool, sure: bool) -> tuple[str, ...]:
    """Name who ties and how far ahead of the others they are; where they lead nobody, how far apart the first are."""
    full, short = equal(row.tied), equal_in_short(row.tied)
    apart = f" {percent(row.margin)}" if row.against in row.tied else ""
    if row.lead_over is None:
        margin = apart or f" {percent(row.margin)} vs {row.against}"
        return f"{full}{margin}{_sure(row, sure)}", f"{full}{margin}", f"{short}{margin}", f"tie{margin}"
    by = f"vs {row.lead_over}"
    said = f", {_leads(row)}"
    longest = f"{full}{apart}{_sure(row, sure)}{said}" if apart else f"{full}{said}{_sure(row, sure)}"
    least = f"tie, {_at_least(row.leads)}"
    shortest = f"{least} vs next" if apart else "tie" if named else least
    shorter = (f"{full}{said}", f"{short}{said}", f"tie{said}", f"{least} {by}", shortest)
    return (longest, *shorter) if sure else shorter


def _leads(row: Row) -> str:
    return f"{percents(row.leads)} vs {row.lead_over}"


def _at_least(leads: Sequence[float]) -> str:
    """Say what all of them reach: `+17 %` where they read alike, else `≥+17 %`, and of a latency `≤-15 %`."""
    nearest = percent(min(leads, key=abs))
    if percents(leads) == nearest:
        return nearest
    return f"{'≥' if leads[0] > 0 else '≤'}{nearest}"


def _sure(row: Row, sure: bool) -> str:
    return f" ({span(row.interval)})" if sure and row.interval is not None else ""


def _rest(first: str, name: str) -> str:
    """Return what tells a name from the first one, cut between two of its parts."""
    parts = PART.split(name)
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(PART.split(first), parts[:-1], strict=False))
    cut = "".join(part for part, _ in shared)
    return f"…{name[len(cut) :]}" if len(cut) >= MIN_SHARED else name
