"""The top lines: whose numbers these are, whether they are real, where one can go, and what the guard has done."""

from __future__ import annotations

import textwrap

from textual.content import Content

from sparktui.ui.node_values import GuardStop
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, clock, harmless, lines, spread
from sparktui.ui.widgets.panel import Panel

PLACES = (
    ("1", "launch", "Launch"),
    ("2", "live", "Live"),
    ("3", "sweep", "Sweep"),
    ("4", "compare", "Compare"),
    ("5", "nodes", "Nodes"),
    ("6", "history", "History"),
)
"""Key, mode and title of each screen."""
BADGES = {"simulated": "SIMULATED", "published": "PUBLISHED", "imported": "IMPORTED"}
ALL_NAMED = 100
"""From this width on there is room for the names of all screens beside a campaign's."""
BANNER_ROWS = 4


class Masthead(Panel):
    """One line on every screen; under it, until it is acknowledged, what the guard has ended."""

    def __init__(self, mode: str) -> None:
        super().__init__(id="masthead")
        self._mode = mode

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        places = _places(self._mode, all_named=width >= ALL_NAMED)
        banner = _banner(snapshot.guard_stops, width)
        self.make_room(1 + len(banner))
        return lines([spread(Content.assemble(*_identity(snapshot)), places, width), *banner])


def _identity(snapshot: Snapshot) -> list[Part]:
    parts: list[Part] = [("sparktui", "bold $accent")]
    campaign = snapshot.campaign
    if campaign is None:
        return parts
    badge = BADGES.get(campaign.source)
    if badge is not None:
        parts += ["  ", (f" {badge} ", "bold reverse $simulated" if campaign.simulated else "bold reverse")]
    return [*parts, "  ", harmless(campaign.name), (f" #{campaign.id}", "$dim")]


def _places(mode: str, *, all_named: bool) -> Content:
    parts: list[Part] = []
    for key, name, title in PLACES:
        here = name == mode
        text = f" {key} {title} " if here or all_named else f" {key} "
        parts.append((text, "bold reverse" if here else "$dim"))
    return Content.assemble(*parts)


def _banner(stops: tuple[GuardStop, ...], width: int) -> list[Content]:
    """Tell the last stop in full, with how many came before it."""
    if not stops:
        return []
    last, others = stops[-1], len(stops) - 1
    more = f" (and {others} before)" if others else ""
    text = f"GUARD {clock(last.t)} {harmless(last.text)}{more}  [a: seen]"
    rows = textwrap.wrap(text, max(20, width - 2))[:BANNER_ROWS]
    return [Content.styled(f" {row}".ljust(width), "bold reverse $error") for row in rows]
