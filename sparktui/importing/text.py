"""Bytes of somebody else's file as text or JSON: what is wrong with it is said with the place where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from sparktui.errors import ImportFileError

T = TypeVar("T")

MAX_BYTES = 512 * 1024**2
MAX_NAME = 64
"""A topology's name is a column's head."""
_BOM = b"\xef\xbb\xbf"


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises:
        ImportFileError: It cannot be read, is no regular file, or is larger than MAX_BYTES.
    """
    try:
        if not path.is_file():
            raise ImportFileError(f"{path}: {'not a regular file' if path.exists() else 'there is no such file'}")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ImportFileError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return within_size(raw, str(path))


def within_size(raw: bytes, name: str) -> bytes:
    """Return the bytes, without a byte order mark; raise ImportFileError where they are too many."""
    if len(raw) > MAX_BYTES:
        raise ImportFileError(f"{name}: larger than {MAX_BYTES // 1024**2} MB", "import parts of it")
    return raw.removeprefix(_BOM)


def as_text(raw: bytes, name: str) -> str:
    """Decode UTF-8; raise ImportFileError with line and byte where it is none."""
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ImportFileError(
            f"{name}, line {line}: byte {error.start} is not UTF-8", "save the file as UTF-8"
        ) from error


def as_json(raw: bytes, kind: type[T], name: str) -> T:
    """Decode JSON into `kind`; raise ImportFileError with the byte or the key where it cannot be."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise ImportFileError(f"{name}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        where = f" (it ends at byte {len(raw)})" if "truncated" in str(error) else ""
        raise ImportFileError(f"{name}: not the JSON it should be: {error}{where}") from error


def clean_name(text: str, name: str) -> str:
    """Return a topology's name as it can be shown: one printable line, not longer than a column's head."""
    shown = "".join(c if c.isprintable() else "?" for c in text.strip())[:MAX_NAME]
    if not shown:
        raise ImportFileError(f"{name}: a topology without a name", "name it with --topology")
    return shown
