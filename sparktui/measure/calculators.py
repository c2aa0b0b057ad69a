"""Every calculator by its name: the rules that turn a cell's recorded events into figures, applied whenever asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sparktui.errors import UsageError
from sparktui.measure.benchy import cell_figures_0_3_5, cell_figures_0_4_0
from sparktui.measure.calculator_names import BENCHY_0_3_5, BENCHY_0_4_0, USAGE
from sparktui.measure.calculator_names import DEFAULT as DEFAULT
from sparktui.measure.cell import CellContext, CellFigures, cell_figures
from sparktui.measure.record import WaveRecord


@dataclass(frozen=True, slots=True)
class Calculator:
    """One rule, and what it has to be given."""

    name: str
    figures: Callable[[Sequence[WaveRecord], CellContext], CellFigures]
    """Takes a cell's measured waves, warm-up left out."""
    needs_events: bool
    """Whether it is wrong without the token events, which are most of what a store holds."""


def _usage(waves: Sequence[WaveRecord], context: CellContext) -> CellFigures:
    return cell_figures(waves, context.limits)


CALCULATORS: Mapping[str, Calculator] = {
    USAGE: Calculator(USAGE, _usage, needs_events=False),
    BENCHY_0_3_5: Calculator(BENCHY_0_3_5, cell_figures_0_3_5, needs_events=True),
    BENCHY_0_4_0: Calculator(BENCHY_0_4_0, cell_figures_0_4_0, needs_events=True),
}


def find_calculator(name: str) -> Calculator:
    """Return a calculator.

    Raises:
        UsageError: There is none of that name; the hint lists those there are.
    """
    if name not in CALCULATORS:
        raise UsageError(f"no calculator {name!r}", "there are " + ", ".join(CALCULATORS))
    return CALCULATORS[name]
