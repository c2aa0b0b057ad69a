"""The chart: any figures, any size, never a raise, never a wrong cell; lines told apart without colour."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.compare.comparison import Table
from sparktui.compare.winners import LEAST, METRICS, MOST, Row
from sparktui.compare.workload import Workload
from sparktui.ui.chart import AXIS, CROSSING, CURSOR, SEVERAL, STROKES, Axis, Chart, Line, Point, Rows, draw
from sparktui.ui.sweep_scale import Scale
from sparktui.ui.sweep_view import SweepFigure

numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.floats(-1000, 1000)
xs = st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 10)
points = st.builds(Point, x=xs, y=numbers, low=numbers, high=numbers)
lines = st.builds(
    Line,
    points=st.lists(points, max_size=9).map(tuple),
    ink=st.sampled_from(["topology-0", "topology-1"]),
    mark=st.sampled_from("ABCab"),
    stroke=st.sampled_from(STROKES),
)
labels = st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.text("0123456789[]", max_size=9)))
axes = st.builds(Axis, low=xs, high=xs, ticks=labels.map(tuple))
charts = st.builds(
    Chart, axes, axes, st.lists(lines, max_size=5).map(tuple), st.none() | xs, st.lists(xs, max_size=3).map(tuple)
)


def text(rows: Rows) -> list[str]:
    return ["".join(run for run, _ in row) for row in rows]


@settings(deadline=None, max_examples=300)
@given(charts, st.integers(0, 90), st.integers(0, 30))
def test_any_figures_fit_any_size(chart: Chart, width: int, height: int) -> None:
    drawn = text(draw(chart, width, height))
    assert len(drawn) == height
    assert {len(row) for row in drawn} <= {width}


@settings(deadline=None, max_examples=300)
@given(st.lists(st.none() | st.floats(allow_nan=False), min_size=1, max_size=9), st.none() | st.booleans())
def test_any_figures_have_an_axis_with_labels_on_it(values: list[float | None], log: bool | None) -> None:
    rows = tuple(Row("ttft", 2**at, {"solo": value}) for at, value in enumerate(values))
    table = Table(METRICS["ttft"], Workload(1, 1, 0, "waves"), ("solo",), rows, (), "usage", "none", simulated=())
    scale = Scale(SweepFigure(table), log)
    axis = scale.axis()
    assert all(axis.low <= place <= axis.high for place, _ in axis.ticks)
    figures = [value for value in values if value is not None and LEAST < value < MOST]
    assert all(axis.low <= (scale.place(value) or 0) <= axis.high for value in figures)


@pytest.mark.parametrize("log", [True, False])
def test_ticks_are_written_like_the_figures_of_the_tables(log: bool) -> None:
    rows = (Row("prefill", 1, {"solo": 900.0}), Row("prefill", 2, {"solo": 26_000.0}))
    table = Table(METRICS["prefill"], Workload(1, 1, 0, "waves"), ("solo",), rows, (), "usage", "none", simulated=())
    labels = [label for _, label in Scale(SweepFigure(table), log).axis().ticks]
    assert "10 000" in labels
    assert all(re.fullmatch(r"\d{1,3}( \d{3})*", label) for label in labels)


def chart(*series: tuple[str, list[float | None]], **more: object) -> Chart:
    """Series at the levels 1, 2, 4, ... on a log2 axis, with figures from 0 to 100."""
    longest = max((len(values) for _, values in series), default=1)
    x = Axis(0, longest - 1, tuple((at, str(2**at)) for at in range(longest)))
    y = Axis(0, 100, ((0, "0"), (50, "50"), (100, "100")))
    drawn = tuple(
        Line(tuple(Point(at, value) for at, value in enumerate(values)), f"topology-{index}", mark, STROKES[index])
        for index, (mark, values) in enumerate(series)
    )
    return Chart(x, y, drawn, **more)  # type: ignore[arg-type]


def place(drawn: list[str], mark: str) -> list[tuple[int, int]]:
    return [(row, column) for row, line in enumerate(drawn) for column, found in enumerate(line) if found == mark]


def test_the_highest_value_is_on_the_first_row_and_the_lowest_on_the_axis() -> None:
    drawn = text(draw(chart(("A", [0.0, 50.0, 100.0])), 60, 13))
    (top, last), (middle, _), (bottom, first) = place(drawn, "A")
    assert (top, middle, bottom) == (0, 5, 10)
    assert drawn[0].startswith("100┤")
    assert drawn[10].startswith("  0┤")
    assert first < last


def test_points_stand_above_their_labels() -> None:
    drawn = text(draw(chart(("A", [10.0, 20.0, 30.0, 40.0])), 60, 13))
    columns = sorted(column for _, column in place(drawn, "A"))
    assert [column for column, found in enumerate(drawn[-2]) if found == "┬"] == columns
    assert [drawn[-1][column] for column in columns] == ["1", "2", "4", "8"]


@pytest.mark.parametrize("missing", [None, math.nan, math.inf])
def test_a_missing_value_is_a_gap_and_no_zero(missing: float | None) -> None:
    drawn = text(draw(chart(("A", [50.0, missing, 50.0])), 60, 13))
    assert len(place(drawn, "A")) == 2
    between = drawn[5][place(drawn, "A")[0][1] + 1 : place(drawn, "A")[1][1]]
    assert between.strip() == ""


def test_lines_that_share_a_cell_share_its_dots() -> None:
    alone = text(draw(chart(("A", [50.0, 50.0])), 60, 13))[5]
    both = text(draw(chart(("A", [50.0, 50.0]), ("B", [52.0, 52.0])), 60, 13))[5]
    dots = [(ord(one), ord(two)) for one, two in zip(alone, both, strict=True) if 0x2800 < ord(one) < 0x2900]
    assert dots
    assert all(one & two == one for one, two in dots)


def test_marks_in_one_cell_are_said_to_be_several() -> None:
    drawn = text(draw(chart(("A", [50.0, 10.0]), ("B", [50.1, 90.0])), 60, 13))
    assert len(place(drawn, SEVERAL)) == 1
    assert len(place(drawn, "A")) == len(place(drawn, "B")) == 1


def test_a_mark_behind_gives_way() -> None:
    ends = (Point(0, 0.3), Point(1, 0.3))
    lines = (Line(ends, "ghost", "a", behind=True), Line(ends[:1], "topology-0", "A"))
    drawn = text(draw(Chart(Axis(0, 1), Axis(0, 1), lines), 60, 13))
    assert (len(place(drawn, "A")), len(place(drawn, "a")), len(place(drawn, SEVERAL))) == (1, 1, 0)


def test_lines_differ_without_their_colour() -> None:
    ends = (Point(0, 0.3), Point(1, 0.3))
    drawn = [text(draw(Chart(Axis(0, 1), Axis(0, 1), (Line(ends, "ink", "A", dots),)), 60, 13)) for dots in STROKES]
    assert len({"\n".join(rows) for rows in drawn}) == len(STROKES)


def test_an_interval_wider_than_its_mark_is_seen() -> None:
    x, y = Axis(0, 1, ()), Axis(0, 100, ())
    line = Line((Point(0, 50.0, 20.0, 80.0), Point(1, 50.0, 49.9, 50.1)), "topology-0", "A")
    drawn = text(draw(Chart(x, y, (line,)), 60, 13))
    (_, first), (_, second) = place(drawn, "A")
    assert [row for row in range(11) if drawn[row][first] != " "] == list(range(2, 9))
    assert [row for row in range(11) if drawn[row][second] != " "] == [5]


def test_cursor_and_crossings_stand_behind_the_lines() -> None:
    rows = draw(chart(("A", [50.0, 50.0, 50.0]), cursor=1.0, crossings=(1.5,)), 60, 13)
    inks = [{ink for _, ink in row} for row in rows]
    assert all({CURSOR, CROSSING} <= of_row for of_row in inks[:5])
    assert CURSOR not in inks[5]
    assert inks[-1] == {AXIS}


def test_the_first_label_keeps_its_room() -> None:
    x = Axis(0, 10, ((9.9, "[960]"), *((at, str(2**at)) for at in range(11))))
    foot = text(draw(Chart(x, Axis(0, 1)), 40, 8))[-1]
    assert "[960]" in foot
    assert "1024" not in foot
