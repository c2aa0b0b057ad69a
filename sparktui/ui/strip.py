"""One node's memory over time as rows of text: what it had left in blocks, floors as lines, phases named below.

Nothing is told by colour alone: a column under a floor has a mark in the row of phases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from textual.content import Content

from sparktui.nodes.phase import Phase
from sparktui.ui.nodes_view import Column, Strip
from sparktui.ui.text import Part, lines
from sparktui.units import GIB

GUTTER = 6
"""Columns left of the picture, for the axis."""
BLOCKS = " ▁▂▃▄▅▆▇█"
WARN_LINE, STOP_LINE = "╌", "─"
UNDER = {"warn": "!", "stop": "✗"}
STYLES = {"": "$accent", "warn": "$warning", "stop": "$error"}
CURSOR = "│"
LEAST_NAMED = 3
"""Columns of a phase whose name's beginning is still worth printing."""

Cell = tuple[str, str]
"""A character and its style."""


def draw_strip(strip: Strip, rows: int, cursor: int | None) -> Content:
    """Return `rows` rows: the picture and, in the last one, the phases.

    Args:
        strip: What to draw.
        rows: How many; with fewer than two there is no picture.
        cursor: The column that is looked at; None where it is out of sight.
    """
    height = max(0, rows - 1)
    columns = [_upright(column, strip.top_bytes, height, index == cursor) for index, column in enumerate(strip.columns)]
    drawn = [_line(_tick(strip, row, height), [upright[row] for upright in columns]) for row in reversed(range(height))]
    return lines([*drawn, _line(" " * GUTTER, _phases(strip.columns))])


def _line(gutter: str, cells: Sequence[Cell]) -> Content:
    parts: list[Part] = [(gutter, "$dim")]
    for style, same in groupby(cells, key=lambda cell: cell[1]):
        parts.append(("".join(character for character, _ in same), style))
    return Content.assemble(*parts)


def _tick(strip: Strip, row: int, height: int) -> str:
    """Label the top and the middle of the axis, and the floors where they are."""
    last = next((column for column in reversed(strip.columns) if column is not None), None)
    label = None
    if row == height - 1:
        label = strip.top_bytes
    elif last is not None and last.stop_bytes is not None and _row_of(last.stop_bytes, strip.top_bytes, height) == row:
        label = last.stop_bytes
    elif last is not None and last.warn_bytes is not None and _row_of(last.warn_bytes, strip.top_bytes, height) == row:
        label = last.warn_bytes
    elif height > 5 and row == height // 2:
        label = round(strip.top_bytes * (row + 1) / height)
    return f"{'' if label is None else f'{label / GIB:.0f}':>{GUTTER - 2}} {'│' if label is None else '┤'}"


def _upright(column: Column | None, top: int, height: int, looked_at: bool) -> list[Cell]:
    """Return one column of the picture from the bottom up."""
    free = (CURSOR, "$foreground") if looked_at else (" ", "")
    if column is None:
        return [free] * height
    eighths = _eighths(column.left_bytes, top, height)
    style = "$foreground" if looked_at else STYLES[column.under]
    floors = _floors(column, top, height)
    return [_cell(eighths - 8 * row, style, free, floors.get(row)) for row in range(height)]


def _eighths(left: int | None, top: int, height: int) -> int:
    """Return how many eighths of a row a column is high; what is known shows at least one."""
    return 0 if left is None or not top else max(1, round(left / top * height * 8))


def _cell(eighths: int, style: str, free: Cell, floor: str | None) -> Cell:
    """Return a cell by how much of it is filled; a floor runs through what is full and what is empty."""
    if eighths >= 8:
        return (floor, f"{style} reverse") if floor else (BLOCKS[8], style)
    if eighths > 0:
        return BLOCKS[eighths], style
    return (floor, "$error" if floor == STOP_LINE else "$warning") if floor and free[0] == " " else free


def _floors(column: Column, top: int, height: int) -> dict[int, str]:
    """Return the rows that floors run through; where both share one, the line is that at which the guard stops."""
    found = {}
    for floor, line in ((column.warn_bytes, WARN_LINE), (column.stop_bytes, STOP_LINE)):
        if floor is not None and floor < top:
            found[_row_of(floor, top, height)] = line
    return found


def _row_of(size_bytes: int, top: int, height: int) -> int:
    return min(height - 1, size_bytes * height // top) if top else 0


def _phases(columns: Sequence[Column | None]) -> list[Cell]:
    """Name each stretch of one phase; columns under a floor are marked instead."""
    cells: list[Cell] = []
    for phase, same in groupby(columns, key=lambda column: None if column is None else column.phase):
        stretch = list(same)
        cells += [_marked(column, name) for column, name in zip(stretch, _name(phase, len(stretch)), strict=True)]
    return cells


def _marked(column: Column | None, character: str) -> Cell:
    under = "" if column is None else column.under
    return (UNDER[under], f"bold {STYLES[under]}") if under else (character, "$dim")


def _name(phase: Phase | None, length: int) -> Iterator[str]:
    """Return a phase's name in that many characters: `├loading───`; a gap is blank."""
    if phase is None:
        return iter(" " * length)
    name = phase if length > LEAST_NAMED else phase[:1] if length > 1 else ""
    return iter(f"├{name}"[:length].ljust(length, "─" if phase != "idle" else "·"))
