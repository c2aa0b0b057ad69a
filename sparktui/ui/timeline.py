"""What lies under the strips, column by column: which topology was up, what was told, and what time it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from textual.content import Content

from sparktui.moments import local_time
from sparktui.nodes.history import Mark, Run
from sparktui.ui.colours import colour
from sparktui.ui.nodes_view import NodesView, Span
from sparktui.ui.strip import GUTTER, Cell
from sparktui.ui.text import Part, clock, harmless, lines

ROWS = 3
LABEL_EVERY = 16
"""Columns from one time of day to the next."""
SECONDS_UNTIL_S = 30
"""Columns shorter than this have their times told to the second."""
MARKS = {"error": ("✗", "bold $error"), "warning": ("!", "bold $warning")}
POINTER = "▲"


def draw_timeline(view: NodesView, topologies: Sequence[str], cursor: int | None) -> Content:
    """Return the three rows.

    Args:
        view: What is shown.
        topologies: All of the race: together they decide their colours.
        cursor: The column looked at; None where it is out of sight.
    """
    return lines(
        [
            _row("up", _runs(view, topologies)),
            _row("log", _marks(view.span, view.in_sight())),
            _row("time", _clock(view, cursor)),
        ]
    )


def _row(name: str, cells: Sequence[Cell]) -> Content:
    parts: list[Part] = [(f"{name:>{GUTTER - 1}} ", "$dim")]
    for style, same in groupby(cells, key=lambda cell: cell[1]):
        parts.append(("".join(character for character, _ in same), style))
    return Content.assemble(*parts)


def _runs(view: NodesView, topologies: Sequence[str]) -> list[Cell]:
    cells: list[Cell] = [(" ", "")] * view.span.columns
    for run in view.runs:
        first, last = _reach(view, run)
        for column, character in zip(range(first, last + 1), _named(run.topology, last - first + 1), strict=True):
            if 0 <= column < len(cells):
                cells[column] = (character, _colour(run, topologies))
    return cells


def _reach(view: NodesView, run: Run) -> tuple[int, int]:
    """Return the first and the last column in which a topology was up, cut off a column beyond the span."""
    span = view.span
    first = max(-1, span.column(run.start))
    last = min(span.columns, span.column(view.until if run.end is None else run.end))
    return first, max(first, last)


def _named(name: str, length: int) -> Iterator[str]:
    return iter(f"├{harmless(name)}"[:length].ljust(length, "─"))


def _colour(run: Run, topologies: Sequence[str]) -> str:
    return colour(run.topology, topologies) if run.topology in topologies else ""


def _marks(span: Span, marks: Sequence[Mark]) -> list[Cell]:
    """Mark each column by the worst that was told of it."""
    cells: list[Cell] = [(" ", "")] * span.columns
    for mark in marks:
        column = span.column(mark.t)
        if mark.level in MARKS and cells[column] != MARKS["error"]:
            cells[column] = MARKS[mark.level]
    return cells


def _clock(view: NodesView, cursor: int | None) -> list[Cell]:
    """Tell the time at the cursor, and every so many columns, as far as it has come."""
    span = view.span
    cells: list[Cell] = [(" ", "")] * span.columns
    taken = range(0)
    if cursor is not None:
        first, said = _pointer(cursor, clock(span.start + cursor * span.width_s), span.columns)
        taken = range(first - 1, first + len(said) + 1)
        _write(cells, first, said, "bold")
    for column in range(0, min(span.columns, span.column(view.until) + 1), LABEL_EVERY):
        said = f"│{_time(span, column)}"
        if not (set(range(column, column + len(said))) & set(taken)) and column + len(said) <= span.columns:
            _write(cells, column, said, "$dim")
    return cells


def _pointer(cursor: int, text: str, columns: int) -> tuple[int, str]:
    """Return where the pointer and its time begin, and both: the time is to the side where there is room."""
    if cursor + len(text) < columns:
        return cursor, f"{POINTER}{text}"
    return cursor - len(text), f"{text}{POINTER}"


def _write(cells: list[Cell], first: int, text: str, style: str) -> None:
    for column, character in enumerate(text, first):
        if 0 <= column < len(cells):
            cells[column] = (character, style)


def _time(span: Span, column: int) -> str:
    t = span.start + column * span.width_s
    if span.width_s < SECONDS_UNTIL_S:
        return clock(t)
    form = "%H:%M" if span.columns * span.width_s < 86_400 else "%d %b %H:%M"
    return local_time(t, form)
