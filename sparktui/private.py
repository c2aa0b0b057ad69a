"""What this process makes is its user's alone, whatever umask the user has; what it launches keeps that umask."""

from __future__ import annotations

import os

UNCHANGED = -1
"""What `subprocess` takes for: as it is."""

_of_the_user = UNCHANGED


def close_to_others() -> None:
    """Make every file and folder of this process from now on its user's alone."""
    global _of_the_user
    before = os.umask(0o077)
    if _of_the_user == UNCHANGED:
        _of_the_user = before


def leave_to_what_is_started() -> None:
    """Take the user's umask again, in a process that writes nothing itself: what it starts closes itself."""
    if _of_the_user != UNCHANGED:
        os.umask(_of_the_user)


def users_umask() -> int:
    """Return the umask for what is launched: an engine's caches are shared with whom the user shares them."""
    return _of_the_user
