"""An agent's own folder on its node: private, held by one live agent, and gone without a trace when it is removed."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from sparktui.nodes.flight import BEFORE, CURRENT
from sparktui.nodes.peer import SOCK

PID, PROGRAM = "pid", "agent.pyz"


def enter(folder: Path) -> Path:
    """Make the folder, or take one that is there, for this user alone, and go there; return its whole path.

    Raises:
        OSError: It cannot be made, or is somebody else's.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.resolve()
    if found.stat().st_uid != os.getuid():
        raise PermissionError(f"{found} belongs to another user")
    found.chmod(0o700)
    os.chdir(found)
    return found


def holder() -> int | None:
    """Return the process that last held the current folder, as far as it says."""
    try:
        return int(Path(PID).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def hold() -> int:
    """Write this process into the current folder as its agent; return the descriptor that keeps it so.

    Raises:
        BlockingIOError: Another live agent has it.
    """
    fd = os.open(PID, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise
    os.ftruncate(fd, 0)
    os.write(fd, str(os.getpid()).encode())
    return fd


def leave(folder: Path, *, keep_evidence: bool) -> None:
    """Remove what shows that an agent runs there; and unless its flight file is evidence, everything, folder included.

    Only files that an agent has there are removed: the folder was named on a command line, and may be a wrong one.
    """
    names = (SOCK, PID) if keep_evidence else (SOCK, PID, CURRENT, BEFORE, PROGRAM)
    for name in names:
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    if not keep_evidence:
        with contextlib.suppress(OSError):
            folder.rmdir()
