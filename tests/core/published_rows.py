"""The published tables' own lines, as text, past every reader of ours."""

from __future__ import annotations

import csv
from importlib.resources import files


def published_rows(name: str) -> list[dict[str, str]]:
    """Return the lines of a table that ships with the package: `topologies` or `ray`."""
    text = (files("sparktui.importing") / "references" / "gemma4-26b-a4b" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
