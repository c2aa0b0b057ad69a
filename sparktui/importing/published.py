"""Published campaigns that come with sparktui, to compare with: read from tables, never written to the user's store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path

from sparktui.errors import UsageError
from sparktui.importing.formats import read
from sparktui.importing.imported import Imported
from sparktui.importing.joining import join
from sparktui.importing.save import save
from sparktui.store.reader import Reader

PREFIX = "published/"
PUBLISHED = ("gemma4-26b-a4b",)
"""Their names, without the prefix."""
_REFERENCES = files("sparktui.importing") / "references"


@cache
def load_published(name: str) -> Imported:
    """Return a published campaign by its name, with the prefix or without.

    Raises:
        UsageError: There is none of that name; the hint lists those there are.
    """
    bare = name.removeprefix(PREFIX)
    if bare not in PUBLISHED:
        known = ", ".join(PREFIX + one for one in PUBLISHED)
        raise UsageError(f"no published campaign {PREFIX}{bare}", f"there is {known}")
    tables = sorted((_REFERENCES / bare).iterdir(), key=lambda table: table.name, reverse=True)
    parts = [read(table.read_bytes(), table.name) for table in tables if table.name.endswith(".csv")]
    return join(parts, PREFIX + bare)


@contextmanager
def open_published(name: str) -> Iterator[tuple[Reader, int]]:
    """Open a store that holds one published campaign and is gone afterwards; return it and the campaign's number.

    Raises:
        UsageError: There is none of that name.
    """
    campaign = load_published(name)
    with tempfile.TemporaryDirectory(prefix="sparktui-") as folder:
        path = Path(folder) / "published.db"
        number = save(path, campaign)
        with Reader(path) as reader:
            yield reader, number
