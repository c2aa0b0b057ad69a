"""When an adaptive cell ends, which level comes next, and how sure its intervals stay."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.compare.interval import estimate, t_quantile
from sparktui.compare.winners import METRICS
from sparktui.measure.record import WaveRecord
from sparktui.profile.model import Workload
from sparktui.runner.adaptive import RANKED, Rule, Samples, is_plain, relative_half_width, why_stop
from sparktui.runner.course import Choice, Course
from sparktui.runner.ladder import Change, changes, coarse, halving, near_crossover
from tests.core.measured import stream_at, wave

RULE = Rule(precision=0.02, floor=5, runs=50)
STEADY = [100.0, 101.0, 99.0, 100.5, 99.5] * 10


def alike(values: list[float]) -> Samples:
    return dict.fromkeys(RANKED, values)


def test_a_steady_cell_ends_at_the_floor_and_a_quarter_more_and_says_how_wide_its_interval_is() -> None:
    assert [why_stop(alike(STEADY[:waves]), RULE) is None for waves in range(8)] == [True] * 7 + [False]
    assert why_stop(alike(STEADY[:7]), RULE) == "interval ±0.8 % after 7 of 50 waves"


def test_every_ranked_mean_has_to_be_known_that_well() -> None:
    noisy = [100.0, 160.0, 60.0, 140.0, 70.0] * 3
    samples = {**alike(STEADY[:15]), "ttft_ms": noisy}
    assert why_stop(samples, RULE) is None
    del samples["ttft_ms"]
    assert why_stop(samples, RULE) is None  # not known at all


def test_a_noisy_figure_may_stay_so_where_its_order_to_every_rival_is_plain() -> None:
    noisy = [100.0, 110.0, 90.0, 105.0, 95.0] * 3
    plain, close = alike([200.0, 201.0, 199.0, 200.0, 200.0]), alike([102.0, 103.0, 101.0, 102.0, 102.0])
    assert why_stop(alike(noisy), RULE) is None
    assert (why_stop(alike(noisy), RULE, [plain]) or "").startswith("order plain, interval ±")
    assert why_stop(alike(noisy), RULE, [plain, close]) is None


@settings(max_examples=60)
@given(st.lists(st.floats(50, 150), min_size=1, max_size=50), st.integers(3, 12), st.floats(0.001, 0.5))
def test_no_cell_ends_before_its_floor_or_over_its_runs(values: list[float], floor: int, precision: float) -> None:
    ended = why_stop(alike(values), Rule(precision, floor, 50))
    assert ended is None or floor + math.ceil(floor / 4) <= len(values) < 50


def test_an_order_is_plain_only_beyond_a_tie_and_beyond_doubt() -> None:
    assert is_plain(STEADY[:5], [110.0, 111.0, 109.0, 110.0, 110.0])
    assert not is_plain(STEADY, [value * 1.005 for value in STEADY])  # a tie, however sure
    assert not is_plain([100.0], [200.0])


@pytest.mark.parametrize("spread", [0.01, 0.03])
def test_intervals_of_cells_that_ended_adaptively_cover_the_truth_in_over_90_of_100_trials(spread: float) -> None:
    rng = random.Random(7)
    trials = 150
    covered = sum(_covers(_measured(rng, spread)) for _ in range(trials))
    assert covered / trials >= 0.90  # 93 to 95 of 100 over more trials; at 3 % without the waves on top, 92


def _measured(rng: random.Random, spread: float) -> list[float]:
    values: list[float] = []
    while len(values) < RULE.runs and why_stop(alike(values), RULE) is None:
        values.append(100 * (1 + spread * rng.gauss(0, 1)))
    return values


def _covers(values: list[float]) -> bool:
    found = estimate(values)
    assert found is not None
    return abs(math.log(found.mean / 100)) <= t_quantile(found.freedom, 0.95) * math.sqrt(found.variance)


def curve(levels: dict[int, float]) -> dict[int, Samples]:
    return {level: alike([value * share for share in (1, 1.001, 0.999, 1, 1)]) for level, value in levels.items()}


def test_the_coarse_ladder_has_the_ends_and_the_middle() -> None:
    assert coarse((1, 2, 4, 8, 16, 32, 64)) == (1, 8, 64)
    assert coarse((4,)) == (4,)
    assert coarse((1, 2)) == (1, 2)


def test_levels_are_halved_only_among_those_of_the_rival_that_is_passed() -> None:
    rival = curve({1: 10, 2: 20, 4: 30, 8: 40})
    assert halving(curve({1: 5, 8: 80}), {"a": rival}) == 4
    assert halving(curve({1: 50, 8: 80}), {"a": rival}) is None  # ahead everywhere
    assert halving(curve({1: 5, 8: 80}), {"a": curve({1: 10, 8: 40})}) is None


def test_a_lead_too_close_to_tell_changes_nothing() -> None:
    curves = {"a": curve({1: 100, 8: 200, 64: 300}), "b": curve({1: 50, 8: 200.1, 64: 400})}
    assert next(changes(curves)) == Change(METRICS["decode"], "a", "b", 1, 64)


def test_new_levels_lie_on_both_sides_of_where_the_curves_should_meet() -> None:
    # a = 40 c**0.5 and b = 10 c**0.9 meet at c = 4**(1 / 0.4) = 32
    curves = {
        "a": curve({level: 40 * level**0.5 for level in (1, 8, 64)}),
        "b": curve({level: 10 * level**0.9 for level in (1, 8, 64)}),
    }
    change = next(changes(curves))
    assert (change.low, change.high) == (8, 64)
    assert near_crossover(change, curves) == (26, 40)  # 26.7 and 38.4, rounded
    assert near_crossover(Change(METRICS["decode"], "a", "b", 32, 40), curves) == ()


def told(course: Course, topology: str, level: int, rate: float, waves: int = 7) -> None:
    for _ in range(waves):
        course.add(topology, level, record(rate))


def record(rate: float) -> WaveRecord:
    return wave(stream_at(rate), duration_us=round(1e9 / rate))


def test_without_crossover_every_level_is_planned_and_nothing_is_launched_again() -> None:
    course = Course((1, 4), RULE, None)
    assert course.next_level("a", last=True) == Choice(1, "planned")
    told(course, "a", 1, 100)
    told(course, "a", 4, 100)
    assert course.next_level("a", last=True) is None
    assert course.to_bring_up_again() == ()


def test_a_topology_stays_up_for_levels_that_would_cost_less_than_to_come_back_for_them() -> None:
    for launch_s, expected in ((1.0, None), (1e6, Choice(2, "to come back for it would cost more than to stay"))):
        course = Course((1, 2, 4, 8), RULE, "crossover")
        course.brought_up("a", launch_s)
        for level in (1, 4, 8):
            told(course, "a", level, 100)
        assert course.next_level("a", last=False) == expected


def test_a_topology_comes_back_only_while_that_costs_less_than_was_saved() -> None:
    for launch_s, again in ((1.0, ("a",)), (1e6, ())):
        course = Course((1, 2, 4, 8, 16), RULE, "crossover")
        course.brought_up("a", launch_s)
        course.brought_up("b", launch_s)
        for level, a, b in ((1, 100, 50), (4, 100, 70), (16, 100, 200)):
            told(course, "a", level, a)
            told(course, "b", level, b)
        while (choice := course.next_level("b", last=True)) is not None:
            told(course, "b", choice.level, 100 + choice.level)
        assert course.to_bring_up_again() == again
        course.leave("a")
        assert course.to_bring_up_again() == ()


def test_an_adaptive_course_is_only_taken_where_the_profile_asks_for_one() -> None:
    assert Course.of(Workload(), 4) is None
    found = Course.of(Workload(until="crossover", runs=4), 4)
    assert found is not None
    assert (found.rule, found.until) == (Rule(0.02, 4, 4), "crossover")
    alone = Course.of(Workload(until="crossover"), 1)
    assert alone is not None
    assert alone.until is None


def test_a_mean_of_one_wave_is_not_known_at_all() -> None:
    assert relative_half_width([1.0]) == math.inf
