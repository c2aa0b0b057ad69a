"""Pieces of text that every screen is made of: gauges, sparklines, aligned rows, and foreign text made harmless."""

from __future__ import annotations

import time
from collections.abc import Sequence

from textual.content import Content

Part = str | tuple[str, str] | Content
"""Plain text, text with a style, or content: what `Content.assemble` takes."""

STEPS = "▁▂▃▄▅▆▇█"
HEADROOM = 1.4
"""So that rows above one another keep some air between them, and an even figure is a line, not a wall."""


def harmless(text: str) -> str:
    """Return foreign text on one line without control characters, which could drive the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def clipped(text: str, width: int) -> str:
    """Return the text in at most `width` columns, cut with an ellipsis."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"[:width]


def track(fraction: float, width: int, marks: Sequence[float] = ()) -> tuple[str, str]:
    """Draw a horizontal gauge as its filled part and its rest, crossed at each mark; no colour is needed to read it."""
    full = round(max(0.0, min(1.0, fraction)) * width)
    crossed = {min(width - 1, int(mark * width)) for mark in marks}
    cells = [_cell(column < full, column in crossed) for column in range(width)]
    return "".join(cells[:full]), "".join(cells[full:])


def _cell(filled: bool, crossed: bool) -> str:
    if filled:
        return "╋" if crossed else "━"
    return "┼" if crossed else "─"


def spark(values: Sequence[float | None], width: int, top: float | None = None) -> str:
    """Draw the newest values on one row from zero to `top`; a missing value is a gap.

    Args:
        values: Oldest first.
        width: Columns to fill; the left stays blank until there are values enough.
        top: What a full block stands for; a little over the highest value shown where left out.
    """
    shown = list(values[-width:]) if width > 0 else []
    highest = top or HEADROOM * max((value for value in shown if value is not None), default=0.0)
    return "".join(_step(value, highest) for value in shown).rjust(max(0, width))


def _step(value: float | None, top: float) -> str:
    if value is None:
        return " "
    if top <= 0:
        return STEPS[0]
    return STEPS[min(len(STEPS) - 1, max(0, int(value / top * len(STEPS) - 1e-9)))]


def spread(left: Content, right: Content, width: int) -> Content:
    """Put one piece at each end of a line; the left one gives way."""
    room = width - right.cell_length
    if room < 8:
        return left.truncate(width, ellipsis=True)
    kept = left.truncate(room - 1, ellipsis=True) if left.cell_length > room - 1 else left
    return Content.assemble(kept, " " * (room - kept.cell_length), right)


def lines(rows: Sequence[Content]) -> Content:
    """Stack rows."""
    return Content("\n").join(rows)


def clock(t: float) -> str:
    """Return the local time of day of a moment."""
    return time.strftime("%H:%M:%S", time.localtime(t))


def squeezed(name: str, width: int) -> str:
    """Return a name in at most `width` columns by leaving out its middle: often its end tells it apart."""
    if len(name) <= width:
        return name
    if width < 4:
        return name[: max(0, width)]
    tail = (width - 1) // 2
    return f"{name[: width - 1 - tail]}…{name[-tail:]}"
