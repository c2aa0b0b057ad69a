"""One reason why a profile cannot be used, and how it reads."""

from __future__ import annotations

import json
from dataclasses import dataclass

Path = tuple[str | int, ...]

SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Where in a profile something is wrong, and what was expected there."""

    line: int
    """From 1; 0 where there is no text it could point into."""
    path: Path
    text: str
    column: int = 0
    """From 1; 0 where the line says enough."""

    def reads(self, source_name: str) -> str:
        """Return it as one line: file, line, key, what was expected."""
        where = ":".join([source_name, *(str(n) for n in (self.line, self.column) if n)])
        key = dotted(self.path)
        return f"{where}: {key}: {self.text}" if key else f"{where}: {self.text}"


def dotted(path: Path) -> str:
    """Return a key as people write it: `topologies.solo.nodes.0`."""
    return ".".join(part if isinstance(part, str) and _plain(part) else _shown(part) for part in path)


def shown(value: object) -> str:
    """Return a short picture of a value out of a profile."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list | tuple):
        return _shown(list(value)) if value else "an empty list"
    return _shown(value)


def _plain(part: str) -> bool:
    return part.isprintable() and 0 < len(part) <= SHOWN


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
