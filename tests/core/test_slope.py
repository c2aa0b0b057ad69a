from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.slope import pace, robust_slope


@given(st.integers(-1000, 1000), st.integers(0, 10**12), st.integers(8, 40))
def test_the_slope_of_a_line_is_its_own(per_second: int, start: int, count: int) -> None:
    assert robust_slope([(t / 5, start + per_second * t / 5) for t in range(count)]) == pytest.approx(per_second)


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=5), st.integers(0, 2**32))
def test_a_quarter_of_wild_readings_does_not_move_it(wild: list[float], seed: int) -> None:
    readings = [(float(t), 100.0 - 2 * t) for t in range(20)]
    for index, value in enumerate(wild):
        at = (seed + 4 * index) % 20
        readings[at] = (readings[at][0], value)
    assert robust_slope(readings) == pytest.approx(-2)


@pytest.mark.parametrize("readings", [[], [(0.0, 1.0)], [(0.0, 1.0), (9.0, 2.0)], [(0.0, 1.0), (0.1, 2.0), (0.9, 3.0)]])
def test_too_few_readings_or_seconds_have_no_slope(readings: list[tuple[float, float]]) -> None:
    assert robust_slope(readings) is None


def test_readings_next_to_each_other_are_not_compared() -> None:
    pairs = [reading for t in range(6) for reading in ((float(t), 100.0), (t + 0.02, 101.0))]
    assert abs(robust_slope(pairs) or 0.0) <= 1


def falls(*steps: tuple[float, float]) -> list[tuple[float, float]]:
    """Return readings at 5 Hz: of each step how long it takes and how much falls a second."""
    readings, left = [(0.0, 100.0)], 100.0
    for seconds, per_second in steps:
        for _ in range(round(seconds * 5)):
            left -= per_second / 5
            readings.append((readings[-1][0] + 0.2, left))
    return readings


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        (falls((5, 4.4)), -4.4),
        (falls((2, 0.1), (1, 40), (1.4, 4.4)), -4.4),
        (falls((3, 1), (1.4, 20)), -20),
        (falls((5, 4), (1.4, -3)), 3),
        (falls((3, 4), (1.4, 3.8)), -4),
        ([(0.0, 29.0), (2.0, 28.9), (4.0, 27.3)], pytest.approx(-0.43, abs=0.1)),
        ([(0.0, 29.0)], None),
        ([], None),
    ],
)
def test_the_pace_that_is_told_is_the_newest_where_it_has_changed(
    readings: list[tuple[float, float]], told: float | None
) -> None:
    found = pace(readings)
    assert found == (told if told is None else pytest.approx(told, abs=0.4))
