"""Keeping an agent's own pages in memory: where it runs out, a page that must be read back may never come."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
AMPLE_BYTES = 1024**3
"""A limit far beyond what an agent maps: its threads' stacks and heaps, of which it touches little, count in full."""


def lock_pages() -> bool:
    """Lock what this process has in memory, and where no limit can be met what it will have; return whether it worked.

    An ordinary login may often lock 8 MiB: less than Python takes. Then nothing is locked, and locking what comes later
    must not even be tried, for that limit would then refuse memory that there is.
    """
    try:
        mlockall = ctypes.CDLL(None).mlockall
    except (OSError, AttributeError):
        return False
    if mlockall(MCL_CURRENT) != 0:
        return False
    if _is_ample(resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]):
        mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)
    return True


def _is_ample(limit: int) -> bool:
    """Tell whether a limit that what is mapped has just been locked under is none for this process."""
    return limit == resource.RLIM_INFINITY or limit >= AMPLE_BYTES or _mapped_bytes() > limit


def _mapped_bytes() -> int:
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
