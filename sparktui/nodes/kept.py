"""Files of /proc and /sys: those read at every sample are kept open, so that a reading opens nothing."""

from __future__ import annotations

import os
from pathlib import Path

CHUNK_BYTES = 65_536


def read_once(path: str) -> bytes:
    """Return what a file says, or nothing where it cannot be read; hundreds in a row cost little."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        found = chunk = os.read(fd, CHUNK_BYTES)
        while len(chunk) == CHUNK_BYTES:
            chunk = os.read(fd, CHUNK_BYTES)
            found += chunk
        return found
    except OSError:
        return b""
    finally:
        os.close(fd)


class KeptFile:
    """A file that is kept open; opened at its first reading, and again after one that failed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None

    def text(self) -> str | None:
        """Return what it says now, or None where it cannot be read."""
        try:
            return self._read().decode("ascii", "replace")
        except OSError:
            self.close()
            return None

    def number(self) -> int | None:
        """Return the whole number it says now, or None."""
        text = (self.text() or "").strip()
        return int(text) if text.isdecimal() else None

    def close(self) -> None:
        """Give its descriptor back."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _read(self) -> bytes:
        if self._fd is None:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        found = chunk = os.pread(self._fd, CHUNK_BYTES, 0)
        # The kernel hands a table out in pieces of about a page, however much is asked for.
        while chunk:
            chunk = os.pread(self._fd, CHUNK_BYTES, len(found))
            found += chunk
        return found
