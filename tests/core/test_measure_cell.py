from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.measure.cell import cell_figures
from sparktui.measure.statistics import Spread, mean, percentile, population_std, sample_std, spread
from tests.core.measured import failed, request, stream_at, wave

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


def test_a_cells_figure_has_one_value_a_wave_or_one_a_request() -> None:
    cell = cell_figures([wave(stream_at(100.0), stream_at(100.0, slot=1)), wave(stream_at(200.0))])
    assert cell.values("decode_tps") == pytest.approx((200.0, 200.0))
    assert cell.values("decode_tps_stream") == pytest.approx((100.0, 100.0, 200.0))
    assert (cell.waves, cell.requests, cell.errors) == (2, 3, 0)
    assert cell.mean("decode_tps_stream") == pytest.approx(400 / 3)


def test_errors_sources_and_the_clients_own_state_are_carried_along() -> None:
    cell = cell_figures(
        [
            wave(request(0), failed(1), lag_p99_us=100.0, worker_cpu=0.2),
            wave(request(0, token_source="usage", first_tokens=None), lag_p99_us=300.0, worker_cpu=0.4, clock="user"),
        ]
    )
    assert cell.error_kinds == {"timeout": 1}
    assert cell.token_source == "token_ids + usage, first event taken as 1 token"
    assert cell.clock == "kernel + user"
    assert (cell.lag_p99_us, cell.worker_cpu) == pytest.approx((200.0, 0.3))
    assert (cell.prompt_tokens, cell.completion_tokens) == (200, 22)
    assert cell.calculator == "usage"


def test_a_cell_without_waves_has_no_figures() -> None:
    cell = cell_figures([])
    assert cell.figures == {}
    assert cell.mean("decode_tps") is None
    assert cell.completion_tokens is None


@given(values)
def test_the_statistics_are_numpys(numbers: list[float]) -> None:
    assert mean(numbers) == pytest.approx(np.mean(numbers), abs=1e-6)
    assert sample_std(numbers) == pytest.approx(np.std(numbers, ddof=1), rel=1e-6, abs=1e-6)
    assert population_std(numbers) == pytest.approx(np.std(numbers), rel=1e-6, abs=1e-6)
    for percent in (0, 5, 50, 95, 100):
        assert percentile(numbers, percent) == pytest.approx(np.percentile(numbers, percent), abs=1e-6)


@given(values)
def test_a_spread_is_the_mean_and_numpys_percentiles(numbers: list[float]) -> None:
    found = spread(numbers)
    assert (found.p50, found.p90, found.p95, found.p99) == pytest.approx(
        tuple(np.percentile(numbers, (50, 90, 95, 99))), abs=1e-6
    )
    assert found.mean == pytest.approx(mean(numbers))


def test_of_nothing_there_is_no_statistic() -> None:
    assert spread([]) == Spread(None, None, None, None, None)
    assert (mean([]), population_std([]), sample_std([1.0]), percentile([], 50)) == (None,) * 4
