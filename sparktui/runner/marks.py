"""What everything that a sweep starts carries in its environment, so that a stop finds it wherever it went."""

from __future__ import annotations

from sparktui.store.rows import CampaignRow


def mark_of(campaign: CampaignRow, sweep: int) -> str:
    """Return a sweep's mark: the same for whoever cleans up later, another in every store."""
    return f"{campaign.id}-{sweep}-{campaign.created:.6f}"
