"""A folder's names on disk: a file that was synced may still be gone after a power cut where its name was not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_REFUSED = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES, errno.EPERM)
"""By file systems that sync no folders, and by folders that may be written but not read."""


def sync_folder(folder: Path) -> None:
    """Have what was made, renamed or removed in a folder on disk, as far as its file system does that.

    Raises:
        OSError: The disk failed.
    """
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
