from __future__ import annotations

import random

import pytest

from sparktui.load.lag import LagHistogram, percentile


def test_without_reads_a_percentile_is_unknown() -> None:
    assert LagHistogram().percentile(0.5) is None
    assert percentile([], 0.5) is None


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.95, 0.99, 1.0])
def test_percentiles_are_within_a_step_of_the_exact_ones(fraction: float) -> None:
    rng = random.Random(1)
    lags_ns = [int(rng.lognormvariate(11, 3)) for _ in range(5000)]
    histogram = LagHistogram()
    histogram.add(lags_ns[:2500])
    histogram.add(lags_ns[2500:])
    found = histogram.percentile(fraction)
    assert found is not None
    exact_us = sorted(lags_ns)[max(0, round(fraction * 5000) - 1)] / 1000
    assert exact_us - 1 - exact_us * 0.002 <= found <= exact_us


def test_memory_does_not_grow_with_reads() -> None:
    histogram = LagHistogram()
    histogram.add(range(0, 10_000_000_000, 100_003))
    assert len(histogram._counts) < 15_000
