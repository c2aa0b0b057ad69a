from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.measure.calculators import CALCULATORS
from sparktui.measure.cell import CellContext, cell_figures
from sparktui.measure.pool import Window, is_pool, middle, steady_window, untold
from sparktui.measure.record import RequestRecord, WaveRecord, pack_event_tokens, pack_events
from sparktui.measure.usage import Limits, wave_figures
from tests.core.measured import failed, request, wave

TTFT_US, GAP_US, TOKENS = 100_000, 10_000, 11
REQUEST_US = TTFT_US + GAP_US * (TOKENS - 1)


def turn(slot: int, seq: int, sent_us: int, **changes: object) -> RequestRecord:
    """Return a request of 200 ms, the first 100 of them without a token."""
    fields = {"seq": seq, "sent_us": sent_us, "ended_us": REQUEST_US, **changes}
    return request(slot, ttft_us=TTFT_US, gap_us=GAP_US, tokens=TOKENS, **fields)  # type: ignore[arg-type]


def pool_run(slots: int = 2, turns: int = 5, late_us: int = 0) -> WaveRecord:
    """Return slots one after another, `late_us` apart, each without a pause between its requests."""
    return wave(*(turn(slot, seq, slot * late_us + seq * REQUEST_US) for slot in range(slots) for seq in range(turns)))


def test_the_window_runs_from_the_last_slots_second_request_to_the_first_slots_end() -> None:
    run = pool_run(slots=3, turns=4, late_us=30_000)
    assert steady_window(run.requests) == Window(REQUEST_US + 60_000, 4 * REQUEST_US)
    assert is_pool(run)
    assert not is_pool(wave(request(0), request(1)))


def test_one_user_gets_in_the_window_what_one_request_gives_over_its_time() -> None:
    figures = wave_figures(pool_run(slots=1, turns=6))
    assert figures.decode_tps == pytest.approx(TOKENS / 0.2)
    assert figures.prefill_tps == pytest.approx(100 / 0.2)
    assert figures.request_rps == pytest.approx(1 / 0.2, rel=0.25)
    assert figures.prefill_time_pct == pytest.approx(50.0)


def test_tokens_before_the_ramp_is_over_and_in_the_drain_do_not_count() -> None:
    """The first request of each slot is slow and so is one slot's last: the steady rate does not know."""
    slow = 5 * REQUEST_US
    requests = []
    for slot in range(2):
        requests.append(turn(slot, 0, 0, ended_us=slow))
        requests += [turn(slot, seq, slow + (seq - 1) * REQUEST_US) for seq in range(1, 5)]
    requests.append(turn(0, 5, slow + 4 * REQUEST_US, ended_us=slow))
    requests.append(turn(1, 5, slow + 4 * REQUEST_US))
    figures = wave_figures(wave(*requests))
    assert figures.decode_tps == pytest.approx(2 * TOKENS / 0.2, rel=0.1)


def test_the_sustained_rate_of_slots_out_of_step_is_that_of_all_of_them() -> None:
    figures = wave_figures(pool_run(slots=4, turns=40, late_us=50_000))
    assert figures.decode_tps == pytest.approx(4 * TOKENS / 0.2, rel=0.03)
    assert figures.request_rps == pytest.approx(4 / 0.2, rel=0.03)
    assert figures.prefill_tps == pytest.approx(4 * 100 / 0.2, rel=0.03)


def test_single_requests_are_chosen_by_their_turn_and_never_by_how_they_fared() -> None:
    run = pool_run(slots=2, turns=4)
    assert sorted((r.slot, r.seq) for r in middle(run.requests)) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    requests = [msgspec.structs.replace(r, ttft_us=900_000) if r.seq in (0, 3) else r for r in run.requests]
    assert wave_figures(wave(*requests)).ttft.p99 == pytest.approx(100.0)
    slow = [msgspec.structs.replace(r, ttft_us=150_000) if (r.slot, r.seq) == (1, 2) else r for r in run.requests]
    assert wave_figures(wave(*slow)).ttft.mean == pytest.approx((3 * 100 + 150) / 4)


def test_a_failed_last_request_does_not_make_the_one_before_it_the_last() -> None:
    run = pool_run(slots=1, turns=4)
    broken = msgspec.structs.replace(run.requests[-1], error="timeout: x", ttft_us=None, last_us=None, ended_us=None)
    figures = wave_figures(wave(*run.requests[:-1], broken))
    assert figures.ttft.mean == pytest.approx(100.0)
    assert len(figures.decode_tps_stream) == 2
    assert (figures.requests, figures.errors) == (4, 1)


def test_goodput_counts_only_requests_within_the_limits() -> None:
    run = pool_run(slots=1, turns=9)
    requests = [msgspec.structs.replace(r, ttft_us=101_000) if r.seq % 2 else r for r in run.requests]
    figures = wave_figures(wave(*requests), Limits(ttft_ms=100.5))
    assert figures.goodput_rps is not None
    assert figures.request_rps is not None
    assert figures.goodput_rps == pytest.approx(figures.request_rps / 2, rel=0.2)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        (pool_run(slots=2, turns=2), "2 turns"),
        (pool_run(slots=2, turns=3, late_us=10 * REQUEST_US), "no steady stretch"),
    ],
)
def test_too_few_turns_leave_figures_unknown_and_say_why(run: WaveRecord, why: str) -> None:
    figures = cell_figures([run, run])
    assert len(figures.notes) == 1
    assert why in figures.notes[0]
    assert figures.mean("ttft_ms") is None or figures.mean("decode_tps") is None
    assert untold(pool_run()) is None
    assert untold(wave(request())) is None


def test_a_server_that_counts_only_in_the_end_has_its_count_spread_over_its_events() -> None:
    burst = {"event_tokens": pack_event_tokens([0] * TOKENS), "completion_tokens": 2 * TOKENS, "token_source": "usage"}
    run = wave(*(turn(0, seq, seq * REQUEST_US, **burst) for seq in range(6)))
    assert wave_figures(run).decode_tps == pytest.approx(2 * TOKENS / 0.2)


def test_events_of_several_tokens_weigh_as_many() -> None:
    events = {"events": pack_events([100_000, 50_000]), "event_tokens": pack_event_tokens([1, 10]), "last_us": 150_000}
    run = wave(*(turn(0, seq, seq * REQUEST_US, **events) for seq in range(6)))
    assert wave_figures(run).decode_tps == pytest.approx(TOKENS / 0.2)


def test_without_token_events_the_sustained_rate_is_unknown_and_not_zero() -> None:
    run = wave(*(turn(0, seq, seq * REQUEST_US, events=b"", event_tokens=b"") for seq in range(6)))
    assert wave_figures(run).decode_tps is None
    assert wave_figures(run).prefill_tps == pytest.approx(500)


def test_a_run_in_which_everything_failed_has_no_figures() -> None:
    requests = [msgspec.structs.replace(failed(slot), seq=seq) for slot in range(2) for seq in range(3)]
    figures = wave_figures(wave(*requests))
    assert (figures.decode_tps, figures.request_rps, figures.ttft.mean) == (None, None, None)
    assert figures.error_pct == 100


@pytest.mark.parametrize("name", ["benchy-0.3.5", "benchy-0.4.0"])
def test_llama_benchys_figures_are_not_defined_for_a_pool_and_say_so(name: str) -> None:
    figures = CALCULATORS[name].figures([pool_run()], CellContext(2, 100, shape="pool"))
    assert figures.figures == {}
    assert any("pool" in note or "waves" in note for note in figures.notes)


@given(
    slots=st.integers(1, 6),
    turns=st.integers(2, 8),
    pauses=st.lists(st.integers(0, 300_000), min_size=48, max_size=48),
)
def test_the_window_lies_within_the_run_and_every_slot_is_busy_in_it(slots: int, turns: int, pauses: list[int]) -> None:
    requests = []
    for slot in range(slots):
        at_us = 0
        for seq in range(turns):
            took_us = REQUEST_US + pauses[slot * 8 + seq]
            requests.append(turn(slot, seq, at_us, ended_us=took_us))
            at_us += took_us
    window = steady_window(requests)
    if window is None:
        return
    for slot in range(slots):
        mine = [r for r in requests if r.slot == slot]
        assert mine[0].sent_us + (mine[0].ended_us or 0) <= window.start_us
        assert mine[-1].sent_us + (mine[-1].ended_us or 0) >= window.end_us
