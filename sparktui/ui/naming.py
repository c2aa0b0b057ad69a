"""What the keys `e` and `s` write: names that tell campaign, screen and time."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from sparktui.ui.whose import Whose


def file_stem(whose: Sequence[Whose], screen: str, t: float) -> str:
    """Return a file name without its suffix: `sparktui-demo-12-live-20261123-214107`."""
    words = ["sparktui", *_named(whose), screen, time.strftime("%Y%m%d-%H%M%S", time.localtime(t))]
    return "-".join(re.sub(r"[^A-Za-z0-9._-]+", "_", word) for word in words)


def _named(whose: Sequence[Whose]) -> list[str]:
    """Name one campaign in full; of several say how many, since a file's name has an end."""
    if len(whose) > 1:
        return [f"{len(whose)}-campaigns"]
    return [word for one in whose for word in (one.name, "" if one.number is None else str(one.number)) if word]
