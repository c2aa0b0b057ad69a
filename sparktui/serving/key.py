"""The API key: from an environment variable or a file, at the moment it is needed, and kept nowhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sparktui.errors import UsageError
from sparktui.load.request import bearer

MAX_FILE_BYTES = 16 * 1024
"""A file larger than any key is some other file."""


def api_key(env_name: str | None, file: str | None = None) -> str | None:
    """Return the API key kept in an environment variable or, stripped, in a file; None where neither is named.

    Raises:
        UsageError: The variable is not set, the file cannot be read, or what it holds is no key.
    """
    if file is not None:
        return _in_file(Path(file).expanduser())
    if env_name is None:
        return None
    key = os.environ.get(env_name)
    if not key:
        raise UsageError(f"the environment variable {env_name} is not set", f"export {env_name}=... and start again")
    return key


def _in_file(path: Path) -> str:
    try:
        held = _held(path)
    except OSError as error:
        raise UsageError(f"the API key's file {path} cannot be read: {error.strerror}") from error
    try:
        if len(held) > MAX_FILE_BYTES:
            raise ValueError
        return bearer(held.decode("ascii")).removeprefix("Bearer ")
    except (ValueError, UsageError):
        raise UsageError(f"{path} holds no API key", "it must hold the key and nothing else") from None


def _held(path: Path) -> bytes:
    """Return how a file begins; a pipe is not waited for: the runner, which reads the key too, would stand still."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise UsageError(f"the API key's file {path} is not a regular file", "write the key into a file of its own")
        return file.read(MAX_FILE_BYTES + 1)
