"""From the store to snapshots, of whichever campaign is looked at.

A feed belongs to one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sparktui.paths import store_path
from sparktui.runner.lock import has_runner, running_campaign
from sparktui.ui.asked import NOTHING_ASKED, Asked
from sparktui.ui.compared_view import CompareView
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.store_views import StoreViews

if TYPE_CHECKING:  # where no campaign is open, nothing reads one
    from sparktui.store.reader import Reader
    from sparktui.ui.campaign_feed import CampaignFeed


ASK_S = 1.0
"""How often it is asked whether a race has begun: whoever asks holds the runner's lock for an instant."""


class Feed:
    """One viewer's reading position in one store.

    Args:
        path: The store's file; it is opened when a campaign is first asked for.
        clock: The wall clock, seconds since the epoch.
        running: Which campaign has a runner; None for none. Where left out, that of the store there is by default.
        alive: Whether a campaign has a runner; where left out, as for `running`.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        running: Callable[[], int | None] | None = None,
        alive: Callable[[int], bool] | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._reader: Reader | None = None
        self._followed: CampaignFeed | None = None
        self._views = StoreViews(path)
        self._running = running or (running_campaign if path == store_path() else None)
        self._alive = alive or (has_runner if path == store_path() else None)
        self._race: int | None = None
        self._lost: int | None = None
        """The campaign that had no runner when that was last asked."""
        self._asked_at = float("-inf")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._views.close()
        if self._reader is not None:
            self._reader.close()

    def take(self, campaign: int | None, asked: Asked = NOTHING_ASKED) -> Snapshot:
        """Return what is known now about a campaign; an empty snapshot for None.

        Args:
            campaign: Its number.
            asked: What the viewer wants to know of it, and what the screen in front needs for itself alone.

        Raises:
            SparktuiError: The store cannot be read, or there is no such campaign.
        """
        view = self._views.view(asked)
        if isinstance(view, CompareView):  # its topologies may have other names there
            asked = replace(asked, baseline=None)
        snapshot = self._of_campaign(campaign, asked)
        return snapshot if view is None else replace(snapshot, view=view)

    def _of_campaign(self, campaign: int | None, asked: Asked) -> Snapshot:
        now = self._clock()
        if campaign is None:
            return Snapshot(taken=now, race=self._race_at(now))
        if self._reader is None:
            from sparktui.store.reader import Reader

            self._reader = Reader(self._path)
        if self._followed is None or self._followed.campaign != campaign:
            from sparktui.ui.campaign_feed import CampaignFeed

            self._followed, self._asked_at = CampaignFeed(self._reader, campaign), float("-inf")
        self._look_for_runner(campaign, now)  # before the row is read: what a runner that has ended left in it is final
        snapshot = self._followed.take(now, asked)
        return _interrupted(snapshot) if self._lost == campaign else snapshot

    def _look_for_runner(self, campaign: int, now: float) -> None:
        if self._alive is not None and abs(now - self._asked_at) >= ASK_S:
            self._lost, self._asked_at = None if self._alive(campaign) else campaign, now

    def _race_at(self, now: float) -> int | None:
        if self._running is not None and abs(now - self._asked_at) >= ASK_S:
            self._race, self._asked_at = self._running(), now
        return self._race


def _interrupted(snapshot: Snapshot) -> Snapshot:
    """Return the picture of a race whose runner is gone: nothing of it is in flight."""
    campaign = snapshot.campaign
    if campaign is None or not campaign.running:
        return snapshot
    return replace(snapshot, campaign=replace(campaign, interrupted=True), wave=None)
