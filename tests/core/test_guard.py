from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.guard import GIB, Decision, Guard, Limits
from sparktui.nodes.phase import Phase

ORDINARY = Limits(warn_bytes=8 * GIB, loading_stop_bytes=8 * GIB, serving_stop_bytes=4 * GIB)
FRAGILE = Limits(warn_bytes=12 * GIB, loading_stop_bytes=16 * GIB, serving_stop_bytes=6 * GIB)

COLLAPSE_GIB = (28.97, 28.96, 27.31, 23.79, 10.6, 6.27)
"""A published collapse while loading, every 2 s: 29 GiB to 2.5 in 9 s, until the node stood still."""

Readings = Sequence[tuple[float, float | None]]


def predicting(limits: Limits, left_gib: float, margin_gib: float = 4) -> Limits:
    return Limits(
        warn_bytes=limits.warn_bytes,
        loading_stop_bytes=limits.loading_stop_bytes,
        serving_stop_bytes=limits.serving_stop_bytes,
        predicted_left_bytes=int(left_gib * GIB),
        predicted_margin_bytes=int(margin_gib * GIB),
    )


def observed(limits: Limits, readings: Iterable[tuple[float, float | None]], phase: Phase) -> list[Decision]:
    guard, decisions = Guard.of("gf1", limits), []
    for t, left in readings:
        guard, decision = guard.observe(t, None if left is None else round(left * GIB), phase)
        decisions.append(decision)
    return decisions


def every(seconds: float, *left_gib: float | None) -> list[tuple[float, float | None]]:
    return [(index * seconds, left) for index, left in enumerate(left_gib)]


def levels(decisions: Iterable[Decision]) -> list[str]:
    return [decision.level for decision in decisions]


def news(decisions: Iterable[Decision]) -> list[str]:
    return [decision.level for decision in decisions if decision.news]


def interpolated(points: Readings, hz: float) -> list[tuple[float, float | None]]:
    """The straight line through known points, read `hz` times a second."""
    last = points[-1][0]
    return [(t, _between(points, t)) for t in (index / hz for index in range(int(last * hz) + 1))]


def _between(points: Readings, t: float) -> float:
    for (s, u), (e, v) in pairwise(points):
        assert u is not None
        assert v is not None
        if s <= t <= e:
            return u + (v - u) * (t - s) / (e - s)
    raise AssertionError(t)


# What was published


@pytest.mark.parametrize("limits", [FRAGILE, predicting(ORDINARY, 24), predicting(FRAGILE, 30.2, 8)])
@pytest.mark.parametrize("hz", [None, 2, 5])
def test_the_published_collapse_is_stopped_with_ten_gib_left(limits: Limits, hz: float | None) -> None:
    coarse = every(2, *COLLAPSE_GIB)
    decisions = observed(limits, coarse if hz is None else interpolated(coarse, hz), "loading")
    stop = next(decision for decision in decisions if decision.level == "stop")
    assert stop.news
    assert stop.left_bytes is not None
    assert stop.left_bytes >= 10 * GIB
    assert news(decisions).count("stop") == 1


def test_the_published_collapse_is_warned_of_before_it_is_stopped() -> None:
    told = news(observed(FRAGILE, interpolated(every(2, *COLLAPSE_GIB), 5), "loading"))
    assert told == ["warn", "stop"]


def normal_load(then_level_gib: float = 36.0) -> list[tuple[float, float | None]]:
    """118 GiB to 36 in 12 s, 60 of it within one second, then level."""
    fall = [(0.0, 118.0), (5.0, 108.0), (10.0, 96.0), (11.0, then_level_gib + 0.3), (12.0, then_level_gib)]
    return interpolated([*fall, (40.0, then_level_gib)], 5)


@pytest.mark.parametrize("limits", [ORDINARY, FRAGILE])
def test_a_normal_load_that_ends_where_it_was_predicted_says_nothing(limits: Limits) -> None:
    decisions = observed(predicting(limits, 36), normal_load(), "loading")
    assert set(levels(decisions)) == {"ok"}


@pytest.mark.parametrize("limits", [ORDINARY, FRAGILE])
@pytest.mark.parametrize(("ends_gib", "warnings"), [(32.5, 1), (33.9, 1), (34.1, 0), (35.0, 0), (40.0, 0)])
def test_a_load_that_ends_within_the_margin_is_not_stopped_and_within_half_of_it_not_warned_of(
    limits: Limits, ends_gib: float, warnings: int
) -> None:
    decisions = observed(predicting(limits, 36), normal_load(ends_gib), "loading")
    assert "stop" not in levels(decisions)
    assert news(decisions).count("warn") <= warnings


def test_a_load_that_ends_as_serving_begins_is_no_fall_of_serving() -> None:
    guard, said = Guard.of("gf1", predicting(FRAGILE, 36)), []
    for t, left in interpolated([(0.0, 118.0), (2.0, 36.0), (9.0, 36.0)], 5):
        guard, decision = guard.observe(t, round((left or 0) * GIB), "loading" if t < 2 else "serving")
        said.append(decision)
    assert set(levels(said)) == {"ok"}


@pytest.mark.parametrize("limits", [ORDINARY, FRAGILE])
def test_a_normal_load_of_which_nothing_was_predicted_is_warned_of_once_and_not_stopped(limits: Limits) -> None:
    decisions = observed(limits, normal_load(), "loading")
    assert "stop" not in levels(decisions)
    assert news(decisions) == ["warn", "ok"]


@pytest.mark.parametrize("seed", range(6))
def test_an_hour_of_serving_between_5_and_12_gib_is_warned_of_at_most_once(seed: int) -> None:
    decisions = observed(ORDINARY, an_hour_between_5_and_12_gib(random.Random(seed)), "serving")
    assert "stop" not in levels(decisions)
    assert news(decisions) in (["warn"], [])


def an_hour_between_5_and_12_gib(draw: random.Random) -> list[tuple[float, float | None]]:
    """A slow wave with swings of a GiB upon it, some of them from one reading to the next, twice a second."""
    slow_s, swing_s, start = draw.uniform(60, 1800), draw.uniform(1, 30), draw.uniform(0, 10)

    def left(t: float) -> float:
        slow = 8.5 + 3 * math.sin(start + math.tau * t / slow_s)
        return min(12.0, max(5.0, slow + 0.5 * math.sin(math.tau * t / swing_s) + draw.uniform(-0.5, 0.5)))

    return [(t, left(t)) for t in (index / 2 for index in range(7200))]


@pytest.mark.parametrize("phase", ["loading", "serving"])
@pytest.mark.parametrize("hz", [0.5, 2, 5])
@pytest.mark.parametrize("wild_gib", [0.0, 0.1, 5.9, 11.0, 17.0, 118.0, 4000.0])
def test_one_wild_reading_says_nothing(wild_gib: float, hz: float, phase: Phase) -> None:
    steady = [36.0] * 40
    steady[20] = wild_gib
    decisions = observed(FRAGILE, every(1 / hz, *steady), phase)
    assert news(decisions) == []
    assert set(levels(decisions)) <= {"ok", "look"}


def test_one_wild_reading_upwards_does_not_end_a_warning() -> None:
    low = [7.0] * 40
    low[20] = 118.0
    assert news(observed(ORDINARY, every(0.5, *low), "serving")) == ["warn"]


@pytest.mark.parametrize("left_gib", [9.0, 36.0])
def test_a_gap_says_nothing(left_gib: float) -> None:
    before = [(index / 5, left_gib) for index in range(20)]
    after = [(t + 3 + 4, left) for t, left in before]
    assert set(levels(observed(ORDINARY, [*before, *after], "loading"))) == {"ok"}


def test_readings_that_are_missing_say_nothing_and_forget_nothing() -> None:
    assert levels(observed(FRAGILE, every(0.5, 36, None, None, 36), "serving")) == ["ok"] * 4
    assert levels(observed(FRAGILE, every(0.5, 5, None, 5), "serving")) == ["look", "ok", "stop"]


# Floors


def test_a_crossing_is_looked_at_again_before_it_is_acted_on() -> None:
    assert levels(observed(FRAGILE, [(0.0, 30.0), (0.5, 15.9), (0.52, 15.9)], "loading")) == ["ok", "look", "stop"]
    assert levels(observed(FRAGILE, [(0.0, 30.0), (0.5, 5.9), (0.52, 5.8)], "serving")) == ["ok", "look", "stop"]


def test_each_phase_has_its_own_floor() -> None:
    assert "stop" in levels(observed(FRAGILE, every(0.5, 15, 15), "loading"))
    assert "stop" in levels(observed(FRAGILE, every(0.5, 15, 15), "warming"))
    assert "stop" not in levels(observed(FRAGILE, every(0.5, 15, 15), "serving"))


@pytest.mark.parametrize("phase", ["idle", "stopping"])
def test_nothing_is_stopped_where_nothing_runs_or_it_is_ending(phase: Phase) -> None:
    decisions = observed(FRAGILE, every(0.5, 36, 5, 1, 1, 1, 0), phase)
    assert set(levels(decisions)) == {"ok"}
    assert decisions[-1].floor_bytes is None


def test_readings_so_far_apart_that_none_is_left_to_confirm_are_believed_after_two_falls() -> None:
    assert levels(observed(FRAGILE, every(2, 29, 27, 23, 10), "loading"))[-1] == "stop"
    assert levels(observed(FRAGILE, every(2, 29, 29, 23, 10), "loading"))[-1] == "look"
    assert levels(observed(FRAGILE, every(0.2, 29, 27, 23, 10), "loading"))[-1] == "look"


def test_the_stop_is_told_once_and_stays_while_memory_is_short() -> None:
    decisions = observed(FRAGILE, every(0.5, 36, 5, 5, 5, 5), "serving")
    assert levels(decisions) == ["ok", "look", "stop", "stop", "stop"]
    assert news(decisions) == ["stop"]


def test_memory_that_is_back_after_a_stop_is_told() -> None:
    decisions = observed(FRAGILE, every(0.5, 36, 5, 5, *[36] * 20), "serving")
    assert news(decisions) == ["stop", "ok"]


def test_a_crossing_after_a_stop_is_looked_at_and_stopped_like_the_first() -> None:
    decisions = observed(FRAGILE, every(0.5, 36, 5, 5, 9, 5, 5), "serving")
    assert levels(decisions) == ["ok", "look", "stop", "warn", "look", "stop"]


def test_only_the_last_seconds_are_remembered() -> None:
    guard = Guard.of("gf1", ORDINARY)
    for t in range(1000):
        guard, _ = guard.observe(t / 5, 36 * GIB, "serving")
    assert guard.recent[-1][0] - guard.recent[0][0] <= 10


def test_a_clock_that_stands_still_or_goes_back_leaves_nothing_to_divide_by() -> None:
    decisions = observed(FRAGILE, [(5.0, 36.0), (5.0, 36.0), (3.0, 36.0), (3.0, 5.0), (3.0, 5.0)], "serving")
    assert levels(decisions) == ["ok", "ok", "ok", "look", "stop"]


# Warnings


def test_one_warning_an_episode_whatever_memory_does_about_its_floor() -> None:
    around = [8.3, 7.7, 7.6] * 200
    assert news(observed(ORDINARY, every(0.5, *around), "serving")) == ["warn"]


def test_a_warning_ends_well_above_its_floor_and_the_next_one_is_news_again() -> None:
    low, high = [7.0] * 20, [20.0] * 20
    decisions = observed(ORDINARY, every(0.5, *high, *low, *high, *low), "serving")
    assert news(decisions) == ["warn", "ok", "warn"]


def test_a_warning_does_not_end_while_memory_falls() -> None:
    falling = [40 - index / 10 for index in range(200)]  # 0.5 GiB/s at 5 Hz
    guard = Guard.of("gf1", ORDINARY)
    for index in range(10):
        guard, _ = guard.observe(index / 5 - 2, 7 * GIB, "serving")
    said = []
    for index, left in enumerate(falling):
        guard, decision = guard.observe(index / 5, round(left * GIB), "serving")
        said.append(decision)
    assert "ok" not in news(said)


def test_a_warning_that_becomes_urgent_is_told_once_more() -> None:
    level = [11.0] * 20
    falling = [11 - 0.2 * index for index in range(1, 40)]  # 1 GiB/s at 5 Hz
    decisions = observed(FRAGILE, every(0.2, *level, *falling), "serving")
    assert news(decisions) == ["warn", "warn", "stop"]
    urgent = [decision for decision in decisions if decision.news][1]
    assert urgent.rule == "slope"
    assert urgent.seconds_to_floor is not None
    assert urgent.seconds_to_floor < FRAGILE.horizon_s


def test_a_warning_that_is_less_urgent_again_is_no_news() -> None:
    falling = [11 - 0.2 * index for index in range(1, 10)]
    decisions = observed(FRAGILE, every(0.2, *[11.0] * 20, *falling, *[9.2] * 50), "serving")
    assert news(decisions) == ["warn", "warn"]
    assert levels(decisions)[-1] == "warn"


def test_a_slope_is_known_where_readings_are_two_seconds_apart() -> None:
    decisions = observed(FRAGILE, every(2, 36, 34, 32), "loading")
    assert [decision.slope_bytes_s for decision in decisions] == [None, None, -GIB]
    assert decisions[-1].seconds_to_floor == 16


def test_the_slope_alone_never_stops() -> None:
    steep = [118 - 2 * index for index in range(45)]  # 10 GiB/s at 5 Hz, to 30 GiB
    decisions = observed(FRAGILE, every(0.2, *steep), "loading")
    assert "stop" not in levels(decisions)
    assert news(decisions) == ["warn"]


def test_a_longer_horizon_warns_earlier() -> None:
    falling = every(0.2, *(60 - 0.2 * index for index in range(250)))
    wary = Limits(FRAGILE.warn_bytes, FRAGILE.loading_stop_bytes, FRAGILE.serving_stop_bytes, horizon_s=30)

    def warned_at(limits: Limits) -> int:
        return next(index for index, said in enumerate(observed(limits, falling, "loading")) if said.news)

    assert warned_at(wary) < warned_at(FRAGILE)


# Predictions


def test_a_load_that_falls_through_what_was_predicted_is_stopped_above_the_floor() -> None:
    limits = predicting(ORDINARY, 36, margin_gib=4)
    decisions = observed(limits, every(0.2, *(60 - 0.5 * index for index in range(100))), "loading")
    stop = next(decision for decision in decisions if decision.level == "stop")
    assert stop.rule == "predicted"
    assert stop.left_bytes is not None
    assert 31 * GIB <= stop.left_bytes < 32 * GIB


def test_a_prediction_counts_while_loading_only() -> None:
    limits = predicting(ORDINARY, 36, margin_gib=4)
    assert "stop" not in levels(observed(limits, every(0.5, 30, 30, 20, 20), "serving"))


def test_a_prediction_under_the_floor_leaves_the_floor_as_it_is() -> None:
    limits = predicting(FRAGILE, 18, margin_gib=8)
    decisions = observed(limits, every(0.5, 30, 15.9, 15.9), "loading")
    assert [decision.rule for decision in decisions] == ["", "floor", "floor"]


# What is said


def test_a_stop_says_node_phase_and_figures() -> None:
    decisions = observed(FRAGILE, interpolated(every(2, *COLLAPSE_GIB), 5), "loading")
    warning, stop = (decision.text for decision in decisions if decision.news)
    assert warning == "gf1 has 25.2 GiB left while loading, at its stop floor of 16.0 GiB in 8.3 s, falling 0.8 GiB/s"
    assert stop == "gf1 has 14.6 GiB left while loading, under its stop floor of 16.0 GiB, falling 6.6 GiB/s"


def test_a_warning_says_where_it_stops() -> None:
    text = observed(ORDINARY, every(0.5, 7.5, 7.5), "serving")[-1].text
    assert text == "gf1 has 7.5 GiB left while serving, under the 8.0 GiB at which it warns; it stops under 4.0"


def test_a_stop_by_prediction_says_what_was_to_be_left() -> None:
    text = observed(predicting(ORDINARY, 36), every(0.5, 31, 31), "loading")[-1].text
    assert text == "gf1 has 31.0 GiB left while loading, under the 32.0 GiB that loading was to leave at the least"


def test_the_end_of_a_warning_says_so() -> None:
    decisions = observed(ORDINARY, every(0.5, *[7.5] * 5, *[36.0] * 20), "serving")
    over = next(decision for decision in decisions if decision.news and decision.level == "ok")
    assert over.text == "gf1 has 36.0 GiB left while serving, above the 8.0 GiB at which it warns, not falling"


# Properties

SIZES = st.integers(0, 130 * GIB)
PHASES = st.sampled_from(["loading", "warming", "serving", "idle", "stopping"])
STEPS = st.floats(0.001, 10)
LIMITS = st.builds(
    Limits,
    warn_bytes=SIZES,
    loading_stop_bytes=SIZES,
    serving_stop_bytes=SIZES,
    horizon_s=st.floats(0.1, 100),
    predicted_left_bytes=st.none() | SIZES,
    predicted_margin_bytes=st.integers(0, 20 * GIB),
)
STREAMS = st.lists(st.tuples(STEPS, st.none() | SIZES, PHASES), min_size=1, max_size=60)
Stream = list[tuple[float, int | None, Phase]]


def followed(limits: Limits, stream: Stream) -> list[Decision]:
    guard, t, decisions = Guard.of("gf1", limits), 0.0, []
    for step, left, phase in stream:
        t += step
        guard, decision = guard.observe(t, left, phase)
        decisions.append(decision)
    return decisions


@given(LIMITS, STREAMS)
def test_nothing_is_stopped_while_every_reading_is_above_floor_and_prediction(limits: Limits, stream: Stream) -> None:
    above = max(limits.loading_stop_bytes, limits.serving_stop_bytes, limits.predicted_left_bytes or 0)
    lifted = [(step, None if left is None else above + left, phase) for step, left, phase in stream]
    assert "stop" not in levels(followed(limits, lifted))


@given(LIMITS, STREAMS)
def test_a_stop_is_never_further_away_than_the_second_reading_under_its_floor(limits: Limits, stream: Stream) -> None:
    under_before = False
    for decision in followed(limits, stream):
        if decision.left_bytes is None:
            continue
        under = decision.floor_bytes is not None and decision.left_bytes < decision.floor_bytes
        if under and under_before:
            assert decision.level == "stop"
        elif under:
            assert decision.level in ("look", "stop")
        else:
            assert decision.level != "stop"
        under_before = under


@given(LIMITS, STREAMS)
def test_a_warning_is_told_at_most_twice_before_it_is_over(limits: Limits, stream: Stream) -> None:
    told = 0
    for level in news(followed(limits, stream)):
        told = 0 if level == "ok" else told + (level == "warn")
        assert told <= 2


@given(LIMITS, STREAMS)
def test_the_same_readings_give_the_same_decisions(limits: Limits, stream: Stream) -> None:
    assert followed(limits, stream) == followed(limits, stream)


@given(LIMITS, STREAMS)
def test_what_is_told_is_a_sentence_about_the_node(limits: Limits, stream: Stream) -> None:
    for decision in followed(limits, stream):
        if decision.news:
            assert decision.text.startswith("gf1 has ")
            assert "None" not in decision.text
