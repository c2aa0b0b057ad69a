from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.measure.figures import USAGE_FIGURES
from sparktui.measure.record import NO_TEXT, RequestRecord, WaveRecord, pack_event_tokens, pack_events
from sparktui.measure.statistics import Spread
from sparktui.measure.usage import Limits, wave_figures
from tests.core.measured import failed, request, wave


def test_one_stream_by_hand() -> None:
    figures = wave_figures(wave(request(ttft_us=100_000, gap_us=10_000, tokens=11, prompt_tokens=100)))
    assert figures.decode_tps == pytest.approx(10 / 0.1)
    assert figures.decode_tps_stream == pytest.approx((100.0,))
    assert figures.prefill_tps == pytest.approx(100 / 0.1)
    assert figures.ttft == Spread(100.0, 100.0, 100.0, 100.0, 100.0)
    assert figures.e2e.mean == pytest.approx(200.0)
    assert figures.tpot.mean == pytest.approx(10.0)
    assert (figures.itl.p50, figures.itl.p95) == (10.0, 10.0)
    assert (figures.prompt_tokens, figures.completion_tokens) == (100, 11)


def test_two_streams_share_one_window_from_the_first_token_of_all_to_the_last_of_all() -> None:
    early = request(0, sent_us=0, ttft_us=100_000, gap_us=10_000, tokens=11)
    late = request(1, sent_us=50_000, ttft_us=250_000, gap_us=20_000, tokens=6)
    figures = wave_figures(wave(early, late))
    assert figures.decode_tps == pytest.approx((10 + 5) / (0.400 - 0.100))
    assert figures.prefill_tps == pytest.approx(200 / 0.300)
    assert figures.ttft.mean == pytest.approx(175.0)
    assert sorted(figures.decode_tps_stream) == pytest.approx([50.0, 100.0])


def test_tokens_are_the_servers_count_not_the_number_of_events() -> None:
    burst = request(tokens=5, completion_tokens=31, first_tokens=3)
    assert wave_figures(wave(burst)).decode_tps == pytest.approx((31 - 3) / 0.04)


@pytest.mark.parametrize("events", [True, False])
def test_what_arrives_with_the_first_token_is_not_counted_whether_or_not_events_were_read(events: bool) -> None:
    deltas_us = [140_000, 0, 0, 0, 40_000, 0, 0, 0, 40_000, 0, 0, 0]
    held_back = request(
        ttft_us=140_000,
        tokens=12,
        events=pack_events(deltas_us) if events else b"",
        last_us=sum(deltas_us),
        first_tokens=4,
    )
    assert wave_figures(wave(held_back)).decode_tps == pytest.approx(100.0)


def test_a_stream_with_more_events_than_tokens_takes_nothing_from_the_others() -> None:
    characters = request(1, ttft_us=100_000, tokens=2, first_tokens=4)
    assert wave_figures(wave(request(0), characters)).decode_tps == pytest.approx(100.0)


def test_an_unknown_first_event_is_taken_for_one_token_and_said_so() -> None:
    figures = wave_figures(wave(request(first_tokens=None, token_source="usage")))
    assert figures.decode_tps == pytest.approx(100.0)
    assert figures.token_source == "usage, first event taken as 1 token"
    assert wave_figures(wave(request())).token_source == "token_ids"


def test_without_usage_events_are_counted_and_said_so() -> None:
    bare = request(completion_tokens=None, token_source="chunks", first_tokens=None, event_tokens=b"")
    figures = wave_figures(wave(bare))
    assert figures.completion_tokens == 11
    assert figures.token_source == "chunks"
    some_say = msgspec.structs.replace(
        bare, events=pack_events([1, 2, 3]), event_tokens=pack_event_tokens([NO_TEXT | 3, 0, NO_TEXT])
    )
    assert wave_figures(wave(some_say)).completion_tokens == 5


def test_failed_requests_are_left_out_and_counted_by_kind() -> None:
    silent = request(2, ttft_us=100_000, last_us=None)
    figures = wave_figures(wave(request(0), failed(1, "connection lost: reset by peer"), failed(3, "timeout"), silent))
    assert figures.decode_tps == pytest.approx(100.0)
    assert (figures.requests, figures.errors) == (4, 3)
    assert figures.error_kinds == {"connection lost": 1, "timeout": 1, "no tokens": 1}


def test_what_cannot_be_computed_is_unknown_and_never_zero() -> None:
    nothing = wave_figures(wave(failed(0)))
    assert (nothing.decode_tps, nothing.prefill_tps, nothing.ttft.mean, nothing.completion_tokens) == (None,) * 4
    one_token = wave_figures(wave(request(tokens=1)))
    assert one_token.decode_tps is None
    assert one_token.ttft.mean == 100.0
    uncounted = wave_figures(wave(request(0), request(1, prompt_tokens=None)))
    assert uncounted.prefill_tps is None


def test_figures_without_token_events_are_the_same_but_for_the_time_between_tokens() -> None:
    full = wave(request(0), request(1, sent_us=7_000))
    bare = msgspec.structs.replace(
        full, requests=tuple(msgspec.structs.replace(r, events=b"", event_tokens=b"") for r in full.requests)
    )
    rich, poor = wave_figures(full), wave_figures(bare)
    assert (rich.decode_tps, rich.prefill_tps, rich.ttft.mean) == (poor.decode_tps, poor.prefill_tps, poor.ttft.mean)
    assert poor.itl.p50 is None


def test_percentiles_are_of_one_wave() -> None:
    figures = wave_figures(wave(*(request(i, ttft_us=1_000 * (i + 1)) for i in range(101))))
    assert figures.ttft == Spread(51.0, 51.0, 91.0, 96.0, 100.0)
    assert (figures.value("ttft_ms"), figures.value("ttft_p99_ms")) == pytest.approx((51.0, 100.0))
    assert figures.value("decode_tps") == figures.decode_tps


def test_every_figure_of_a_wave_is_found_by_its_name() -> None:
    figures = wave_figures(wave(request(0), request(1)), Limits())
    assert all(figures.value(kind.name) is not None for kind in USAGE_FIGURES if kind.per == "wave")


def test_requests_and_errors_are_counted_over_the_whole_wave() -> None:
    figures = wave_figures(wave(request(0), request(1), failed(2), duration_us=500_000))
    assert figures.request_rps == pytest.approx(4.0)
    assert figures.error_pct == pytest.approx(100 / 3)
    assert wave_figures(wave(duration_us=0)).error_pct is None


def test_goodput_counts_good_requests_within_every_limit() -> None:
    fast, slow = request(0, ttft_us=100_000, gap_us=10_000), request(1, ttft_us=300_000, gap_us=10_000)
    halting = request(2, ttft_us=100_000, gap_us=40_000)
    record = wave(fast, slow, halting, failed(3), duration_us=1_000_000)
    assert wave_figures(record).goodput_rps is None
    assert wave_figures(record, Limits()).goodput_rps == pytest.approx(3.0)
    assert wave_figures(record, Limits(ttft_ms=100.0)).goodput_rps == pytest.approx(2.0)
    assert wave_figures(record, Limits(ttft_ms=100.0, tpot_ms=10.0)).goodput_rps == pytest.approx(1.0)
    assert wave_figures(record, Limits(e2e_ms=199.0)).goodput_rps == 0.0
    assert wave_figures(wave(request(0, tokens=1)), Limits(tpot_ms=0.1)).goodput_rps == pytest.approx(1.0)


def test_time_in_prefill_counts_every_moment_once() -> None:
    both = wave(request(0, ttft_us=100_000), request(1, sent_us=50_000, ttft_us=150_000), duration_us=1_000_000)
    assert wave_figures(both).prefill_time_pct == pytest.approx(20.0)
    apart = wave(request(0, ttft_us=100_000), request(1, sent_us=500_000, ttft_us=100_000), duration_us=1_000_000)
    assert wave_figures(apart).prefill_time_pct == pytest.approx(20.0)
    inside = wave(request(0, ttft_us=100_000), request(1, sent_us=20_000, ttft_us=10_000), duration_us=1_000_000)
    assert wave_figures(inside).prefill_time_pct == pytest.approx(10.0)
    assert wave_figures(wave(failed(0))).prefill_time_pct is None


requests = st.lists(
    st.builds(
        request,
        st.just(0),
        sent_us=st.integers(0, 10_000),
        ttft_us=st.integers(1, 1_000_000),
        gap_us=st.integers(1, 100_000),
        tokens=st.integers(1, 40),
        prompt_tokens=st.integers(1, 4_000),
    ),
    min_size=1,
    max_size=6,
)


@given(requests.flatmap(lambda every: st.tuples(st.just(every), st.permutations(every))))
def test_the_order_of_requests_does_not_matter(orders: tuple[list[RequestRecord], list[RequestRecord]]) -> None:
    one, other = (wave_figures(wave(*order)) for order in orders)
    assert (one.decode_tps, one.prefill_tps, one.ttft.mean, one.tpot.mean) == pytest.approx(
        (other.decode_tps, other.prefill_tps, other.ttft.mean, other.tpot.mean)
    )
    assert sorted(one.decode_tps_stream) == sorted(other.decode_tps_stream)


@given(requests, st.integers(2, 50))
def test_time_that_runs_slower_divides_rates_and_multiplies_latencies(every: list[RequestRecord], slower: int) -> None:
    fast, slow = wave_figures(wave(*every)), wave_figures(_stretched(wave(*every), slower))
    assert slow.ttft.mean == pytest.approx(fast.ttft.mean and fast.ttft.mean * slower)
    assert slow.prefill_tps == pytest.approx(fast.prefill_tps and fast.prefill_tps / slower)
    assert slow.decode_tps == (None if fast.decode_tps is None else pytest.approx(fast.decode_tps / slower))


@given(requests, st.integers(0, 10_000_000))
def test_a_wave_that_starts_later_has_the_same_figures(every: list[RequestRecord], later_us: int) -> None:
    moved = [msgspec.structs.replace(r, sent_us=r.sent_us + later_us) for r in every]
    one, other = wave_figures(wave(*every)), wave_figures(wave(*moved))
    assert (one.decode_tps, one.prefill_tps) == pytest.approx((other.decode_tps, other.prefill_tps))


@given(requests)
def test_the_streams_of_a_wave_are_never_faster_than_all_of_it_together_by_more_than_their_number(
    every: list[RequestRecord],
) -> None:
    figures = wave_figures(wave(*every))
    if figures.decode_tps is not None:
        assert figures.decode_tps <= sum(figures.decode_tps_stream) * (1 + 1e-9)


def _stretched(record: WaveRecord, factor: int) -> WaveRecord:
    times = ("sent_us", "ttfr_us", "ttft_us", "last_us", "ended_us")
    return msgspec.structs.replace(
        record,
        requests=tuple(
            msgspec.structs.replace(r, **{name: getattr(r, name) * factor for name in times}) for r in record.requests
        ),
    )
