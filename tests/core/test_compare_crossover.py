from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.compare.comparison import Table
from sparktui.compare.crossover import Crossover, crossovers, leader_changes, pair_crossovers
from sparktui.compare.sentences import _chain, leader_sentences
from sparktui.compare.winners import METRICS, Metric, Row, Standing, decide
from sparktui.compare.workload import Workload

DECODE, TTFT = METRICS["decode"], METRICS["ttft"]
Levels = Mapping[int, float | Sequence[float]]


def rows(metric: Metric, **topologies: Levels) -> list[Row]:
    """Return the rows of a table: a mean, or a value a wave, by level and topology."""
    levels = sorted({level for values in topologies.values() for level in values})
    return [decide(metric, level, [_standing(n, v.get(level)) for n, v in topologies.items()]) for level in levels]


def _standing(name: str, value: float | Sequence[float] | None) -> Standing:
    if value is None or isinstance(value, float):
        return Standing(name, known_mean=value)
    return Standing(name, tuple(value))


def flips(metric: Metric, first: Levels, second: Levels) -> tuple[Crossover, ...]:
    return crossovers(metric, "tp2", "shuffle", rows(metric, tp2=first, shuffle=second))


def noisy(mean: float, spread: float, waves: int = 20, seed: int = 1) -> tuple[float, ...]:
    rng = random.Random(seed)
    return tuple(rng.gauss(mean, spread) for _ in range(waves))


def test_lines_that_cross_halfway_on_the_log_axis_cross_between_their_levels() -> None:
    (found,) = flips(DECODE, {4: 200.0, 16: 100.0}, {4: 100.0, 16: 200.0})
    assert (found.below, found.above, found.between) == ("tp2", "shuffle", (4, 16))
    assert found.concurrency == pytest.approx(8.0)


def test_of_a_latency_the_lower_one_leads() -> None:
    (found,) = flips(TTFT, {4: 417.0, 8: 858.0}, {4: 536.0, 8: 656.0})
    assert (found.below, found.above) == ("tp2", "shuffle")
    assert 5 < found.concurrency < 6


def test_the_published_decode_lines_cross_once_between_32_and_64_users() -> None:
    tp2 = {1: 57.93, 2: 98.16, 4: 148.26, 8: 222.59, 16: 304.03, 32: 382.8, 64: 477.77}
    shuffle = {1: 39.59, 2: 72.74, 4: 100.65, 8: 160.54, 16: 245.31, 32: 342.53, 64: 508.09}
    (found,) = flips(DECODE, tp2, shuffle)
    assert found.between == (32, 64)
    assert found.concurrency == pytest.approx(50.0, abs=0.5)


def table(metric: Metric, **topologies: Levels) -> Table:
    found = tuple(rows(metric, **topologies))
    load = Workload(100, 11, 0, "waves")
    return Table(metric, load, tuple(topologies), found, leader_changes(metric, found), "usage", "none", ())


def test_beside_who_wins_it_is_said_who_ties_at_the_other_levels_and_how_far_ahead_they_are() -> None:
    tp2, ray = {1: 60.0, 2: 90.0, 4: 120.0}, {1: 60.1, 2: 90.1, 4: 110.0}
    assert leader_sentences(table(DECODE, solo={1: 40.0, 2: 75.0, 4: 80.0}, tp2=tp2, ray=ray)) == [
        "tp2 wins decode at c4",
        "decode is a tie at c1-c2: tp2 = ray, +20 to +50 % vs solo",
    ]
    assert leader_sentences(table(DECODE, tp2={1: 60.0, 2: 90.0}, ray={1: 60.1, 2: 90.1})) == [
        "decode is a tie at every level: tp2 = ray"
    ]


def test_a_tie_between_the_levels_of_a_crossover_is_said_by_the_crossover_alone() -> None:
    lines = {"tp2": {1: 60.0, 2: 90.0, 4: 100.0}, "shuffle": {1: 40.0, 2: 90.1, 4: 150.0}}
    (said,) = leader_sentences(table(DECODE, **lines))
    assert said == "tp2 wins decode up to 2 users (between c1 and c4), shuffle beyond"


def test_lines_may_cross_several_times_or_never() -> None:
    zigzag = flips(DECODE, {1: 2.0, 2: 1.0, 4: 2.0}, {1: 1.0, 2: 2.0, 4: 1.0})
    assert [(c.below, c.above) for c in zigzag] == [("tp2", "shuffle"), ("shuffle", "tp2")]
    assert flips(DECODE, {1: 2.0, 2: 2.0}, {1: 1.0, 2: 1.0}) == ()
    assert flips(DECODE, {1: 2.0}, {2: 1.0}) == ()


def test_lines_that_meet_at_a_level_cross_there_and_that_alone_is_no_crossing() -> None:
    (found,) = flips(DECODE, {1: 2.0, 8: 5.0, 64: 1.0}, {1: 1.0, 8: 5.0, 64: 2.0})
    assert found.concurrency == pytest.approx(8.0)
    assert flips(DECODE, {1: 2.0, 8: 5.0, 64: 2.0}, {1: 1.0, 8: 5.0, 64: 1.0}) == ()


def test_a_crossing_inside_the_noise_is_none() -> None:
    first = {level: noisy(100.0 - level, 8.0, seed=level) for level in (1, 2)}
    second = {level: noisy(98.5, 8.0, seed=level + 50) for level in (1, 2)}
    assert flips(DECODE, first, second) == ()


def test_the_interval_holds_the_crossing_and_narrows_with_more_waves() -> None:
    widths = []
    for waves in (6, 60):
        first = {level: noisy(200.0 - 10 * math.log2(level), 4.0, waves, seed=level) for level in (2, 8, 32, 128)}
        second = {level: noisy(130.0 + 10 * math.log2(level), 4.0, waves, seed=level + 9) for level in (2, 8, 32, 128)}
        (found,) = flips(DECODE, first, second)
        assert found.interval is not None
        low, high = found.interval
        assert low is not None
        assert high is not None
        assert found.between[0] < low < found.concurrency < high < found.between[1]
        widths.append(high / low)
    assert widths[1] < widths[0]


def test_the_interval_covers_the_true_crossing_as_often_as_it_claims() -> None:
    """The truth lies halfway between two levels on the log2 axis, where both logarithms are straight."""
    rng = np.random.default_rng(11)
    hits = trials = 0
    for _ in range(600):
        waves = {key: tuple(rng.normal(mean, 0.03 * mean, 12)) for key, mean in TRUE_MEANS.items()}
        found = flips(DECODE, {4: waves["a", 4], 16: waves["a", 16]}, {4: waves["b", 4], 16: waves["b", 16]})
        for flip in found:
            assert flip.interval is not None
            low, high = flip.interval
            trials += 1
            hits += low is not None and high is not None and low <= 8.0 <= high
    assert trials > 590
    assert 0.93 <= hits / trials <= 0.97


TRUE_MEANS = {("a", 4): 110.0, ("b", 4): 100.0, ("a", 16): 100.0, ("b", 16): 110.0}


def test_a_tie_between_widens_the_interval_over_its_level() -> None:
    first = {4: noisy(120.0, 1.0), 8: noisy(100.0, 5.0), 16: noisy(90.0, 1.0)}
    second = {4: noisy(100.0, 1.0, seed=2), 8: noisy(100.0, 5.0, seed=3), 16: noisy(100.0, 1.0, seed=4)}
    (found,) = flips(DECODE, first, second)
    assert found.between == (4, 16)
    assert found.interval is not None
    low, high = found.interval
    assert low is not None
    assert high is not None
    assert low < 8 < high


def test_means_without_waves_give_a_crossing_without_an_interval() -> None:
    (found,) = flips(DECODE, {4: 200.0, 16: 100.0}, {4: 100.0, 16: 200.0})
    assert found.interval is None


def test_a_leader_that_is_not_surely_ahead_of_its_successor_leaves_that_end_open() -> None:
    table = rows(
        DECODE,
        a={1: noisy(110.0, 0.1), 8: noisy(90.0, 0.1)},
        b={1: noisy(100.0, 0.1), 8: noisy(95.0, 0.1)},
        c={1: noisy(99.0, 60.0), 8: noisy(120.0, 0.1)},
    )
    (change,) = leader_changes(DECODE, table)
    assert (change.below, change.above) == ("a", "c")
    assert change.interval is not None
    assert change.interval[0] is None


def test_every_pair_is_looked_at_and_not_only_the_leaders() -> None:
    table = rows(DECODE, best={1: 300.0, 8: 300.0}, a={1: 100.0, 8: 200.0}, b={1: 150.0, 8: 150.0})
    assert leader_changes(DECODE, table) == ()
    (found,) = pair_crossovers(DECODE, ("best", "a", "b"), table)
    assert (found.below, found.above) == ("b", "a")


values = st.dictionaries(st.sampled_from([1, 2, 4, 8, 16, 32, 64]), st.floats(1.0, 1e5), min_size=2)


@given(values, values)
def test_a_crossover_lies_between_its_levels_and_does_not_depend_on_who_is_named_first(
    a: dict[int, float], b: dict[int, float]
) -> None:
    table = rows(DECODE, a=a, b=b)
    found = crossovers(DECODE, "a", "b", table)
    assert all(c.between[0] <= c.concurrency * (1 + 1e-9) and c.concurrency <= c.between[1] * (1 + 1e-9) for c in found)
    swapped = crossovers(DECODE, "b", "a", table)
    assert [(c.below, c.above) for c in found] == [(c.below, c.above) for c in swapped]
    assert [c.concurrency for c in found] == pytest.approx([c.concurrency for c in swapped])


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ((4.2, 23.4), "a wins decode up to 8 users (4 to 23), b beyond"),
        ((None, 23.4), "a wins decode up to 8 users (23 at the most), b beyond"),
        ((4.2, None), "a wins decode up to 8 users (4 at the least), b beyond"),
        ((None, None), "a wins decode up to 8 users (it may be anywhere between 4 and 32), b beyond"),
        (None, "a wins decode up to 8 users (between c4 and c32), b beyond"),
    ],
)
def test_a_crossover_is_said_in_whole_users_and_how_sure_that_is(
    interval: tuple[float | None, float | None] | None, said: str
) -> None:
    assert _chain([Crossover("decode", "a", "b", 7.8, (4, 32), interval)], "wins") == said
    one = _chain([Crossover("decode", "a", "b", 1.3, (1, 2))], "wins")
    assert one == "a wins decode up to 1 user (between c1 and c2), b beyond"
