from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.compare.crossover import crossovers
from sparktui.compare.winners import METRICS

DECODE, TTFT = METRICS["decode"], METRICS["ttft"]


def test_lines_that_cross_halfway_on_the_log_axis_cross_between_their_levels() -> None:
    (found,) = crossovers(DECODE, "tp2", "shuffle", {4: 200.0, 16: 100.0}, {4: 100.0, 16: 200.0})
    assert (found.below, found.above, found.between) == ("tp2", "shuffle", (4, 16))
    assert found.concurrency == pytest.approx(8.0)


def test_of_a_latency_the_lower_one_leads() -> None:
    (found,) = crossovers(TTFT, "tp2", "shuffle", {4: 417.0, 8: 858.0}, {4: 536.0, 8: 656.0})
    assert (found.below, found.above) == ("tp2", "shuffle")
    assert 5 < found.concurrency < 6


def test_the_published_decode_lines_cross_once_between_32_and_64_users() -> None:
    tp2 = {1: 57.93, 2: 98.16, 4: 148.26, 8: 222.59, 16: 304.03, 32: 382.8, 64: 477.77}
    shuffle = {1: 39.59, 2: 72.74, 4: 100.65, 8: 160.54, 16: 245.31, 32: 342.53, 64: 508.09}
    (found,) = crossovers(DECODE, "tp2", "shuffle", tp2, shuffle)
    assert found.between == (32, 64)
    assert found.concurrency == pytest.approx(50.0, abs=0.5)


def test_lines_may_cross_several_times_or_never() -> None:
    zigzag = crossovers(DECODE, "a", "b", {1: 2.0, 2: 1.0, 4: 2.0}, {1: 1.0, 2: 2.0, 4: 1.0})
    assert [(c.below, c.above) for c in zigzag] == [("a", "b"), ("b", "a")]
    assert crossovers(DECODE, "a", "b", {1: 2.0, 2: 2.0}, {1: 1.0, 2: 1.0}) == ()
    assert crossovers(DECODE, "a", "b", {1: 2.0}, {2: 1.0}) == ()


def test_lines_that_meet_at_a_level_cross_there_and_that_alone_is_no_crossing() -> None:
    (found,) = crossovers(DECODE, "a", "b", {1: 2.0, 8: 5.0, 64: 1.0}, {1: 1.0, 8: 5.0, 64: 2.0})
    assert found.concurrency == pytest.approx(8.0)
    assert crossovers(DECODE, "a", "b", {1: 2.0, 8: 5.0, 64: 2.0}, {1: 1.0, 8: 5.0, 64: 1.0}) == ()


values = st.dictionaries(st.sampled_from([1, 2, 4, 8, 16, 32, 64]), st.floats(1.0, 1e5), min_size=2)


@given(values, values)
def test_a_crossover_lies_between_its_levels_and_does_not_depend_on_who_is_named_first(
    a: dict[int, float], b: dict[int, float]
) -> None:
    found = crossovers(DECODE, "a", "b", a, b)
    assert all(c.between[0] <= c.concurrency * (1 + 1e-9) and c.concurrency <= c.between[1] * (1 + 1e-9) for c in found)
    swapped = crossovers(DECODE, "b", "a", b, a)
    assert [(c.below, c.above) for c in found] == [(c.below, c.above) for c in swapped]
    assert [c.concurrency for c in found] == pytest.approx([c.concurrency for c in swapped])
