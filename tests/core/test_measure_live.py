from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.measure.live import rate, series

STEADY = [(100 + i / 4, i * 25) for i in range(41)]
"""Ten seconds at 100 tokens a second, four rows a second."""


def test_a_steady_stream_has_its_rate() -> None:
    assert rate(STEADY, now=110.0) == pytest.approx(100.0)


def test_in_a_stall_the_rate_falls_to_zero_within_the_window() -> None:
    falling = [rate(STEADY, now=110.0 + late) for late in (0.0, 0.5, 1.0, 1.5, 2.0, 60.0)]
    assert falling == pytest.approx([100.0, 75.0, 50.0, 25.0, 0.0, 0.0])


def test_rows_that_say_nothing_new_count_as_a_stall_too() -> None:
    stalled = [*STEADY, *((110 + i / 4, 1000) for i in range(1, 9))]
    assert rate(stalled, now=112.0) == 0.0


def test_at_the_beginning_the_rate_is_over_what_there_is() -> None:
    assert rate(STEADY[:1], now=100.1) is None
    assert rate([], now=100.0) is None
    assert rate(STEADY[:5], now=101.0) == pytest.approx(100.0)


def test_a_count_that_begins_again_does_not_make_a_negative_rate() -> None:
    again = [*STEADY, (110.25, 0), (110.5, 50), (111.25, 200)]
    assert rate(again, now=111.25) == pytest.approx(200.0)
    assert rate(deque(again), now=111.25) == pytest.approx(200.0)


def test_a_series_has_gaps_before_the_first_row_and_zeros_in_a_stall() -> None:
    assert series(STEADY, now=112.0, seconds=14.0, columns=7) == pytest.approx([None, 100, 100, 100, 100, 100, 0])
    assert series([], now=1.0, seconds=4.0, columns=2) == [None, None]


growing = st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1000)), min_size=1, max_size=30).map(
    lambda steps: [(sum(s[0] for s in steps[: i + 1]), sum(s[1] for s in steps[: i + 1])) for i in range(len(steps))]
)


@given(growing, st.floats(0, 1e4))
def test_a_rate_is_never_negative(points: list[tuple[float, int]], now: float) -> None:
    found = rate(points, now)
    assert found is None or found >= 0
    assert all(value is None or value >= -1e-9 for value in series(points, now, 20.0, 10))
