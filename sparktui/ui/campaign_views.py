"""What the screens of one campaign ask for, each from a feed that is made when its screen first stands in front.

They belong to the feed's thread.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sparktui.ui.nodes_view import NodesRequest
from sparktui.ui.sweep_view import SweepRequest

if TYPE_CHECKING:  # a screen nobody has gone to costs nothing, its imports included
    from sparktui.profile.model import Profile
    from sparktui.store.reader import Reader
    from sparktui.ui.asked import Asked, View
    from sparktui.ui.nodes_feed import NodesFeed
    from sparktui.ui.sweep_feed import SweepFeed


class CampaignViews:
    """Answers for the screen in front; what the other screens would want is not read."""

    def __init__(self, reader: Reader, campaign: int, profile: Profile | None) -> None:
        self._reader = reader
        self._campaign = campaign
        self._profile = profile

    def view(self, asked: Asked, now: float, figures_at: object) -> View | None:
        """Return what is asked for; None where nothing is, or another than these.

        Args:
            asked: By the viewer.
            now: The viewer's clock, seconds since the epoch.
            figures_at: What changes when a cell or a sweep has ended.
        """
        match asked.view:
            case NodesRequest() as request:
                return self._nodes.view(request, now)
            case SweepRequest() as request:
                return self._sweep.view(figures_at, request, baseline=asked.baseline, calculator=asked.calculator)
        return None

    @cached_property
    def _nodes(self) -> NodesFeed:
        from sparktui.ui.nodes_feed import NodesFeed

        return NodesFeed(self._reader, self._campaign, self._profile)

    @cached_property
    def _sweep(self) -> SweepFeed:
        from sparktui.ui.sweep_feed import SweepFeed

        return SweepFeed(self._reader, self._campaign)
