"""A moment in words, by this machine's clock."""

from __future__ import annotations

import time

LATEST = 1e11
"""The year 5138: what claims to be later is no moment."""


def local(t: float, form: str) -> str:
    """Return a moment, in seconds since the epoch, as `strftime` writes it; `-` where it is none."""
    return time.strftime(form, time.localtime(t)) if 0 <= t < LATEST else "-"
