"""The pieces of text: gauges and sparklines without colour, names that stay tellable, harmless text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.live.trend import KEPT_S, Trend
from sparktui.ui.text import bars, clipped, harmless, spark, squeezed, track


def test_a_spark_starts_at_zero_and_leaves_a_gap_for_the_unknown() -> None:
    assert spark([0.0, 5.0, None, 10.0], 6, top=10.0) == "  ▁▄ █"


def test_a_spark_shows_the_newest_values_only() -> None:
    assert spark([9.0, 9.0, 0.0, 0.0], 2, top=9.0) == "▁▁"


@pytest.mark.parametrize("values", [[], [None], [0.0]])
def test_a_spark_of_nothing_is_no_error(values: list[float | None]) -> None:
    assert len(spark(values, 4)) == 4


def test_a_track_is_as_wide_as_asked_and_crossed_at_its_marks() -> None:
    assert track(0.5, 8, marks=(0.25, 0.75)) == ("━━╋━", "──┼─")
    assert track(7.0, 4) == ("━━━━", "")
    assert track(0.5, 0) == ("", "")


def test_squeezed_names_keep_their_ends() -> None:
    assert squeezed("cluster-tp2", 8) != squeezed("cluster-tp2-ray", 8)
    assert len(squeezed("cluster-tp2-ray", 8)) == 8
    assert squeezed("solo", 8) == "solo"


def test_control_characters_become_blanks() -> None:
    assert harmless("a\x1b[2Jb\nc\x9b") == "a [2Jb c "


def test_clipped_text_ends_with_an_ellipsis() -> None:
    assert clipped("abcdef", 4) == "abc…"
    assert clipped("abcdef", 0) == ""


def test_a_trend_averages_seconds_leaves_gaps_and_forgets() -> None:
    trend = Trend()
    for t, value in ((10.0, 2.0), (10.5, 4.0), (12.0, 1.0)):
        trend.add(t, value)
    trend.add(12.5, None)
    assert trend.curve(12.9).values == (3.0, None, 1.0)
    assert trend.curve(14.0).values == (3.0, None, 1.0, None)
    trend.add(10.0 + 2 * KEPT_S, 7.0)
    assert trend.curve(10.0 + 2 * KEPT_S).values == (7.0,)


def test_the_axis_of_a_trend_only_rises_until_another_measurement_begins() -> None:
    trend = Trend()
    tops = []
    for t, value in ((1.0, 5.0), (2.0, 9.0), (3.0 + 2 * KEPT_S, 1.0)):
        trend.add(t, value)
        tops.append(trend.curve(t).top)
    trend.fit()
    assert tops == [5.0, 9.0, 9.0]
    assert trend.curve(3.0 + 2 * KEPT_S).top == 1.0


@given(
    st.lists(st.none() | st.floats(0, 1e6), max_size=40),
    st.integers(0, 30),
    st.integers(1, 5),
    st.floats(0, 1e6),
)
def test_bars_fill_exactly_their_place_and_show_every_known_value(
    values: list[float | None], width: int, rows: int, top: float
) -> None:
    drawn = bars(values, width, rows, top)
    assert len(drawn) == rows
    assert {len(row) for row in drawn} == {width}
    known = [value is not None for value in values[-width:]] if width else []
    assert [character != " " for character in drawn[-1]] == [False] * (width - len(known)) + known
