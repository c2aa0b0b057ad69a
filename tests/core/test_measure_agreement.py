from __future__ import annotations

import pytest

from sparktui.measure.agreement import Agreement, in_flight, over_cell, told
from sparktui.measure.live import Point


def counter(rate: float, seconds: int, every_s: float, start: float = 0.0) -> list[Point]:
    """Return a counter that rises evenly, looked at every so often."""
    return [(i * every_s, round(start + rate * i * every_s)) for i in range(int(seconds / every_s) + 1)]


def test_two_counters_of_the_same_tokens_agree_whatever_they_began_at() -> None:
    found = in_flight(counter(350, 20, 1.0, start=9_000), counter(350, 20, 0.25))
    assert found is not None
    assert found.off == pytest.approx(0.0, abs=0.005)
    assert not found.disagrees


@pytest.mark.parametrize(("here", "disagrees"), [(350, False), (340, False), (325, True), (300, True), (400, True)])
def test_more_than_five_per_cent_apart_is_a_disagreement(here: float, disagrees: bool) -> None:
    found = in_flight(counter(350, 20, 1.0), counter(here, 20, 0.25))
    assert found is not None
    assert found.disagrees is disagrees


def test_only_the_last_seconds_are_compared() -> None:
    wrong_once = [(t, min(n, 700) + max(0, n - 700)) if t > 3 else (t, 0) for t, n in counter(350, 30, 1.0)]
    found = in_flight(wrong_once, counter(350, 30, 0.25))
    assert found is not None
    assert not found.disagrees


@pytest.mark.parametrize(
    ("engine", "here"),
    [
        ([], counter(350, 20, 0.25)),
        (counter(350, 20, 1.0), []),
        (counter(350, 2, 1.0), counter(350, 2, 0.25)),
        (counter(1, 20, 1.0), counter(1, 20, 0.25)),
        (counter(0, 20, 1.0), counter(0, 20, 0.25)),
    ],
)
def test_too_little_is_no_verdict(engine: list[Point], here: list[Point]) -> None:
    assert in_flight(engine, here) is None


def test_an_engine_that_counts_when_requests_end_gets_no_verdict_in_flight() -> None:
    bursts = [(float(t), 400 * (t // 4)) for t in range(21)]
    assert in_flight(bursts, counter(100, 20, 0.25)) is None


def test_an_engine_that_began_again_is_compared_from_there_on() -> None:
    again = [(t, n if t < 8 else n - 350 * 8) for t, n in counter(350, 20, 1.0)]
    found = in_flight(again, counter(350, 20, 0.25))
    assert found is not None
    assert not found.disagrees


def test_over_a_cell_unknown_is_no_verdict() -> None:
    assert over_cell(None, 10) is None
    assert over_cell(10, None) is None
    assert over_cell(0, 0) is None
    assert over_cell(1_000, 1_000) == Agreement(1_000, 1_000)


def test_a_disagreement_is_told_with_both_counts() -> None:
    found = over_cell(12_288, 10_000)
    assert found is not None
    assert told("generated", found) == "the engine counts 12 288 generated tokens, this client 10 000 (-19 %)"
