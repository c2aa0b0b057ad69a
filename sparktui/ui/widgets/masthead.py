"""The top lines: whose numbers these are, whether they are real, where one can go, and what the guard has done."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from textual.content import Content

from sparktui.ui.compared_view import CompareView
from sparktui.ui.node_values import GuardStop
from sparktui.ui.snapshot import Snapshot
from sparktui.ui.text import Part, clock, harmless, lines, spread
from sparktui.ui.whose import Whose
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
BANNER_ROWS = 4


def badges(source: str, imported: bool) -> str:
    """Return what marks figures that were not measured here: where they come from, and that a file brought them."""
    marks = [BADGES[source]] if source in BADGES else []
    return " ".join(dict.fromkeys([*marks, *([BADGES["imported"]] if imported else [])]))


class Masthead(Panel):
    """One line on every screen; under it, until it is acknowledged, what the guard has ended."""

    def __init__(self, mode: str) -> None:
        super().__init__(id="masthead")
        self._mode = mode

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        banner = _banner(snapshot.guard_stops, width)
        self.make_room(1 + len(banner))
        return lines([_top(snapshot, self._mode, width), *banner])


def _top(snapshot: Snapshot, mode: str, width: int) -> Content:
    """Return whose numbers these are and where one can go; where both do not fit, the app's own name goes first."""
    whose = _whose(snapshot, mode)
    whole, short = _identity(whose), _named(whose)
    everywhere = _places(mode, PLACES)
    if whole.cell_length + 1 + everywhere.cell_length <= width:
        return spread(whole, everywhere, width)
    room = width - short.cell_length - 1
    return spread(short, _narrow_places(mode, room), width)


def _whose(snapshot: Snapshot, mode: str) -> tuple[Whose, ...]:
    """Return whose figures stand below: the open campaign's, or those of the ones that Compare was asked for."""
    if snapshot.campaign is not None:
        return (Whose.of(snapshot.campaign),)
    view = snapshot.view if mode == "compare" else None
    return Whose.compared(view.comparison.campaigns) if isinstance(view, CompareView) else ()


def _identity(whose: Sequence[Whose]) -> Content:
    name = Content.styled("sparktui", "bold $accent")
    return Content.assemble(name, "  ", _named(whose)) if whose else name


def _named(whose: Sequence[Whose]) -> Content:
    """Name each campaign behind its own badge, the simulated first: what is cut off at the end is never their mark."""
    if not whose:
        return Content.styled("sparktui", "bold $accent")
    parts: list[Part] = []
    for one in sorted(whose, key=lambda one: not one.simulated):
        parts += [" · " if parts else "", *_campaign(one)]
    return Content.assemble(*parts)


def _campaign(one: Whose) -> Iterator[Part]:
    badge = BADGES.get(one.source)
    if badge is not None:
        yield f" {badge} ", "bold reverse $simulated" if one.simulated else "bold reverse"
        yield "  "
    yield harmless(one.name)
    if one.number is not None:
        yield f" #{one.number}", "$dim"


def _places(mode: str, named: Sequence[tuple[str, str, str]], around: str = " ") -> Content:
    """Return every screen's key, with the names of those in `named` and of the one in front."""
    parts: list[Part] = []
    for place in PLACES:
        key, name, title = place
        here = name == mode
        text = f"{key} {title}" if here or place in named else key
        parts += [(f" {text} ", "bold reverse") if here else (f"{around}{text} ", "$dim")]
    return Content.assemble(*parts)


def _narrow_places(mode: str, room: int) -> Content:
    """Return the keys with as many names as there is room for, the first screens' first."""
    fewer = (_places(mode, PLACES[:count], "") for count in range(len(PLACES), -1, -1))
    return next((places for places in fewer if places.cell_length <= room), _places(mode, (), ""))


def _banner(stops: tuple[GuardStop, ...], width: int) -> list[Content]:
    """Tell the last stop in full, with how many came before it."""
    if not stops:
        return []
    last, others = stops[-1], len(stops) - 1
    more = f" (and {others} before)" if others else ""
    text = f"GUARD {clock(last.t)} {harmless(last.text)}{more}  [a: seen]"
    rows = textwrap.wrap(text, max(20, width - 2))[:BANNER_ROWS]
    return [Content.styled(f" {row}".ljust(width), "bold reverse $error") for row in rows]
