"""One figure against concurrency: a line a topology, intervals, crossovers, and below the axis who wins."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from sparktui.compare.comparison import Table
from sparktui.compare.crossover import Crossover
from sparktui.compare.verdict import SO_FAR, equal, equal_in_short, fitting
from sparktui.compare.winners import Row
from sparktui.exporting.grid import number
from sparktui.exporting.interval import mean_interval
from sparktui.exporting.labels import spread_out
from sparktui.exporting.markup import Element, element
from sparktui.exporting.palette import Look, look
from sparktui.exporting.scale import Axis, figure_axis, level_axis
from sparktui.exporting.text import one_line

WIDTH, HEIGHT = 760, 356
LEFT, RIGHT, TOP, BOTTOM = 62.0, 596.0, 26.0, 282.0
"""The edges of the plot; names stand on its right, the winners below it."""
INSET = 16.0
STRIP = 322.0
NAME_LENGTH = 19
LETTER = 6.5
"""About the width of a small letter."""
LABEL_HEIGHT = 15.0


@dataclass(frozen=True, slots=True)
class _Point:
    concurrency: int
    value: float
    low: float
    high: float
    barred: str | None
    sure: bool


@dataclass(frozen=True, slots=True)
class _Plot:
    table: Table
    x: Axis
    y: Axis
    ticks: list[float]
    lines: tuple[tuple[str, Look, list[_Point | None]], ...]
    """Points at every level; None where there is none: a gap, not a zero."""


def panel(table: Table, *, simulated: bool, beside: Sequence[str]) -> Element:
    """Return a table's plot as a group of WIDTH by HEIGHT.

    Args:
        table: What to draw; it has at least one row.
        simulated: Write over the plot that it was not measured.
        beside: All topologies of the campaign, drawn or not: they decide the colours.
    """
    plot = _plot(table, beside)
    return element(
        "g",
        *_grid(plot),
        *(_crossover(plot, crossover, index) for index, crossover in enumerate(table.crossovers)),
        *(_line(plot, index) for index in range(len(plot.lines))),
        *_names(plot),
        *_winners(plot),
        *([_watermark()] if simulated else []),
    )


def described(table: Table) -> str:
    """Say in words what a plot shows, level by level, for those who cannot see it."""
    levels = ("; ".join(_told(table, row, name) for name in table.topologies) for row in table.rows)
    return ". ".join(f"c{row.concurrency}: {level}" for row, level in zip(table.rows, levels, strict=True))


def _told(table: Table, row: Row, topology: str) -> str:
    return f"{topology} {number(table, row.values.get(topology))} {table.metric.unit}"


def _plot(table: Table, beside: Sequence[str]) -> _Plot:
    lines = tuple((name, look(name, beside), [_point(row, name) for row in table.rows]) for name in table.topologies)
    points = [point for _, _, line in lines for point in line if point is not None]
    ends = [end for point in points for end in (point.low, point.high)]
    y, ticks = figure_axis(ends, BOTTOM, TOP, latency=table.metric.unit == "ms")
    x = level_axis([row.concurrency for row in table.rows], LEFT + INSET, RIGHT - INSET)
    return _Plot(table, x, y, ticks, lines)


def _point(row: Row, topology: str) -> _Point | None:
    value = row.values.get(topology)
    if value is None or not math.isfinite(value) or value <= 0:
        return None
    interval = mean_interval(row.estimates.get(topology))
    low, high = interval or (value, value)
    return _Point(row.concurrency, value, low, high, row.barred.get(topology), interval is not None)


def _grid(plot: _Plot) -> Iterator[Element]:
    unit = plot.table.metric.unit
    yield _text(f"{unit}{', log scale' if plot.y.log else ''}", 8, TOP - 12, "faint small", "#5c6670", "start")
    for tick in plot.ticks:
        y = plot.y.at(tick)
        yield element("line", class_="rule", x1=LEFT, x2=RIGHT, y1=y, y2=y, stroke="#e3e7eb")
        yield _text(f"{tick:,.6g}".replace(",", "\u202f"), LEFT - 8, y + 4, "faint small number", "#5c6670", "end")
    yield element("line", class_="axis", x1=LEFT, x2=RIGHT, y1=BOTTOM, y2=BOTTOM, stroke="#8b95a0")
    for row in plot.table.rows:
        x = plot.x.at(row.concurrency)
        yield element("line", class_="axis", x1=x, x2=x, y1=BOTTOM, y2=BOTTOM + 5, stroke="#8b95a0")
        yield _text(f"c{row.concurrency}", x, BOTTOM + 19, "ink number", "#1b2127", "middle")


def _line(plot: _Plot, index: int) -> Element:
    name, style, points = plot.lines[index]
    runs = [list(run) for known, run in groupby(points, key=lambda point: point is not None) if known]
    stroke = {"stroke": style.colour, "fill": "none", "stroke_width": 2.2, "stroke_dasharray": style.dash}
    paths = [
        element("path", d=_path(plot, [p for p in run if p]), class_=f"stroke{style.number}", **stroke) for run in runs
    ]
    found = [point for point in points if point is not None]
    return element("g", *paths, *(part for point in found for part in _marked(plot, name, style, point)))


def _path(plot: _Plot, points: Sequence[_Point]) -> str:
    places = (f"{plot.x.at(p.concurrency):.1f} {plot.y.at(p.value):.1f}" for p in points)
    return "M" + "L".join(places)


def _marked(plot: _Plot, name: str, style: Look, point: _Point) -> Iterator[Element]:
    x, y = plot.x.at(point.concurrency), plot.y.at(point.value)
    low, high = plot.y.at(max(point.low, plot.y.low)), plot.y.at(point.high)
    if abs(low - high) > 1:
        path = f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 4:.1f} {low:.1f}H{x + 4:.1f}M{x - 4:.1f} {high:.1f}H{x + 4:.1f}"
        yield element(
            "path", d=path, class_=f"stroke{style.number}", stroke=style.colour, fill="none", stroke_width=1.4
        )
    paint = {"class_": f"fill{style.number} stroke{style.number}", "fill": style.colour}
    if point.barred is not None:
        paint = {"class_": f"hollow stroke{style.number}", "fill": "#ffffff"}
    tip = element("title", _tip(plot, name, point))
    yield element("path", tip, d=_mark(style.mark, x, y), stroke=style.colour, stroke_width=1.6, **paint)


def _tip(plot: _Plot, name: str, point: _Point) -> str:
    table = plot.table
    text = f"{name}, c{point.concurrency}: {number(table, point.value)} {table.metric.unit}"
    if point.sure:
        text += f" (95 % interval {number(table, point.low)} to {number(table, point.high)})"
    return text if point.barred is None else f"{text}; cannot win: {point.barred}"


def _mark(shape: str, x: float, y: float) -> str:
    if shape == "circle":
        return f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z"
    if shape == "square":
        return f"M{x - 3.6:.1f} {y - 3.6:.1f}h7.2v7.2h-7.2Z"
    if shape == "triangle":
        return f"M{x:.1f} {y - 4.8:.1f}l4.6 8h-9.2Z"
    return f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5-5Z"


def _names(plot: _Plot) -> Iterator[Element]:
    """Name each line at its end; names that would cover each other are moved apart."""
    ends = [(name, style, next((p for p in reversed(points) if p), None)) for name, style, points in plot.lines]
    shown = [(name, style, point) for name, style, point in ends if point is not None]
    wanted = [plot.y.at(point.value) for _, _, point in shown]
    for (name, style, point), y, place in zip(
        shown, wanted, spread_out(wanted, LABEL_HEIGHT, TOP, BOTTOM), strict=True
    ):
        x = plot.x.at(point.concurrency)
        path = f"M{x + 7:.1f} {y:.1f}L{RIGHT + 10:.1f} {place:.1f}"
        yield element(
            "path", d=path, class_=f"stroke{style.number}", stroke=style.colour, stroke_width=0.8, opacity=0.6
        )
        yield _text(_shortened(name), RIGHT + 14, place + 4, f"fill{style.number}", style.colour, "start", weight=600)


def _crossover(plot: _Plot, crossover: Crossover, index: int) -> Element:
    """Mark where the lead passes on, and the range it may lie in."""
    low, high = crossover.interval or (None, None)
    start = plot.x.at(low or crossover.between[0])
    end = plot.x.at(high or crossover.between[1])
    x = plot.x.at(crossover.concurrency)
    said = f"{crossover.above} leads from about {crossover.concurrency:.0f} users on"
    band = element("rect", x=start, y=TOP, width=end - start, height=BOTTOM - TOP, class_="doubt", opacity="0.07")
    line = element("line", class_="flip", x1=x, x2=x, y1=TOP, y2=BOTTOM, stroke="#5c6670", stroke_dasharray="3 3")
    label = _text(f"⇄ {crossover.concurrency:.0f}", x, TOP - 5 - 12 * (index % 2), "faint small", "#5c6670", "middle")
    return element("g", element("title", said), band, line, label)


def _winners(plot: _Plot) -> Iterator[Element]:
    """Say level by level who wins, as a strip in the winners' colours; grey is a tie, and what is one only so far."""
    table = plot.table
    styles = {name: style for name, style, _ in plot.lines}
    if not table.contested:
        return
    title = "wins" if table.verdict_title == "Winner" else "so far"
    yield _text(title, LEFT - 8, STRIP + 4, "faint small", "#5c6670", "end")
    places = [plot.x.at(row.concurrency) for row in table.rows]
    edges = [LEFT, *((a + b) / 2 for a, b in pairwise(places)), RIGHT]
    spans = list(zip(table.rows, pairwise(edges), strict=True))
    for (best, awaited), run in groupby(spans, key=lambda span: (span[0].best, span[0].awaited)):
        if best:
            open_yet = len(best) > 1 or bool(awaited)
            yield from _won(list(run), None if open_yet else styles[best[0]])


def _won(spans: Sequence[tuple[Row, tuple[float, float]]], style: Look | None) -> Iterator[Element]:
    """Draw levels with one answer, in the winner's style; in grey where there is none."""
    kind, colour = ("tie", "#8b95a0") if style is None else (f"fill{style.number}", style.colour)
    for row, (start, end) in spans:
        said = f"c{row.concurrency}: {_answer(row)}"
        place = {"x": start + 1, "y": STRIP - 6, "width": end - start - 2, "height": 12}
        yield element("rect", element("title", said), rx=3, class_=kind, fill=colour, **place)
    best, start, end = spans[0][0].best, spans[0][1][0], spans[-1][1][1]
    forms = [one_line(equal(best)), one_line(equal_in_short(best)), "tie" if len(best) > 1 else _shortened(best[0])]
    label = fitting(forms, int((end - start) / LETTER))
    if len(label) * LETTER <= end - start:
        shade = ("faint small", "#5c6670") if style is None else (f"{kind} small", colour)
        yield _text(label, (start + end) / 2, STRIP + 19, *shade, "middle")


def _answer(row: Row) -> str:
    said = f"a tie: {equal(row.tied)}" if row.tie else f"{row.winner} {'leads' if row.awaited else 'wins'}"
    return f"{said}{SO_FAR if row.awaited else ''}"


def _watermark() -> Element:
    x, y = (LEFT + RIGHT) / 2, (TOP + BOTTOM) / 2
    return element(
        "text",
        "SIMULATED",
        x=x,
        y=y,
        class_="mark",
        fill="#b00020",
        opacity="0.16",
        text_anchor="middle",
        font_size="64px",
        font_weight=800,
        letter_spacing="6",
        transform=f"rotate(-18 {x:.0f} {y:.0f})",
        aria_hidden="true",
    )


def _text(text: str, x: float, y: float, kind: str, colour: str, anchor: str, weight: int | None = None) -> Element:
    return element("text", text, x=x, y=y, class_=kind, fill=colour, text_anchor=anchor, font_weight=weight)


def _shortened(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 9]}…{name[-8:]}"
