"""The pieces of text: gauges and sparklines without colour, names that stay tellable, harmless text."""

from __future__ import annotations

import pytest

from sparktui.ui.text import clipped, harmless, spark, squeezed, track
from sparktui.ui.trend import KEPT_S, Trend


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
    assert trend.series(12.9) == (3.0, None, 1.0)
    assert trend.series(14.0) == (3.0, None, 1.0, None)
    trend.add(10.0 + 2 * KEPT_S, 7.0)
    assert trend.series(10.0 + 2 * KEPT_S)[-1] == 7.0
    assert len(trend.series(10.0 + 2 * KEPT_S)) == 1
