"""Whether it was ssh itself that ended, and not the command behind it."""

from __future__ import annotations

import signal

SSH_FAILED = 255


def broken_off(returncode: int | None, said: str) -> str | None:
    """Return why a command's end is not known; None where it has ended with this code of its own.

    Args:
        returncode: Of the local ssh; below zero where a signal has ended it.
        said: What it wrote as errors.
    """
    if returncode is None or 0 <= returncode < SSH_FAILED:
        return None
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return (said.strip().splitlines() or ["the connection was lost"])[-1]
