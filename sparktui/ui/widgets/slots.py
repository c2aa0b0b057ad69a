"""Every request in flight as one mark: shapes differ, so the grid reads without colour."""

from __future__ import annotations

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
        return lines([_counts(wave, len(shown)), *rows])


def _row(slots: bytes, gap: str, stale: bool) -> Content:
    parts: list[Part] = []
    for state, run in groupby(slots):
        mark, style, _ = MARKS.get(state, MARKS[SLOT_WAITING])
        parts.append(((mark + gap) * len(list(run)), "$dim" if stale else style))
    return Content.assemble(*parts)


def _counts(wave: Wave, shown: int) -> Content:
    parts: list[Part] = []
    for state, (mark, style, word) in MARKS.items():
        parts += ["  " if parts else "", (mark, style), f"{wave.slots.count(state)} ", (word, "$dim")]
    if shown < len(wave.slots):
        parts.append((f"  (+{len(wave.slots) - shown} not drawn)", "$dim"))
    return Content.assemble(*parts)
