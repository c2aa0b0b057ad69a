"""A strip and what lies under it: readable without colour, at any size."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.history import Mark, Run
from sparktui.nodes.phase import PHASES, Phase
from sparktui.ui.nodes_view import Column, NodesRequest, NodesView, Span, Strip
from sparktui.ui.strip import GUTTER, draw_strip
from sparktui.ui.timeline import ROWS, draw_timeline
from tests.core.node_samples import GIB

sizes = st.one_of(st.none(), st.integers(0, 200 * GIB))
columns_of = st.lists(
    st.one_of(st.none(), st.builds(Column, st.just(0.0), sizes, sizes, sizes, st.sampled_from(PHASES), sizes, sizes)),
    max_size=60,
)


def column(left_gib: float, phase: Phase = "serving") -> Column:
    return Column(0.0, int(left_gib * GIB), None, None, phase, 12 * GIB, (16 if phase == "loading" else 6) * GIB)


def strip(*columns: Column | None, top_gib: int = 40) -> Strip:
    return Strip("gf1", True, top_gib * GIB, columns, None, None, None, None, ())


def rows(drawn: Strip, height: int, cursor: int | None = None) -> list[str]:
    return [line[GUTTER:] for line in draw_strip(drawn, height, cursor).plain.split("\n")]


@given(columns_of, st.integers(0, 200 * GIB), st.integers(1, 12), st.one_of(st.none(), st.integers(-3, 70)))
def test_it_fills_its_rows_and_columns_whatever_the_samples_say(
    columns: list[Column | None], top: int, height: int, cursor: int | None
) -> None:
    drawn = draw_strip(Strip("gf1", False, top, tuple(columns), None, None, None, None, ()), height, cursor)
    lines = drawn.plain.split("\n")
    assert len(lines) == height
    assert {len(line) for line in lines} == {GUTTER + len(columns)}


def test_the_picture_is_as_high_as_what_was_left() -> None:
    picture = rows(strip(column(40), column(20), column(25), None), 5)
    assert picture == ["█   ", "█ ▄ ", "╌╌╌ ", "─── ", "├s─ "]


def test_floors_are_lines_through_what_is_full_and_what_is_empty() -> None:
    high, empty = rows(strip(column(38)), 11), rows(strip(column(2)), 11)
    assert high[10 - 1 - 3][0] == empty[10 - 1 - 3][0] == "╌"
    assert high[10 - 1 - 1][0] == empty[10 - 1 - 1][0] == "─"


def test_where_both_floors_share_a_row_the_one_that_stops_is_drawn_and_labelled() -> None:
    drawn = draw_strip(strip(column(38)), 3, None).plain.split("\n")
    assert drawn[1].startswith("   6 ┤─")


def test_columns_under_a_floor_are_marked_below_the_picture() -> None:
    picture = rows(strip(column(38), column(38), column(11), column(5), column(11, "loading")), 5)
    assert picture[-1] == "├s!✗✗"


def test_phases_are_named_where_they_have_room() -> None:
    idle, loading = [column(38, "idle")] * 6, [column(38, "loading")] * 10
    assert rows(strip(*idle, *loading, column(38), None), 4)[-1] == "├idle·├loading──├ "


def test_a_gap_in_the_samples_is_blank_not_zero() -> None:
    assert rows(strip(None, None), 4) == ["  "] * 4


def test_a_known_figure_near_zero_is_not_blank() -> None:
    assert rows(strip(column(0.01)), 4)[2] == "▁"


def test_the_cursor_stands_in_what_is_empty() -> None:
    picture = rows(strip(column(10), None), 5, cursor=1)
    assert [line[1] for line in picture] == ["│", "│", "│", "│", " "]


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def timeline(
    span: Span, cursor: int | None = None, runs: tuple[Run, ...] = (), marks: tuple[Mark, ...] = ()
) -> list[str]:
    view = NodesView(NodesRequest(span.columns), span, (span.start, span.end), True, runs=runs, marks=marks)
    return [line[GUTTER:] for line in draw_timeline(view, ("solo", "shuffle"), cursor).plain.split("\n")]


def test_topologies_are_named_along_the_axis_from_launch_to_stop() -> None:
    up = (Run("solo", 105, 150), Run("shuffle", 160, None))
    assert timeline(Span(10, 10, 10), runs=up)[0] == "├solo─├shu"


def test_a_topology_that_began_before_is_shown_without_its_beginning() -> None:
    assert timeline(Span(10, 8, 10), runs=(Run("solo", 5, 130),))[0] == "solo    "


@pytest.mark.usefixtures("utc")
def test_nothing_is_said_of_what_has_not_come_yet() -> None:
    span, up = Span(0, 41, 1), (Run("solo", 0, None),)
    view = NodesView(NodesRequest(41), span, (0, 18.5), True, runs=up, now=20.0)
    runs, _, times = (line[GUTTER:] for line in draw_timeline(view, ("solo",), None).plain.split("\n"))
    assert runs == "├solo".ljust(21, "─").ljust(41)
    assert times == "│00:00:00       │00:00:16".ljust(41)


def test_events_are_marked_where_they_were_told_by_the_worst() -> None:
    marks = tuple(Mark(t, level, "gf1", "x", "") for t, level in ((100, "warning"), (121, "warning"), (129, "error")))
    assert timeline(Span(10, 4, 10), marks=marks)[1] == "! ✗ "


@pytest.mark.usefixtures("utc")
def test_the_pointer_has_its_time_on_the_side_where_there_is_room() -> None:
    span = Span(0, 41, 1)
    assert timeline(span)[2] == "│00:00:00       │00:00:16       │00:00:32"
    assert timeline(span, 5)[2] == "     ▲00:00:05  │00:00:16       │00:00:32"
    assert timeline(span, 40)[2] == "│00:00:00       │00:00:16       00:00:40▲"


@given(st.integers(1, 200), st.integers(0, 10**9), st.sampled_from([1, 60, 86_400]), st.integers(-5, 210))
def test_the_timeline_is_as_wide_as_the_strips(columns: int, first: int, width_s: int, cursor: int) -> None:
    drawn = timeline(Span(first // width_s, columns, width_s), cursor, (Run("solo", first, first + 7),))
    assert len(drawn) == ROWS
    assert {len(row) for row in drawn} == {columns}
