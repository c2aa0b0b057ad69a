"""Known figures from what tools write: lists of values, or a mean with its spread."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta

from sparktui.compare.fingerprint import Fingerprint
from sparktui.importing.imported import ImportedCell, KnownFigure, Per
from sparktui.measure.statistics import mean, population_std
from sparktui.store.rows import Level as Level
from sparktui.store.rows import Moment as Moment

Positive = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0, le=2**53)]


def of_values(name: str, values: Sequence[float], per: Per, scale: float = 1.0) -> tuple[KnownFigure, ...]:
    """Return a figure from its values, with the population's standard deviation; nothing where there are none."""
    scaled = tuple(value * scale for value in values)
    centre, std = mean(scaled), population_std(scaled)
    if centre is None or not math.isfinite(centre):
        return ()
    return (KnownFigure(name, centre, std, len(scaled), per, scaled),)


def of_mean(
    name: str,
    value: float | None,
    std: float | None = None,
    n: int | None = None,
    per: Per = "cell",
    scale: float = 1.0,
) -> tuple[KnownFigure, ...]:
    """Return a figure of which only the mean is known; nothing where it is not."""
    if value is None:
        return ()
    return (KnownFigure(name, value * scale, None if std is None else std * scale, n, per),)


def shared(cells: Iterable[ImportedCell], fingerprint: Fingerprint) -> Fingerprint:
    """Return the fingerprint with the workload that all cells share; what differs or is not known stays unknown."""
    loads = list(cells)

    def common(values: set[int]) -> int | None:
        return next(iter(values)) if len(values) == 1 and values != {0} else None

    shapes = {cell.shape for cell in loads}
    depths = {cell.depth for cell in loads if cell.pp}
    return Fingerprint(
        model=fingerprint.model,
        pp=common({cell.pp for cell in loads}),
        tg=common({cell.tg for cell in loads}),
        depth=next(iter(depths)) if len(depths) == 1 else None,
        shape=shapes.pop() if len(shapes) == 1 else None,
        calculator=fingerprint.calculator,
        token_source=fingerprint.token_source,
        simulated=fingerprint.simulated,
        engine=fingerprint.engine,
    )
