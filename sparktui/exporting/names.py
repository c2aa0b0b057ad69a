"""The formats by name, and the file endings that stand for them. Imports nothing: the command line reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Literal, get_args

Format = Literal["csv", "csv-wide", "json", "markdown", "svg", "html", "benchy-json", "benchy-csv", "benchy-md"]
FORMATS: tuple[Format, ...] = get_args(Format)
BENCHY: frozenset[Format] = frozenset({"benchy-json", "benchy-csv", "benchy-md"})
"""llama-benchy's shapes: each holds one topology."""
SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".md": "markdown",
    ".svg": "svg",
    ".html": "html",
    ".htm": "html",
}


def format_of(path: PurePath) -> Format | None:
    """Return the format that a file's ending stands for; None for an ending that says nothing."""
    return SUFFIXES.get(path.suffix.lower())
