"""The ends of several logs as one text: each under its title, none crowding out another; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

SECTION = "--- "
"""Before the title of each log."""
LONGEST = 300
"""Characters of a line: an engine prints its whole configuration as one."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def joined(tails: Iterable[tuple[str, str]]) -> str:
    """Return logs' ends, as pairs of title and text, as one text; empty ones are left out."""
    return "\n".join(f"{SECTION}{title}\n{tail.strip()}" for title, tail in tails if tail.strip())


def last_lines(text: str, each: int) -> str:
    """Return the last lines of every log of a joined text, without colours, long lines cut."""
    return "\n".join(line for section in _sections(text) for line in _shortened(section, each))


def fair(text: str, lines: int) -> str:
    """Return about so many lines of a joined text, shared between its logs."""
    return last_lines(text, max(2, lines // max(1, len(_sections(text))) - 1))


def _sections(text: str) -> list[str]:
    return [section for section in re.split(rf"(?m)^(?={SECTION})", _COLOUR.sub("", text)) if section.strip()]


def _shortened(section: str, each: int) -> list[str]:
    lines = [line for line in section.splitlines() if line.strip()]
    title = [lines.pop(0).rstrip()] if lines[0].startswith(SECTION) else []
    return title + [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines[-each:]]
