"""From pages of /metrics to what is shown of an engine."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.errors import EngineError
from sparktui.sim.metrics import EngineMetrics
from sparktui.sim.model import MODELS
from sparktui.sim.scheduler import Limits, Scheduler
from sparktui.watching.engine import Engine
from sparktui.watching.fetch import Endpoint
from sparktui.watching.histogram import Histogram, summed
from sparktui.watching.page import read_page
from sparktui.watching.rates import KEEP_S, LATENCY_S, NOTHING, Figures, together
from tests.watching.pages import VLLM, llama_cpp, sglang, vllm

BOUNDS = (0.1, 0.2, 0.5, math.inf)
counts = st.lists(st.integers(0, 50), min_size=4, max_size=4).map(lambda steps: Histogram(BOUNDS, cumulated(steps)))


def cumulated(steps: list[int]) -> tuple[float, ...]:
    return tuple(float(sum(steps[: end + 1])) for end in range(len(steps)))


def engine() -> Engine:
    return Engine(Endpoint("gf1", "http://gf1:8000"))


def test_a_quantile_lies_on_a_straight_line_within_its_bucket() -> None:
    histogram = Histogram(BOUNDS, (10.0, 20.0, 20.0, 20.0))
    assert histogram.quantile(0.5) == pytest.approx(0.1)
    assert histogram.quantile(0.25) == pytest.approx(0.05)
    assert histogram.quantile(0.95) == pytest.approx(0.19)


def test_of_what_lies_above_the_last_bound_only_that_bound_is_known() -> None:
    assert Histogram(BOUNDS, (0.0, 0.0, 0.0, 4.0)).quantile(0.5) == 0.5


@given(counts, st.floats(0.01, 1))
def test_a_quantile_is_within_the_bounds_and_never_falls_with_the_share(histogram: Histogram, share: float) -> None:
    value = histogram.quantile(share)
    if histogram.total == 0:
        assert value is None
        return
    assert value is not None
    assert 0 <= value <= 0.5
    assert value <= (histogram.quantile(1.0) or 0)


@given(counts, counts)
def test_what_was_seen_since_an_earlier_look_is_exactly_the_difference(first: Histogram, second: Histogram) -> None:
    both = summed([first, second])
    assert both is not None
    assert both.since(first) == second
    assert both.total == first.total + second.total


def test_a_histogram_that_began_anew_or_has_other_buckets_tells_nothing() -> None:
    assert Histogram(BOUNDS, (1.0, 1.0, 1.0, 1.0)).since(Histogram(BOUNDS, (2.0, 2.0, 2.0, 2.0))) is None
    assert Histogram(BOUNDS, (1.0, 1.0, 1.0, 1.0)).since(Histogram((1.0, math.inf), (0.0, 0.0))) is None
    assert summed([Histogram(BOUNDS, (1.0,) * 4), None]) is None


def test_a_real_vllm_page_gives_counters_and_histograms() -> None:
    page = read_page(VLLM)
    assert page.figures.running == 64
    assert page.ttft_s is not None
    assert page.itl_s is not None
    assert math.isinf(page.ttft_s.bounds[-1])
    assert page.ttft_s.total > 0
    assert list(page.itl_s.counts) == sorted(page.itl_s.counts)


def test_only_the_embedded_engines_page_is_simulated() -> None:
    page = EngineMetrics("m", Scheduler(MODELS["solo"], Limits())).page().decode()
    assert read_page(page).simulated
    assert not any(read_page(text).simulated for text in (VLLM, sglang(), llama_cpp()))


def test_further_ranks_of_sglang_are_not_counted_again() -> None:
    buckets = [("0.1", 3), ("0.5", 7), ("+Inf", 8)]
    page = read_page(sglang(generated=100, ttft=buckets))
    assert page.figures.running == 5
    assert page.ttft_s == Histogram((0.1, 0.5, math.inf), (3.0, 7.0, 8.0))
    assert page.itl_s is None


def test_llama_cpp_has_no_histograms_and_some_releases_quote_their_page() -> None:
    page = read_page(llama_cpp(generated=7))
    assert (page.figures.generation_tokens, page.ttft_s, page.itl_s) == (7, None, None)
    quoted = '"' + llama_cpp(generated=7).replace("\n", "\\n") + '"'
    assert read_page(quoted) == page


@pytest.mark.parametrize("text", ["", "<html>", '"', '"unfinished', "vllm:time_to_first_token_seconds_bucket{le=} 1"])
def test_what_is_no_page_is_an_engine_error(text: str) -> None:
    with pytest.raises(EngineError):
        read_page(text)


def test_rates_are_the_counters_over_the_last_seconds_and_a_stall_falls_to_zero() -> None:
    watched = engine()
    for second in range(6):
        watched.heard(float(second), vllm(generated=300 * second, prompt=1000 * second, running=4))
    figures = watched.now(5.0).figures
    assert (figures.decode_tps, figures.prefill_tps) == (300.0, 1000.0)
    assert figures.running == 4
    assert watched.now(30.0).figures.decode_tps == 0.0


def test_before_a_second_look_no_rate_is_known_and_never_a_zero() -> None:
    watched = engine()
    watched.heard(0.0, vllm(generated=300, running=1))
    assert watched.now(0.0).figures.decode_tps is None
    assert watched.now(0.0).figures.running == 1


def test_latencies_are_of_the_last_requests_and_unknown_without_any() -> None:
    watched = engine()
    watched.heard(0.0, read_page(sglang(ttft=[("0.1", 100), ("0.5", 100), ("+Inf", 100)])))
    watched.heard(LATENCY_S + 1, read_page(sglang(ttft=[("0.1", 100), ("0.5", 100), ("+Inf", 100)])))
    assert watched.now(LATENCY_S + 1).figures.milliseconds("ttft", 0.5) is None
    watched.heard(LATENCY_S + 2, read_page(sglang(ttft=[("0.1", 100), ("0.5", 110), ("+Inf", 110)])))
    assert watched.now(LATENCY_S + 2).figures.milliseconds("ttft", 0.5) == pytest.approx(300)
    assert watched.now(LATENCY_S + 2).figures.milliseconds("itl", 0.5) is None


def test_an_engine_that_was_started_again_is_counted_from_there_and_that_is_told() -> None:
    watched = engine()
    for second in range(4):
        watched.heard(float(second), vllm(generated=1000 + 100 * second, preempted=5))
    watched.heard(4.0, vllm(generated=0, preempted=0))
    assert watched.now(4.0).restarts == 1
    assert watched.now(4.0).figures.decode_tps is None
    watched.heard(5.0, vllm(generated=50, preempted=2))
    now = watched.now(5.0)
    assert (now.figures.decode_tps, now.figures.preemptions, now.restarts) == (50.0, 2, 1)


def test_an_engine_that_does_not_answer_says_why_and_shows_nothing_old_until_it_is_back() -> None:
    watched = engine()
    assert watched.now(0.0).down
    watched.heard(0.0, vllm(generated=0))
    watched.heard(1.0, vllm(generated=10))
    watched.silent("connection refused")
    now = watched.now(8.0)
    assert (now.down, now.figures, now.age_s) == ("connection refused", NOTHING, 7.0)
    watched.heard(9.0, vllm(generated=90))
    assert watched.now(9.0).down == ""
    assert watched.now(9.0).figures.decode_tps == pytest.approx(10.0)


def test_the_share_of_prefix_hits_is_of_the_tokens_looked_up_lately() -> None:
    watched = engine()
    watched.heard(0.0, vllm(queries=1000, hits=900))
    assert watched.now(0.0).figures.prefix_hit_share is None
    watched.heard(1.0, vllm(queries=1200, hits=950))
    assert watched.now(1.0).figures.prefix_hit_share == pytest.approx(0.25)


def test_old_looks_are_forgotten_however_long_the_watch_lasts() -> None:
    watched = engine()
    for second in range(2000):
        watched.heard(float(second), vllm(generated=second))
    assert len(watched.now(2000.0).generated) <= KEEP_S + 1


def test_all_engines_together_are_summed_and_what_one_does_not_tell_is_not_known() -> None:
    one, other = Figures(decode_tps=10.0, running=1.0, kv_pct=20.0), Figures(decode_tps=5.0, kv_pct=40.0)
    both = together([one, other])
    assert (both.decode_tps, both.running, both.kv_pct, both.waiting) == (15.0, None, 30.0, None)
    assert together([]) == NOTHING


def test_the_share_of_prefix_hits_of_all_is_of_all_their_tokens() -> None:
    one, other = Figures(prefix_queries=100.0, prefix_hits=50.0), Figures(prefix_queries=300.0, prefix_hits=0.0)
    assert together([one, other]).prefix_hit_share == pytest.approx(0.125)
    assert together([one, Figures()]).prefix_hit_share is None
