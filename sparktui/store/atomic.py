"""A file written whole or not at all, readable by its owner alone, never through a link."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sparktui.errors import UsageError
from sparktui.store.synced import sync_folder


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Write a file beside its place and move it there; a regular file of that name is replaced.

    Raises:
        UsageError: The path is a folder, a link or a device, or cannot be written.
    """
    _refuse_special(path)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        _write(beside, chunks)
        os.replace(beside, path)
        sync_folder(path.parent)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "choose another file with -o") from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _refuse_special(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "choose another file with -o") from error
    if stat.S_ISDIR(mode):
        raise UsageError(f"{path} is a folder", "name a file in it")
    if stat.S_ISLNK(mode):
        raise UsageError(f"{path} is a symbolic link", "name the file it points to")
    if not stat.S_ISREG(mode):
        raise UsageError(f"{path} is not a regular file", "leave -o out to write to standard output")


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(file, "wb") as stream:
        stream.writelines(chunks)
        stream.flush()
        os.fsync(stream.fileno())
