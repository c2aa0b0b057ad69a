"""Where one looks on the Nodes screen, and how keys move that: nothing here needs a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.history import Mark
from sparktui.ui.nodes_look import FOLLOWING_S, Look
from sparktui.ui.nodes_view import (
    WIDTHS_S,
    Column,
    NodesRequest,
    NodesView,
    Span,
    Strip,
    span_of,
    top_over,
    zoomed,
)
from tests.core.node_samples import GIB

T0 = 1_764_000_000.0
moments = st.floats(T0, T0 + 1e6)
widths = st.one_of(st.none(), st.sampled_from(WIDTHS_S))


def view(
    start: float = T0, end: float = T0 + 999, *, columns: int = 100, width_s: int = 5, running: bool = True
) -> NodesView:
    request = NodesRequest(columns, width_s)
    strips = tuple(Strip(name, False, GIB, (), None, None, None, None, ()) for name in ("gf1", "gf2"))
    marks = tuple(
        Mark(T0 + t, level, source, "x", "") for t, level, source in ((100, "warning", "gf2"), (900, "error", "solo"))
    )
    return NodesView(
        request, span_of(request, (start, end), end if running else None), (start, end), running, strips, marks=marks
    )


def column(left: int | None) -> Column:
    return Column(T0, left, None, None, "serving", 12 * GIB, 6 * GIB)


@given(moments, st.floats(0, 1e6), st.integers(1, 300), widths, st.one_of(st.none(), st.floats(-1e5, 1e6)))
def test_a_span_begins_at_a_multiple_of_its_width_and_has_the_columns_asked_for(
    first: float, length: float, columns: int, width_s: int | None, now: float | None
) -> None:
    clock = None if now is None else first + now
    span = span_of(NodesRequest(columns, width_s), (first, first + length), clock)
    assert span.columns == columns
    assert span.start % span.width_s == 0
    assert 0 <= span.column(first + length) < columns


@given(moments, st.floats(0, 1e6), st.integers(2, 300))
def test_everything_of_a_campaign_that_is_over_is_in_sight(first: float, length: float, columns: int) -> None:
    span = span_of(NodesRequest(columns), (first, first + length), None)
    in_sight = span.start <= first and first + length < span.end
    assert in_sight or span.width_s == WIDTHS_S[-1]


def test_columns_stay_what_they_are_while_time_goes_on() -> None:
    starts = {span_of(NodesRequest(50, 5), (T0, T0 + t), T0 + t).start % 5 for t in range(100)}
    assert starts == {0.0}


def test_a_node_that_fell_silent_does_not_scroll_out_of_sight() -> None:
    span = span_of(NodesRequest(100, 5), (T0, T0 + 60), T0 + 86_400)
    assert 0 <= span.column(T0 + 60) < 100
    assert span.end > T0 + 60 + 100


def test_untouched_it_follows_a_campaign_that_runs_and_shows_all_of_one_that_is_over() -> None:
    assert Look().request(80, running=True) == NodesRequest(80, FOLLOWING_S)
    assert Look().request(80, running=False) == NodesRequest(80)
    assert Look().showing_all().request(80, running=True) == NodesRequest(80)


def test_a_look_back_holds_the_picture_still_and_newest_lets_it_go_on() -> None:
    look = Look().moved(view(), -1)
    assert look.at == pytest.approx(view().span.start + 98.5 * 5)
    later = span_of(look.request(100, running=True), (T0, T0 + 2000), T0 + 2000)
    assert later == view().span
    assert look.following() == Look(width_s=5)


@given(st.lists(st.integers(-40, 40), max_size=30))
def test_the_cursor_is_always_in_sight_and_among_the_samples(steps: list[int]) -> None:
    look, shown = Look(), view()
    for step in steps:
        look = look.moved(shown, step)
        shown = view_at(look)
        cursor = look.cursor(shown)
        assert cursor is not None
        assert look.at is not None
        assert T0 - 5 <= look.at <= T0 + 999 + 5


def view_at(look: Look) -> NodesView:
    request = look.request(100, running=True)
    whole = view()
    return NodesView(
        request, span_of(request, whole.sampled, T0 + 999), whole.sampled, True, whole.strips, marks=whole.marks
    )


@pytest.mark.parametrize("step", [1, -1])
def test_zooming_keeps_the_moment_looked_at_in_the_middle(step: int) -> None:
    look = Look().looking_at(view(), T0 + 400)
    closer = look.zoomed(view(), step)
    shown = view_at(closer)
    assert shown.span.width_s == zoomed(5, step)
    assert closer.cursor(shown) == pytest.approx(50, abs=1)


@given(st.floats(0, 999), st.lists(st.sampled_from([1, -1]), max_size=8), st.booleans())
def test_no_zoom_and_no_jump_shows_the_future(moment: float, zooms: list[int], running: bool) -> None:
    look = Look().looking_at(view(running=running), T0 + moment)
    for step in zooms:
        look = look.zoomed(view_at(look), step)
    shown = view_at(look)
    assert shown.span.column(shown.until) >= shown.span.columns - 1
    assert look.cursor(shown) is not None


def test_zoom_ends_at_its_ends() -> None:
    assert zoomed(1, -1) == 1
    assert zoomed(WIDTHS_S[-1], 1) == WIDTHS_S[-1]
    assert zoomed(5, 1) == 10


def test_the_first_sample_is_shown_wherever_one_has_looked_before() -> None:
    look = Look().at_start(view())
    assert look.cursor(view_at(look)) is not None
    assert look.at == T0


def test_marks_are_gone_through_one_by_one_and_choose_the_node_they_are_about() -> None:
    last = Look().beside(view(), -1)
    assert (last.at, last.node) == (T0 + 900, None)
    before = last.beside(view_at(last), -1)
    assert (before.at, before.node) == (T0 + 100, "gf2")
    assert before.beside(view_at(before), -1) == before
    assert before.beside(view_at(before), 1).at == T0 + 900


def test_nodes_are_gone_through_in_a_circle() -> None:
    look = Look().beside_node(view(), 1)
    assert look.node == "gf2"
    assert look.beside_node(view(), 1).node == "gf1"


def test_a_moment_outside_the_span_is_in_none_of_its_columns() -> None:
    span = Span(10, 5, 2)
    assert [span.column(t) for t in (19.9, 20.0, 29.9, 30.0)] == [-1, 0, 4, 5]


def test_an_axis_ends_at_a_round_size_over_what_was_left_and_over_the_floors_and_never_falls() -> None:
    assert top_over([column(38 * GIB), None], 0) == 40 * GIB
    assert top_over([column(3 * GIB)], 0) == 16 * GIB
    assert top_over([column(3 * GIB)], 40 * GIB) == 40 * GIB
    assert top_over([column(3000 * GIB)], 0) == 3000 * GIB
    assert top_over([], 0) == 4 * GIB


@pytest.mark.parametrize(("left", "under"), [(40, ""), (12, ""), (11, "warn"), (6, "warn"), (5, "stop"), (None, "")])
def test_a_column_knows_which_floor_it_was_under(left: int | None, under: str) -> None:
    assert column(None if left is None else left * GIB).under == under
