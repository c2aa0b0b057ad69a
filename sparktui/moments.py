"""Moments as the reader's own clock shows them: local time, summer time included. What is no moment is `-`."""

from __future__ import annotations

import time

from sparktui.units import UNKNOWN

TIME_OF_DAY = "%H:%M:%S"
DAY_AND_TIME = "%d %b %H:%M"


def local_time(t: float | None, form: str = TIME_OF_DAY) -> str:
    """Return a moment in local time, in a form of `strftime`; `-` where unknown or out of any calendar."""
    if t is None:
        return UNKNOWN
    try:
        return time.strftime(form, time.localtime(t))
    except (OverflowError, OSError, ValueError):
        return UNKNOWN
