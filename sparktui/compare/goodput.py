"""How many users a topology serves within limits, such as TTFT under 1 s and 20 tok/s for each of them.

A limit is kept where 95 of 100 requests keep it: by the 95th percentile of a wave's TTFT, mean over waves, and the 5th
percentile of what each stream decodes, over all requests. Of an imported table that knows no more, the mean TTFT is
taken, and the aggregate decode over the number of users, and the answer says so. Between the largest level that keeps
every limit and the next, the figure's logarithm is taken to be straight over log2 of the concurrency: an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from sparktui.compare.cells import MeasuredCell
from sparktui.compare.comparison import Comparison
from sparktui.compare.workload import Workload
from sparktui.measure.cell import CellFigures
from sparktui.measure.statistics import percentile

SLOW_END_PERCENT = 5

Basis = Literal["95 % of requests", "means", "aggregate decode / users"]
LimitName = Literal["ttft", "tps_per_stream"]


@dataclass(frozen=True, slots=True)
class UserLimits:
    """What every user must get; None does not limit."""

    ttft_ms: float | None = None
    tps_per_stream: float | None = None

    def __bool__(self) -> bool:
        return self.ttft_ms is not None or self.tps_per_stream is not None

    def __str__(self) -> str:
        ttft = f"TTFT up to {self.ttft_ms:g} ms" if self.ttft_ms is not None else ""
        tps = f"{self.tps_per_stream:g} tok/s a stream" if self.tps_per_stream is not None else ""
        return ", ".join(text for text in (ttft, tps) if text)


NO_LIMITS = UserLimits()


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many users one topology serves within the limits."""

    topology: str
    workload: Workload
    users: int | None
    """0 where not even the lowest level keeps them; None where a figure they need is not known."""
    more: bool = False
    """No level measured breaks a limit: there may be room for more."""
    between: tuple[int, int] | None = None
    """The levels that `users` is interpolated between; None where it is a measured level."""
    broken: LimitName | None = None
    """The limit that ends it."""
    basis: tuple[Basis, ...] = ()


@dataclass(frozen=True, slots=True)
class _Held:
    """How far a level is within one limit: 0 at the limit, above it within."""

    limit: LimitName
    room: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class _Level:
    concurrency: int
    held: tuple[_Held, ...]

    @property
    def keeps(self) -> bool:
        return all(held.room >= 0 for held in self.held)


def capacities(comparison: Comparison, limits: UserLimits) -> tuple[Capacity, ...]:
    """Return every topology's answer, for each workload, in the order of the columns."""
    workloads = dict.fromkeys(table.workload for table in comparison.tables)
    return tuple(
        capacity(column.name, workload, [cell for cell in column.cells if cell.workload == workload], limits)
        for workload in workloads
        for column in comparison.columns
    )


def capacity(topology: str, workload: Workload, cells: Sequence[MeasuredCell], limits: UserLimits) -> Capacity:
    """Return the answer of one topology from its cells; one that is barred or unknown ends what is known."""
    levels = list(_known_levels(cells, limits))
    kept = list(takewhile(lambda level: level.keeps, levels))
    basis = tuple(dict.fromkeys(held.basis for level in levels[: len(kept) + 1] for held in level.held))
    if not levels:
        return Capacity(topology, workload, None)
    if len(kept) == len(levels):
        return Capacity(topology, workload, kept[-1].concurrency, more=True, basis=basis)
    above = levels[len(kept)]
    if not kept:
        broken = min(above.held, key=lambda held: held.room).limit
        return Capacity(topology, workload, 0, broken=broken, basis=basis)
    users, broken = _users(kept[-1], above)
    between = kept[-1].concurrency, above.concurrency
    return Capacity(topology, workload, users, between=between, broken=broken, basis=basis)


def _known_levels(cells: Sequence[MeasuredCell], limits: UserLimits) -> Iterable[_Level]:
    for cell in sorted(cells, key=lambda cell: cell.cell.concurrency):
        held = _held(cell.figures, cell.cell.concurrency, limits)
        if cell.barred is not None or held is None:
            return
        yield _Level(cell.cell.concurrency, held)


def _held(figures: CellFigures, concurrency: int, limits: UserLimits) -> tuple[_Held, ...] | None:
    """Return the room within each limit, as a logarithm; None where a figure is not known."""
    held = []
    if limits.ttft_ms is not None:
        ttft, basis = _ttft_ms(figures)
        if ttft is None or ttft <= 0:
            return None
        held.append(_Held("ttft", math.log(limits.ttft_ms / ttft), basis))
    if limits.tps_per_stream is not None:
        tps, basis = _tps_per_stream(figures, concurrency)
        if tps is None or tps <= 0:
            return None
        held.append(_Held("tps_per_stream", math.log(tps / limits.tps_per_stream), basis))
    return tuple(held)


def _ttft_ms(figures: CellFigures) -> tuple[float | None, Basis]:
    slow = figures.mean("ttft_p95_ms")
    return (figures.mean("ttft_ms"), "means") if slow is None else (slow, "95 % of requests")


def _tps_per_stream(figures: CellFigures, concurrency: int) -> tuple[float | None, Basis]:
    if streams := figures.values("decode_tps_stream"):
        return percentile(streams, SLOW_END_PERCENT), "95 % of requests"
    if (stated := figures.mean("decode_tps_stream")) is not None:
        return stated, "means"
    aggregate = figures.mean("decode_tps")
    return None if aggregate is None else aggregate / concurrency, "aggregate decode / users"


def _users(below: _Level, above: _Level) -> tuple[int, LimitName]:
    """Return the first limit to break between two levels, and how many users that leaves."""
    low, high = math.log2(below.concurrency), math.log2(above.concurrency)
    shares = (
        (within.room / (within.room - broken.room), broken.limit)
        for within, broken in zip(below.held, above.held, strict=True)
        if broken.room < 0
    )
    share, limit = min(shares)
    return math.floor(2 ** (low + share * (high - low))), limit
