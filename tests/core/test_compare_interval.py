"""How often the 95 % interval holds a truth that is known: 2,000 races of synthetic waves for each case."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sparktui.compare.drift import drift
from sparktui.compare.interval import Interval, estimate, ratio_interval
from sparktui.compare.winners import METRICS, Standing, decide

TRIALS = 2000
GAPS = (0.0, 0.01, 0.03, 0.07)
WAVES = (5, 10, 20, 50)
SPREADS = (0.03, 0.015)
"""Of a wave around its topology's mean: the winner's and the runner-up's."""
Waves = npt.NDArray[np.float64]


def steady(rng: np.random.Generator, mean: float, spread: float, waves: int) -> Waves:
    return mean * (1 + spread * rng.standard_normal((TRIALS, waves)))


def drifting(rng: np.random.Generator, mean: float, spread: float, waves: int) -> Waves:
    """Lose 5 % from the first wave to the last; the truth is the mean over the time that was measured."""
    line = 0.05 * mean * np.linspace(0.5, -0.5, waves)
    return steady(rng, mean, spread, waves) + line


def throttled(rng: np.random.Generator, mean: float, spread: float, waves: int) -> Waves:
    """Start 5 % above where it settles, as a chip that heats up."""
    heat = np.exp(-np.arange(waves) / (waves / 4))
    extra: Waves = 0.05 * mean * (heat - heat.mean())
    return steady(rng, mean, spread, waves) + extra


def wandering(rng: np.random.Generator, mean: float, spread: float, waves: int, correlation: float) -> Waves:
    """Keep part of each wave's deviation in the next (a first-order autoregression); the truth is its mean."""
    steps = rng.standard_normal((TRIALS, waves))
    state = steps.copy()
    for wave in range(1, waves):
        state[:, wave] = correlation * state[:, wave - 1] + math.sqrt(1 - correlation**2) * steps[:, wave]
    return mean * (1 + spread * state)


def coverage(above: Waves, below: Waves, truth: float) -> float:
    """Return the share of the trials whose interval holds the truth."""
    hits = 0
    for a, b in zip(above.tolist(), below.tolist(), strict=True):
        low, high = interval(a, b)
        hits += low <= truth <= high
    return hits / len(above)


def interval(above: list[float], below: list[float]) -> Interval:
    found = ratio_interval(estimate(above), estimate(below))
    assert found is not None
    return found


@pytest.mark.parametrize(("gap", "waves"), product(GAPS, WAVES))
def test_the_interval_of_steady_waves_covers_the_truth_as_often_as_it_claims(gap: float, waves: int) -> None:
    rng = np.random.default_rng([waves, round(100 * gap)])
    above, below = steady(rng, 100 * (1 + gap), SPREADS[0], waves), steady(rng, 100.0, SPREADS[1], waves)
    assert 0.93 <= coverage(above, below, 1 + gap) <= 0.97


@pytest.mark.parametrize(("gap", "waves"), zip(GAPS, WAVES, strict=True))
def test_it_does_so_where_a_topology_slows_down_while_it_is_measured(gap: float, waves: int) -> None:
    rng = np.random.default_rng(waves)
    above, below = drifting(rng, 100 * (1 + gap), SPREADS[0], waves), steady(rng, 100.0, SPREADS[1], waves)
    assert 0.93 <= coverage(above, below, 1 + gap) <= 0.97


@pytest.mark.parametrize("waves", WAVES)
def test_a_slowdown_that_settles_along_a_curve_makes_it_a_little_wide_and_never_narrow(waves: int) -> None:
    rng = np.random.default_rng(waves)
    above, below = throttled(rng, 103.0, SPREADS[0], waves), steady(rng, 100.0, SPREADS[1], waves)
    assert 0.93 <= coverage(above, below, 1.03) <= 0.98


@pytest.mark.parametrize(("correlation", "waves"), product((0.2, 0.4), (20, 50)))
def test_it_does_so_where_neighbouring_waves_are_alike_once_there_are_twenty(correlation: float, waves: int) -> None:
    rng = np.random.default_rng(waves)
    above = wandering(rng, 103.0, SPREADS[0], waves, correlation)
    below = wandering(rng, 100.0, SPREADS[1], waves, correlation)
    assert 0.93 <= coverage(above, below, 1.03) <= 0.97


def test_the_cases_are_hard_enough_to_defeat_an_interval_that_looks_away() -> None:
    """Welch's own interval, by scipy: far too wide under drift, far too narrow where neighbours are alike."""
    rng = np.random.default_rng(5)
    below = steady(rng, 100.0, SPREADS[1], 50)
    assert welch_coverage(steady(rng, 103.0, SPREADS[0], 50), below, 1.03) == pytest.approx(0.95, abs=0.02)
    assert welch_coverage(drifting(rng, 103.0, 0.01, 50), drifting(rng, 100.0, 0.01, 50), 1.03) > 0.98
    alike = [wandering(rng, mean, 0.03, 50, 0.4) for mean in (103.0, 100.0)]
    assert welch_coverage(alike[0], alike[1], 1.03) < 0.90


def welch_coverage(above: Waves, below: Waves, truth: float) -> float:
    found = stats.ttest_ind(np.log(above), np.log(below), axis=1, equal_var=False).confidence_interval(0.95)
    return float(np.mean((found.low <= math.log(truth)) & (math.log(truth) <= found.high)))


@pytest.mark.parametrize("waves", WAVES)
def test_equal_topologies_are_called_a_tie_and_clear_winners_are_not(waves: int) -> None:
    rng = np.random.default_rng(waves)
    same = [steady(rng, 100.0, 0.03, waves) for _ in range(2)]
    apart = [steady(rng, mean, 0.01, waves) for mean in (107.0, 100.0)]
    assert ties(same) > 0.94
    assert ties(apart) == 0.0


def test_one_per_cent_that_is_sure_is_no_tie_from_the_threshold_on() -> None:
    rng = np.random.default_rng(3)
    assert ties([steady(rng, mean, 0.002, 50) for mean in (100.5, 100.0)]) > 0.99
    assert ties([steady(rng, mean, 0.002, 50) for mean in (103.0, 100.0)]) == 0.0


def ties(pair: list[Waves], trials: int = 400) -> float:
    """Return the share of races that end in a tie."""
    rows = (
        decide(METRICS["decode"], 1, [Standing("a", tuple(a)), Standing("b", tuple(b))])
        for a, b in zip(pair[0][:trials].tolist(), pair[1][:trials].tolist(), strict=True)
    )
    return sum(row.tie for row in rows) / trials


def test_of_few_waves_the_interval_is_welchs_on_the_logarithms() -> None:
    a, b = [102.0, 102.4, 101.8, 102.1], [100.0, 100.9, 99.5]
    expected = stats.ttest_ind(np.log(a), np.log(b), equal_var=False).confidence_interval(0.95)
    assert interval(a, b) == pytest.approx((math.exp(expected.low), math.exp(expected.high)), rel=2e-4)


def test_the_mean_of_more_waves_is_known_as_well_as_the_middle_of_a_line_through_them() -> None:
    values = steady(np.random.default_rng(1), 100.0, 0.03, 9)[0]
    line = stats.linregress(np.arange(9) - 4, values)
    found = estimate(values.tolist())
    assert found is not None
    assert found.mean == pytest.approx(line.intercept)
    assert math.sqrt(found.variance) == pytest.approx(line.intercept_stderr / line.intercept)
    assert found.freedom == 7


def test_the_interval_agrees_with_a_bootstrap() -> None:
    rng = np.random.default_rng(2)
    a, b = steady(rng, 103.0, 0.03, 40)[0], steady(rng, 100.0, 0.02, 40)[0]
    again = stats.bootstrap(
        (a, b),
        lambda x, y, axis: x.mean(axis=axis) / y.mean(axis=axis),
        n_resamples=4000,
        rng=np.random.default_rng(3),
    ).confidence_interval
    low, high = interval(a.tolist(), b.tolist())
    assert (low, high) == pytest.approx((again.low, again.high), abs=0.2 * (high - low))


def test_waves_all_alike_give_an_interval_of_no_width() -> None:
    assert interval([2.0] * 6, [1.0] * 6) == pytest.approx((2.0, 2.0))


values = st.lists(st.floats(0.1, 1e6), min_size=2, max_size=30)


@given(values, values)
def test_the_interval_holds_the_ratio_and_turns_over_with_it(a: list[float], b: list[float]) -> None:
    low, high = interval(a, b)
    assert low * (1 - 1e-9) <= (sum(a) / len(a)) / (sum(b) / len(b)) <= high * (1 + 1e-9)
    assert interval(b, a) == pytest.approx((1 / high, 1 / low))


def test_a_cell_that_slowed_down_is_seen_to_and_a_steady_one_is_not() -> None:
    rng = np.random.default_rng(4)
    assert drift(drifting(rng, 100.0, 0.005, 20)[0].tolist()) == pytest.approx(-0.026, abs=0.01)
    seen = sum(drift(waves.tolist()) is not None for waves in steady(rng, 100.0, 0.03, 20)[:500])
    assert seen <= 15


def test_too_few_waves_tell_no_drift() -> None:
    assert drift([100.0, 90.0, 80.0, 70.0, 60.0]) is None
    assert drift([]) is None
