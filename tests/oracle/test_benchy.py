"""Our benchy calculators against the real llama-benchy: the same bytes at the same times, every field equal.

Both sides get whole answers: ours through our recorder, theirs through their own client and their own aggregation.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.measure import benchy
from sparktui.measure.benchy_peak import peak_tps, rate_over_time
from sparktui.measure.benchy_wave import RULES_0_3_5, RULES_0_4_0
from sparktui.measure.cell import CellContext
from tests.oracle.played import recorded, reported
from tests.oracle.scripts import Cell, cell, good
from tests.oracle.wheels import SHA256, LlamaBenchy, UnavailableError, load

RUN = {"0.3.5": benchy.run_0_3_5, "0.4.0": benchy.run_0_4_0}
RULES = {"0.3.5": RULES_0_3_5, "0.4.0": RULES_0_4_0}
TOLERANCE = 1e-9
"""Relative; of a standard deviation, to the mean too: that of equal values is only noise."""

seeds = st.integers(0, 2**64)
levels = st.integers(1, 6)
many = settings(max_examples=600, deadline=None)


@pytest.fixture(scope="module", params=SHA256)
def real(request: pytest.FixtureRequest) -> LlamaBenchy:
    """Each version of llama-benchy, as PyPI has it."""
    try:
        return load(request.param)
    except UnavailableError as error:
        pytest.skip(f"PyPI cannot be reached: {error}")


@given(seeds, levels)
@many
def test_every_field_of_a_cell_is_llama_benchys(real: LlamaBenchy, seed: int, level: int) -> None:
    _assert_same(real, cell(Random(seed), level))


@given(seeds, levels)
@many
def test_every_field_of_a_cell_in_which_nothing_fails_is_llama_benchys(
    real: LlamaBenchy, seed: int, level: int
) -> None:
    _assert_same(real, good(cell(Random(seed), level)))


@given(st.lists(st.one_of(st.integers(0, 3_000_000), st.integers(0, 30).map(lambda tenths: tenths * 100_000))))
@many
def test_peak_and_rate_over_time_are_llama_benchys(real: LlamaBenchy, at_us: list[int]) -> None:
    times_s = [us / 1e6 for us in at_us]
    theirs, series = real.results.BenchmarkResults()._calculate_peak_throughput(list(times_s), return_series=True)
    assert (peak_tps(times_s) or 0.0) == theirs
    assert [list(point) for point in rate_over_time(times_s)] == series


def _assert_same(real: LlamaBenchy, played: Cell) -> None:
    waves, theirs = recorded(played), reported(real, played)
    context = CellContext(played.concurrency, played.pp + played.depth, latency_s=played.latency_s)
    ours = RUN[real.version](waves, context)
    for field in dataclasses.fields(ours):
        _assert_same_metric(field.name, getattr(ours, field.name), getattr(theirs, field.name))
    rules = RULES[real.version]
    _assert_same_series(benchy.throughput_over_time(waves, rules), theirs.throughput_over_time)
    all_series = benchy.requests_throughput_over_time(waves, rules)
    assert len(all_series) == len(theirs.requests_throughput_over_time)
    for mine, their in zip(all_series, theirs.requests_throughput_over_time, strict=True):
        _assert_same_series(mine, their)


def _assert_same_metric(name: str, ours: benchy.Metric | None, theirs: Any) -> None:
    if ours is None or theirs is None:
        assert (ours, theirs) == (None, None), name
        return
    assert len(ours.values) == len(theirs.values), name
    for mine, their in zip(ours.values, theirs.values, strict=True):
        assert math.isclose(mine, their, rel_tol=TOLERANCE), name
    assert math.isclose(ours.mean, theirs.mean, rel_tol=TOLERANCE), name
    assert math.isclose(ours.std, theirs.std, rel_tol=TOLERANCE, abs_tol=TOLERANCE * abs(theirs.mean)), name


def _assert_same_series(ours: Sequence[Any], theirs: Sequence[Any]) -> None:
    assert [[list(point) for point in series] for series in ours] == theirs
