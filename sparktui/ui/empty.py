"""What a screen says while it has nothing to show: whether that is still to come, and what to do if not."""

from __future__ import annotations

from sparktui.ui.snapshot import Snapshot

NOTHING_OPEN = "No campaign is open. Press 1 and choose one."
READING_STORE = "reading the store"
READING = "reading …"
NO_POINT_YET = "a point appears as soon as its level is measured"
NO_POINT = "nothing was measured: 2 says why"
NO_SAMPLE_YET = "no node has been sampled yet"
NO_SAMPLE = "nothing is known of its nodes: none was ever sampled"


def without_a_campaign(snapshot: Snapshot) -> str:
    """Say why no campaign is shown."""
    return NOTHING_OPEN if snapshot.taken else READING_STORE


def without_points(snapshot: Snapshot, *, read: bool) -> str:
    """Say why Sweep draws no point; `read` tells that the store was asked for them."""
    if snapshot.campaign is None:
        return without_a_campaign(snapshot)
    if not read:
        return READING
    return NO_POINT_YET if snapshot.campaign.running else NO_POINT


def without_samples(snapshot: Snapshot) -> str:
    """Say why Nodes draws no node; those that are known have samples, which are still being read."""
    if snapshot.campaign is None:
        return without_a_campaign(snapshot)
    if snapshot.nodes:
        return READING
    return NO_SAMPLE_YET if snapshot.campaign.running else NO_SAMPLE
