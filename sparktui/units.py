"""Numbers as text of a fixed width: a value that changes must not move what stands beside it. Unknown is `-`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

GIB = 1024**3
UNKNOWN = "-"
ABSURD = 1e15
"""No figure reaches this: a damaged one must not be hundreds of digits wide."""


def rate(value: float | None, width: int = 0) -> str:
    """Format tokens per second with the digits that carry meaning: `38.68`, `304.0`, `7 312`."""
    return _number(value).rjust(width)


def milliseconds(value: float | None, width: int = 0) -> str:
    """Format a latency in milliseconds: `0.21`, `51.3`, `1 342`."""
    return _number(value, two_decimals_below=10).rjust(width)


def whole(value: float) -> str:
    """Format a count: `12 288`."""
    if abs(value) >= ABSURD:
        return f"{value:.0e}"
    return f"{value:,.0f}".replace(",", " ")


def gib(size_bytes: float | None, width: int = 0) -> str:
    """Format bytes as GiB with one decimal."""
    if size_bytes is None:
        return UNKNOWN.rjust(width)
    value = size_bytes / GIB
    return (f"{value:.1f}" if abs(value) < ABSURD else whole(value)).rjust(width)


def percent(fraction: float | None, width: int = 0) -> str:
    """Format a fraction as a signed whole percentage: `+46 %`; under 10 % with one decimal: `+1.6 %`."""
    if fraction is None:
        return UNKNOWN.rjust(width)
    value = fraction * 100
    return (f"{value:+.1f} %" if abs(value) < 9.95 else f"{value:+.0f} %").rjust(width)


def percents(fractions: Iterable[float]) -> str:
    """Format the range of some fractions, the nearest to nothing first: `+14 to +24 %`; where they read alike, one."""
    ordered = sorted(fractions, key=abs)
    low, high = percent(ordered[0]), percent(ordered[-1])
    return low if low == high else f"{low.removesuffix(' %')} to {high}"


def shares(fractions: Iterable[float]) -> str:
    """Format the range of some fractions without their signs: `14 to 24 %`."""
    return percents(map(abs, fractions)).replace("+", "")


def duration(seconds: float | None) -> str:
    """Format a duration: `42 s`, `3 m 05 s`, `2 h 51 m`."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} m"


def seconds(text: str) -> float | None:
    """Read a duration as it is typed: `90`, `90s`, `10m`, `2h`; None where it is none, or not above zero."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    if found is None:
        return None
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}[found[2]] or None


def _number(value: float | None, two_decimals_below: float = 100) -> str:
    if value is None:
        return UNKNOWN
    if abs(value) < two_decimals_below:
        return f"{value:.2f}"
    if abs(value) < 1000:
        return f"{value:.1f}"
    return whole(value)


def percent_of(fraction: float | None) -> str:
    """Format a share of a whole: `37 %`."""
    return UNKNOWN if fraction is None else f"{fraction * 100:.0f} %"
