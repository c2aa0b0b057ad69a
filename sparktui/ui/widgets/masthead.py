"""The top line: whose numbers these are, whether they are real, and where one can go."""

from __future__ import annotations

from textual.content import Content

from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, harmless, spread
from sparktui.ui.widgets.panel import Panel

PLACES = (("1", "launch", "Launch"), ("2", "live", "Live"), ("4", "compare", "Compare"))
"""Key, mode and title of each screen."""
BADGES = {"simulated": "SIMULATED", "published": "PUBLISHED", "imported": "IMPORTED"}


class Masthead(Panel):
    """One line on every screen."""

    def __init__(self, mode: str) -> None:
        super().__init__(id="masthead")
        self._mode = mode

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        return spread(Content.assemble(*_identity(snapshot)), _places(self._mode), width)


def _identity(snapshot: Snapshot) -> list[Part]:
    parts: list[Part] = [("sparktui", "bold $accent")]
    campaign = snapshot.campaign
    if campaign is None:
        return parts
    badge = BADGES.get(campaign.source)
    if badge is not None:
        parts += ["  ", (f" {badge} ", "bold reverse $simulated" if campaign.simulated else "bold reverse")]
    return [*parts, "  ", harmless(campaign.name), (f" #{campaign.id}", "$dim")]


def _places(mode: str) -> Content:
    parts: list[Part] = []
    for key, name, title in PLACES:
        here = name == mode
        parts += [" " if parts else "", (f" {key} {title} ", "bold reverse" if here else "$dim")]
    return Content.assemble(*parts)
