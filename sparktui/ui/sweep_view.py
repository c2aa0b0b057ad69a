"""What the Sweep screen is asked to show and shows: every figure over concurrency, and others' lines behind them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.tabulate import further_tables
from sparktui.compare.winners import MetricName

GhostKind = Literal["none", "published", "earlier"]
GHOSTS: tuple[GhostKind, ...] = ("none", "published", "earlier")
ORDER: tuple[MetricName, ...] = ("decode", "stream", "prefill", "ttft", "itl", "e2e", "output", "energy")
"""In which figures follow each other."""


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What the screen wants beside the campaign's own figures."""

    ghosts: GhostKind = "none"


@dataclass(frozen=True, slots=True)
class Reference:
    """Another campaign whose lines are drawn behind."""

    label: str
    """`published gemma4-26b-a4b`, `#3 of 23 Nov`."""
    tables: tuple[Table, ...]
    models: frozenset[str] = frozenset()
    """That were served, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Ghost:
    """The same figure of a reference."""

    label: str
    table: Table
    unlike: str | None
    """How its workload differs; None where it is the same."""


@dataclass(frozen=True, slots=True)
class SweepFigure:
    """One figure of one workload."""

    table: Table
    ghosts: tuple[Ghost, ...] = ()


@dataclass(frozen=True, slots=True)
class SweepView:
    """Every figure there is, in their order."""

    comparison: Comparison
    figures: tuple[SweepFigure, ...]
    ghosts: GhostKind = "none"


def every_table(comparison: Comparison) -> tuple[Table, ...]:
    """Return the metrics' tables and the further ones, those without a value left out."""
    tables = [*comparison.tables, *further_tables(comparison)]
    known = [table for table in tables if any(value is not None for row in table.rows for value in row.values.values())]
    return tuple(sorted(known, key=lambda table: (table.workload, ORDER.index(table.metric.name))))


def sweep_view(comparison: Comparison, references: Sequence[Reference] = (), ghosts: GhostKind = "none") -> SweepView:
    """Put a campaign's figures together with the same ones of its references."""
    tables = every_table(comparison)
    figures = tuple(SweepFigure(table, tuple(_ghosts(table, references))) for table in tables)
    return SweepView(comparison, figures, ghosts)


def _ghosts(table: Table, references: Iterable[Reference]) -> Iterable[Ghost]:
    for reference in references:
        same = [other for other in reference.tables if other.metric.name == table.metric.name]
        alike = [other for other in same if other.workload == table.workload]
        if alike:
            yield Ghost(reference.label, alike[0], None)
        elif len(same) == 1:
            yield Ghost(reference.label, same[0], str(same[0].workload))
