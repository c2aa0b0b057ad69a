"""The axis of figures in Sweep: where a value stands, and which round numbers fall on the axis."""

from __future__ import annotations

import math

from sparktui.compare.winners import LEAST, MOST, Row
from sparktui.exporting.interval import mean_interval
from sparktui.exporting.scale import LOG_FROM_RATIO, log_ticks, straight_ticks, thinned
from sparktui.ui.chart import Axis
from sparktui.ui.sweep_view import SweepFigure
from sparktui.units import whole

AIR = 1.04
"""How far an axis reaches beyond what is drawn."""


class Scale:
    """The axis of the figures: straight from zero, or logarithmic where that is asked for or latencies differ much."""

    def __init__(self, figure: SweepFigure, log: bool | None) -> None:
        tables = (figure.table, *(ghost.table for ghost in figure.ghosts))
        values = [value for table in tables for row in table.rows for value in _extent(row)]
        self._highest = max(values, default=1.0)
        self._lowest = min((value for value in values if value > 0), default=self._highest)
        wide = self._lowest > 0 and self._highest / self._lowest > LOG_FROM_RATIO
        self.log = (figure.table.metric.better == "lower" and wide) if log is None else log and self._lowest > 0

    def axis(self) -> Axis:
        """Return the axis: a little longer than what is drawn, with the round numbers that fall on it."""
        ticks = thinned(log_ticks(self._lowest, self._highest)) if self.log else straight_ticks(self._highest)
        low, high = (self._lowest / AIR, self._highest * AIR) if self.log else (0.0, self._highest * AIR)
        round_ones = [tick for tick in ticks if low <= tick <= high]
        shown = round_ones if len(round_ones) > 1 else [self._lowest, self._highest]
        labelled = ((self.place(tick), _label(tick)) for tick in shown)
        ends = (self.place(low) or 0.0, self.place(high) or 0.0)
        return Axis(*ends, tuple((place, label) for place, label in labelled if place is not None))

    def place(self, value: float | None) -> float | None:
        """Return where a value stands on the axis; None where it is not known, or no logarithm of it is."""
        if value is None or not self.log:
            return value
        return math.log2(value) if value > 0 else None


def _label(tick: float) -> str:
    """Write a tick as the tables do: `2.5`, `500`, `10 000`."""
    return f"{tick:.4g}" if tick < 1000 else whole(tick)


def _extent(row: Row) -> list[float]:
    """Return a row's values with the ends of their intervals, as far as they are figures at all."""
    intervals = [mean_interval(estimate) for estimate in row.estimates.values()]
    ends = [end for interval in intervals if interval is not None for end in interval]
    return [value for value in (*row.values.values(), *ends) if value is not None and LEAST < value < MOST]
