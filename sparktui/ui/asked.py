"""What a viewer wants to know beside a campaign itself, and what is read for one screen alone while it is in front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sparktui.measure.calculator_names import DEFAULT

if TYPE_CHECKING:  # a screen nobody has gone to costs nothing, what it asks for included
    from sparktui.ui.compared_view import CompareRequest, CompareView
    from sparktui.ui.history_view import HistoryRequest, HistoryView
    from sparktui.ui.nodes_view import NodesRequest, NodesView
    from sparktui.ui.sweep_view import SweepRequest, SweepView

    Request = NodesRequest | SweepRequest | HistoryRequest | CompareRequest
    """A screen's own question; a frozen value, so that the same question asked again is known to be the same."""
    View = NodesView | SweepView | HistoryView | CompareView
    """The answer to it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything a look at the store depends on, the campaign's number apart."""

    baseline: str | None = None
    """The topology that margins are against; None for the runner-up."""
    calculator: str = DEFAULT
    """What turns token events into figures."""
    view: Request | None = None
    """Of the screen in front; None where every snapshot holds what it shows."""


NOTHING_ASKED = Asked()
