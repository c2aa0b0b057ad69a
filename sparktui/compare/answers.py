"""Advice and capacities as text and as data: what stands below the tables."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import pairwise

from sparktui.compare.advice import Advice, advise
from sparktui.compare.comparison import Comparison
from sparktui.compare.goodput import Capacity, UserLimits, capacities
from sparktui.compare.levels import span
from sparktui.compare.workload import Workload
from sparktui.units import UNKNOWN

INDENT = 2
NO_BREAK = "\u00a0"
UNDECIDED = "undecided"


def advice_lines(comparison: Comparison, width: int) -> list[str]:
    """Return a line for every use case: who, at which levels, what to serve with and why; none without advice."""
    found = advise(comparison)
    several = len({advice.workload for advice in found}) > 1
    names = [_who(advice, several) for advice in found]
    for at, (before, advice) in enumerate(pairwise(found), 1):
        if (before.use_case, before.workload) == (advice.use_case, advice.workload):
            names[at] = names[at].replace(advice.use_case, " " * len(advice.use_case))
    rows = [
        (name, advice.topology or UNDECIDED, advice_reason(advice)) for name, advice in zip(names, found, strict=True)
    ]
    return _columns(rows, width)


def capacity_lines(comparison: Comparison, limits: UserLimits, width: int) -> list[str]:
    """Return a line for every topology: how many users it serves within the limits, and what ends it."""
    found = capacities(comparison, limits)
    several = len({capacity.workload for capacity in found}) > 1
    rows = [
        (_named(capacity.topology, capacity.workload, several), users(capacity), why(capacity)) for capacity in found
    ]
    return _columns(rows, width)


def users(capacity: Capacity) -> str:
    """Say how many: `up to 14 users`, `64 users or more`, `not even 1 user`."""
    if capacity.users is None:
        return UNKNOWN
    if capacity.users == 0:
        return "under the first level"
    many = f"{capacity.users} user{'' if capacity.users == 1 else 's'}"
    return f"{many} or more" if capacity.more else f"up to {many}"


def why(capacity: Capacity) -> str:
    """Say what ends it and how that is known."""
    if capacity.users is None:
        return "a figure it takes is not known"
    broken = {"ttft": "TTFT", "tps_per_stream": "tok/s a stream", None: "no level measured breaks a limit"}
    ended = broken[capacity.broken] + (" ends it" if capacity.broken else "")
    estimated = (
        "" if capacity.between is None else f", estimated between c{capacity.between[0]} and c{capacity.between[1]}"
    )
    return f"{ended}{estimated} (by {' and '.join(capacity.basis)})"


def advice_json(comparison: Comparison) -> list[dict[str, object]]:
    """Return the advice as plain data."""
    return [
        {
            "use_case": advice.use_case,
            "metric": advice.metric,
            **_load(advice.workload),
            "levels": list(advice.levels),
            "topology": advice.topology,
            "means_only": advice.means_only,
            "awaited": list(advice.awaited),
            "waves": advice.waves,
            "reason": advice.reason,
        }
        for advice in advise(comparison)
    ]


def capacity_json(comparison: Comparison, limits: UserLimits) -> dict[str, object]:
    """Return the capacities within limits as plain data."""
    return {
        "ttft_ms": limits.ttft_ms,
        "tps_per_stream": limits.tps_per_stream,
        "topologies": [
            {
                "topology": capacity.topology,
                **_load(capacity.workload),
                "users": capacity.users,
                "or_more": capacity.more,
                "between": None if capacity.between is None else list(capacity.between),
                "broken": capacity.broken,
                "basis": list(capacity.basis),
            }
            for capacity in capacities(comparison, limits)
        ],
    }


def _load(workload: Workload) -> dict[str, object]:
    return {
        "pp": workload.pp or None,
        "tg": workload.tg or None,
        "depth": workload.depth,
        "shape": workload.shape,
    }


def _who(advice: Advice, several: bool) -> str:
    return _named(f"{advice.use_case} ({span(advice.levels)})", advice.workload, several)


def advice_reason(advice: Advice) -> str:
    """Say why, and how far that goes: by means alone, or only so far."""
    waves = (
        ""
        if advice.waves is None
        else f"about {advice.waves} waves would probably decide the tie (--runs {advice.waves})"
    )
    parts = (advice.reason, waves, "by means alone" if advice.means_only else "", "so far" if advice.awaited else "")
    return "; ".join(part for part in parts if part)


def _named(name: str, workload: Workload, several: bool) -> str:
    return f"{name}, {workload}" if several else name


def _columns(rows: Sequence[tuple[str, str, str]], width: int) -> list[str]:
    """Align the first two texts of every row and wrap the third beside them, or below where there is no room."""
    first, second = (max((len(row[at]) for row in rows), default=0) for at in (0, 1))
    return [line for row in rows for line in _wrapped(row, first, second, max(1, width - INDENT))]


def _wrapped(row: tuple[str, str, str], first: int, second: int, width: int) -> Iterable[str]:
    head = f"{row[0]:<{first}}  {row[1]:<{second}}"
    if len(head) + 2 + len(row[2]) <= width:
        return [f"{head}  {row[2]}"]
    whole_numbers = re.sub(r"(?<=\d) (?=[\d%])", NO_BREAK, row[2])
    lines = textwrap.wrap(whole_numbers, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
    return [head.rstrip(), *(line.replace(NO_BREAK, " ") for line in lines)]
