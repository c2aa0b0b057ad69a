"""What the keys `e` and `s` write: names that tell campaign, screen and time."""

from __future__ import annotations

import re
import time

from sparktui.ui.snapshot import Campaign


def file_stem(campaign: Campaign | None, screen: str, t: float) -> str:
    """Return a file name without its suffix: `sparktui-demo-12-live-20261123-214107`."""
    whose = [] if campaign is None else [campaign.name, str(campaign.id)]
    words = ["sparktui", *whose, screen, time.strftime("%Y%m%d-%H%M%S", time.localtime(t))]
    return "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", word) for word in words)
