"""Pieces of text that every screen is made of: gauges, sparklines, aligned rows, and foreign text made harmless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from sparktui.moments import local_time

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


def spark(values: Sequence[float | None], width: int, top: float = 0.0) -> str:
    """Draw the newest values on one row, as `bars` does."""
    return bars(values, width, 1, top)[0]


def bars(values: Sequence[float | None], width: int, rows: int, top: float = 0.0) -> list[str]:
    """Draw the newest values as columns from zero, the topmost row first; a missing value is a gap.

    Args:
        values: Oldest first.
        width: Columns to fill; the left stays blank until there are values enough.
        rows: How high.
        top: What a full column stands for; a little over the highest value shown where that is 0.
    """
    shown = list(values[-width:]) if width > 0 else []
    highest = top or HEADROOM * max((value for value in shown if value is not None), default=0.0)
    eighths = [_eighths(value, highest, rows) for value in shown]
    drawn = ("".join(_block(n - row * len(STEPS)) for n in eighths) for row in reversed(range(rows)))
    return [row.rjust(max(0, width)) for row in drawn]


def _eighths(value: float | None, top: float, rows: int) -> int:
    """Return how many eighths of a row a column is high; what is known shows at least one."""
    if value is None:
        return 0
    most = rows * len(STEPS)
    if top <= 0:
        return 1
    return most if value >= top else max(1, int(value / top * most - 1e-9) + 1)


def _block(eighths: int) -> str:
    return " " if eighths <= 0 else STEPS[min(len(STEPS), eighths) - 1]


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


def commands_text(commands: Mapping[str, str], names: Sequence[str]) -> list[Content]:
    """Return what would be typed, by topology: comments dimmed, each topology under its name."""
    rows = [_command_line(line) for name in names for line in ("", *commands.get(name, "").splitlines())]
    return rows[1:] or [Content("nothing is ticked")]


def _command_line(line: str) -> Content:
    return Content.styled(harmless(line), "$dim" if line.startswith("#") else "")


def clock(t: float) -> str:
    """Return the local time of day of a moment."""
    return local_time(t)


def squeezed(name: str, width: int) -> str:
    """Return a name in at most `width` columns by leaving out its middle: often its end tells it apart."""
    if len(name) <= width:
        return name
    if width < 4:
        return name[: max(0, width)]
    tail = (width - 1) // 2
    return f"{name[: width - 1 - tail]}…{name[-tail:]}"
