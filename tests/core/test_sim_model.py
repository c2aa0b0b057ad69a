"""The step-time model against the published tables, without waiting for real time."""

from __future__ import annotations

from statistics import fmean, pstdev

import pytest

from sparktui.sim.model import MODELS, Drift, StepModel
from sparktui.sim.offline import play_wave
from tests.bench.calibrate import KNOWN_MISSES, Row, play, rows_of
from tests.bench.published import LEVELS, published


def rows(topology: str, runs: int) -> list[Row]:
    known = published()
    return [row for level in LEVELS for row in rows_of(topology, level, play(topology, level, runs, seed=1), known)]


def test_the_published_tables_are_complete() -> None:
    cells = published()
    assert len(cells) == 3 * 3 * len(LEVELS) + len(LEVELS)
    assert cells["solo", "decode", 64] == 355.73
    assert cells["cluster-tp2-ray", "decode", 1] == 53.64


@pytest.mark.parametrize("topology", MODELS)
def test_decode_is_within_5_and_prefill_and_ttft_within_12_percent_of_the_published(topology: str) -> None:
    misses = [row for row in rows(topology, runs=2) if not row.within]
    assert not misses


def test_shuffle_which_is_not_fitted_is_within_20_percent_except_where_named() -> None:
    misses = {row.cell for row in rows("shuffle", runs=30) if not row.within}
    assert misses == KNOWN_MISSES


def test_ray_costs_the_same_in_every_decode_step() -> None:
    plain, ray = MODELS["cluster-tp2"], MODELS["cluster-tp2-ray"]
    for b in LEVELS:
        assert ray.decode_step_s(b) - plain.decode_step_s(b) == pytest.approx(0.00127)


def test_a_step_without_decodes_pays_for_its_prompt_tokens_alone() -> None:
    model = StepModel(a=0.5, rate=1000, d0=1, d1=1, p=1, overhead=0)
    assert model.mixed_step_s(1000, 0) == pytest.approx(1.5)
    assert model.mixed_step_s(1000, 2) == pytest.approx(1.5 + 0.3 * 3)
    assert model.step_s(0, 2) == model.decode_step_s(2) == pytest.approx(3)


def test_a_faster_model_divides_every_time() -> None:
    model, fast = MODELS["cluster-tp2"], MODELS["cluster-tp2"].faster(10)
    assert fast.decode_step_s(7) == pytest.approx(model.decode_step_s(7) / 10)
    assert fast.mixed_step_s(900, 7) == pytest.approx(model.mixed_step_s(900, 7) / 10)
    assert (fast.overhead, fast.arrival_gap) == pytest.approx((model.overhead / 10, model.arrival_gap / 10))


def test_drift_is_seeded_slow_and_stays_below_a_percent_on_average() -> None:
    drift = Drift(seed=3)
    factors = [drift.factor(second) for second in range(2000)]
    assert factors == [Drift(seed=3).factor(second) for second in range(2000)]
    assert factors != [Drift(seed=4).factor(second) for second in range(2000)]
    assert fmean(factors) == pytest.approx(1, abs=0.001)
    assert 0.002 < pstdev(factors) < 0.008
    assert abs(drift.factor(10.0) - drift.factor(10.05)) < 0.001


def test_without_drift_every_step_takes_as_long_as_the_model_says() -> None:
    assert {Drift(seed=3, spread=0.0).factor(second) for second in range(100)} == {1.0}


def test_repeated_waves_differ_a_little_and_the_same_seed_repeats_them() -> None:
    model = MODELS["solo"]

    def last_tokens(seed: int) -> list[float]:
        drift = Drift(seed)
        starts = (0.0, 60.0, 120.0)
        return [(play_wave(model, 1, pp=64, tg=32, noise=drift, start=t)[0].last_token or 0) - t for t in starts]

    durations = last_tokens(seed=1)
    assert durations == last_tokens(seed=1)
    assert len({round(duration, 6) for duration in durations}) == 3
    assert max(durations) / min(durations) < 1.03
