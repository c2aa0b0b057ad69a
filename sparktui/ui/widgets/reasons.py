"""Why topologies came to no good end: the first thing that an owner has to know of a race that failed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from textual.content import Content

from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import harmless, lines
from sparktui.ui.widgets.panel import Panel

MOST_ROWS = 4
"""Of one reason; Events has it with the log under it."""


class Reasons(Panel):
    """A reason a paragraph, with all topologies that it ended; nothing while a race runs, or where all went well."""

    def __init__(self) -> None:
        super().__init__(id="reasons", classes="box", title="why")

    def show(self, snapshot: Snapshot) -> None:
        over = snapshot.campaign is not None and not snapshot.campaign.running
        self.display = over and any(topology.error for topology in snapshot.topologies)
        super().show(snapshot)

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        reasons = _grouped(snapshot).items()
        rows = [row for error, names in reasons for row in _paragraph(f"{', '.join(names)}: {error}", width)]
        self.make_room(len(rows))
        return lines(rows)


def _grouped(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the topologies by what ended them, in the order of the race."""
    found: dict[str, list[str]] = {}
    for topology in snapshot.topologies:
        if topology.error:
            found.setdefault(harmless(topology.error), []).append(topology.name)
    return found


def _paragraph(text: str, width: int) -> Iterator[Content]:
    rows = textwrap.wrap(text, max(20, width), subsequent_indent="  ", max_lines=MOST_ROWS, placeholder=" …")
    for row in rows:
        yield Content.styled(row, "$error")
