"""Every request in flight as one mark: shapes differ, so the grid reads without colour."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from textual.content import Content

from sparktui.load.messages import SLOT_DECODING, SLOT_DONE, SLOT_FAILED, SLOT_PREFILL, SLOT_WAITING
from sparktui.ui.snapshot import Snapshot, Wave
from sparktui.ui.text import Part, lines
from sparktui.ui.widgets.panel import Panel

MARKS = {
    SLOT_WAITING: ("·", "$dim", "waiting"),
    SLOT_PREFILL: ("▒", "$warning", "prefill"),
    SLOT_DECODING: ("█", "$success", "decoding"),
    SLOT_DONE: ("✓", "$dim", "done"),
    SLOT_FAILED: ("✗", "bold $error", "failed"),
}
"""Glyph, style and word of each state."""
MAX_ROWS = 8
"""Of marks; what does not fit is counted."""


class Slots(Panel):
    """The grid and its counts, which are its legend too."""

    def __init__(self) -> None:
        super().__init__(id="slots", classes="box", title="requests")

    def show(self, snapshot: Snapshot) -> None:
        self.set_class(snapshot.wave is None or snapshot.wave.stale, "-stale")
        super().show(snapshot)

    def draw(self, snapshot: Snapshot, width: int) -> Content:
        wave = snapshot.wave
        if wave is None:
            return Content.styled("none in flight", "$dim")
        self.make_room(1 + min(MAX_ROWS, max(1, -(-len(wave.slots) // width))))
        shown = wave.slots[: width * MAX_ROWS]
        gap = " " if 2 * len(shown) <= width else ""
        rows = [_row(shown[start : start + width], gap, wave.stale) for start in range(0, len(shown), width)]
        return lines([_legend(wave, len(shown), width), *rows])


def _row(slots: bytes, gap: str, stale: bool) -> Content:
    parts: list[Part] = []
    for state, run in groupby(slots):
        mark, style, _ = MARKS.get(state, MARKS[SLOT_WAITING])
        parts.append(((mark + gap) * len(list(run)), "$dim" if stale else style))
    return Content.assemble(*parts)


def _legend(wave: Wave, shown: int, width: int) -> Content:
    """Return the counts with their words; where that is too wide, closer, then only those of which there are some."""
    some = [state for state in MARKS if wave.slots.count(state)]
    forms = (_counts(wave, shown, states, gap) for states in (list(MARKS), some) for gap in ("  ", " "))
    return next((form for form in forms if form.cell_length <= width), _counts(wave, shown, some, " ", words=False))


def _counts(wave: Wave, shown: int, states: Sequence[int], gap: str, *, words: bool = True) -> Content:
    parts: list[Part] = []
    for state in states:
        mark, style, word = MARKS[state]
        parts += [
            gap if parts else "",
            (mark, style),
            f"{wave.slots.count(state)}",
            (f" {word}" if words else "", "$dim"),
        ]
    if shown < len(wave.slots):
        parts.append((f"{gap}(+{len(wave.slots) - shown} not drawn)", "$dim"))
    return Content.assemble(*parts)
