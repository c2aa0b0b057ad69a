"""One campaign as one line of the History list, for the columns there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from textual.content import Content

from sparktui.compare.verdict import SO_FAR, equal, equal_in_short, fitting
from sparktui.moments import local_time
from sparktui.ui.colours import colour
from sparktui.ui.history_view import LEVELS_SHOWN, HistoryRow, LevelWinner
from sparktui.ui.text import Part, clipped, harmless, squeezed
from sparktui.ui.widgets.masthead import badges
from sparktui.units import UNKNOWN, rate

NAME_COLUMNS = 18
NARROW_NAME_COLUMNS = 10
NARROW = 100
STATE_COLUMNS = 12
WHEN_COLUMNS = 13
NARROW_WHEN_COLUMNS = 7
"""The day alone: what is simulated must say so in full, and the number tells two of one day apart."""
NUMBER_COLUMNS = 5
MARK_COLUMNS = 2
DONE_COLUMNS = 5
GAP = 2
NARROW_LEVELS = 2
BADGE_COLUMNS = 9
STYLES = {"running": "bold $accent", "queued": "$accent", "failed": "$error", "guard": "$error", "done": ""}


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide each column is."""

    name: int
    winner: int
    """Of one of the levels shown."""
    levels: int
    when: int

    @classmethod
    def of(cls, width: int, rows: Sequence[HistoryRow]) -> Layout:
        """Return the layout for a width and what is to be listed."""
        narrow = width < NARROW
        longest = max((len(row.name) for row in rows), default=0)
        name = max(7, min(longest, NARROW_NAME_COLUMNS if narrow else NAME_COLUMNS))
        when = NARROW_WHEN_COLUMNS if narrow else WHEN_COLUMNS
        badge = max(BADGE_COLUMNS, *(len(badges(row.source, row.imported)) for row in rows), 0)
        taken = MARK_COLUMNS + NUMBER_COLUMNS + when + name + GAP + DONE_COLUMNS + STATE_COLUMNS + badge
        levels = NARROW_LEVELS if narrow else LEVELS_SHOWN
        return cls(name, max(6, (width - taken) // levels), levels, when)

    def head(self) -> Content:
        """Return the line above the list."""
        number = "#".rjust(NUMBER_COLUMNS - 1) + " "
        columns = (
            ("when", self.when),
            ("profile", self.name + GAP),
            ("done", DONE_COLUMNS),
            ("fastest decode", self.levels * self.winner),
        )
        titles = "".join(title.ljust(width) for title, width in columns)
        return Content.styled(f"{' ' * MARK_COLUMNS}{number}{titles}state", "$dim")

    def line(self, row: HistoryRow, *, marked: bool) -> Content:
        """Return a campaign's line; no colour is needed to read it."""
        number = "" if row.campaign is None else str(row.campaign)
        done = f"{row.done}/{len(row.topologies)}"
        return Content.assemble(
            ("● " if marked else "  ", "bold $accent"),
            (number.rjust(NUMBER_COLUMNS - 1) + " ", "$dim"),
            _when(row, self.when - 1).ljust(self.when),
            (squeezed(harmless(row.name), self.name).ljust(self.name), "bold"),
            " " * GAP + done.ljust(DONE_COLUMNS),
            *self._winners(row),
            (row.state.ljust(STATE_COLUMNS), STYLES.get(row.state, "$warning")),
            _badge(row),
        )

    def _winners(self, row: HistoryRow) -> list[Part]:
        if row.winners is None:
            return [("…".ljust(self.levels * self.winner), "$dim")]
        found = row.winners if len(row.winners) <= self.levels else (row.winners[0], row.winners[-1])
        shown: list[Part] = [self._winner(row, winner) for winner in found]
        return [*shown, " " * self.winner * (self.levels - len(shown))]

    def _winner(self, row: HistoryRow, found: LevelWinner) -> Part:
        level = f"c{found.concurrency} "
        text = f"{level}{self._named(found, self.winner - len(level) - 1)}".ljust(self.winner)
        if found.tied or found.so_far or found.winner is None or found.winner not in row.topologies:
            return (text, "$dim")
        return (text, colour(found.winner, row.topologies))

    def _named(self, found: LevelWinner, room: int) -> str:
        """Name who is fastest; those that tie only where all have room, and where there is one only, its figure."""
        if found.rate is not None:
            return clipped(rate(found.rate), room)
        if found.tied:
            names = (harmless(equal(found.tied)), harmless(equal_in_short(found.tied)))
            return fitting((*(f"{text}{SO_FAR}" for text in names if found.so_far), *names, "tie"), room)
        if found.winner is None:
            alone = () if found.only is None else (f"only {harmless(found.only)}", "only 1")
            return fitting((*alone, UNKNOWN), room)
        name = harmless(found.winner)
        return fitting((f"{name}{SO_FAR}" if found.so_far else name, squeezed(name, room)), room)


def _when(row: HistoryRow, width: int) -> str:
    """Return day and time, or where there is no room for both, the day."""
    form = "%d %b %H:%M" if width >= WHEN_COLUMNS - 1 else "%d %b"
    if row.created is not None:
        return local_time(row.created, form)
    try:
        day = date.fromisoformat(row.date)
    except ValueError:
        return clipped(row.date, width)
    return row.date if len(row.date) <= width else day.strftime("%d %b")


def _badge(row: HistoryRow) -> Part:
    return (badges(row.source, row.imported), "bold $simulated" if row.source == "simulated" else "bold")
