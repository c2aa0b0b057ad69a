from __future__ import annotations

import pytest

from sparktui.measure.record import Clock, WaveRecord, pack_event_tokens, pack_events
from sparktui.measure.taint import taint
from tests.core.measured import failed, request, wave


def reason(*waves: WaveRecord, pp: int = 100, tg: int = 11, depth: int = 0, exact_tg: bool = True) -> str:
    return taint(waves, pp=pp, tg=tg, depth=depth, exact_tg=exact_tg) or ""


def test_a_clean_cell_is_not_tainted() -> None:
    assert taint([wave(request(0), request(1))] * 3, pp=100, tg=11) is None


def test_failures_taint_and_are_named() -> None:
    assert reason(wave(request(0), failed(1, "timeout"))) == "1 of 2 requests failed (1 timeout)"


def test_what_most_of_the_failed_requests_were_told_is_told_once() -> None:
    memory = "http 500: CUDA: out of memory"
    assert reason(wave(failed(0, "timeout: 30 s"), failed(1, memory), failed(2, memory), request(3))) == (
        "3 of 4 requests failed (2 http 500, 1 timeout): CUDA: out of memory"
    )
    long = reason(wave(failed(0, "http 500: " + "x" * 300)))
    assert long is not None
    assert long.endswith("): " + "x" * 119 + "…")


@pytest.mark.parametrize(
    ("clock", "lag_us", "late"),
    [("user", 1_000.0, False), ("user", 1_001.0, True), ("kernel", 10_000.0, False), ("kernel", 10_001.0, True)],
)
def test_own_stamps_may_be_a_tenth_of_a_gap_late_and_kernel_stamps_be_read_a_gap_late(
    clock: Clock, lag_us: float, late: bool
) -> None:
    measured = wave(request(gap_us=10_000), lag_p99_us=lag_us, clock=clock)
    assert ("late" in reason(measured)) is late


def test_the_time_between_tokens_is_taken_from_rates_where_events_were_not_read() -> None:
    bare = request(gap_us=10_000, events=b"", event_tokens=b"")
    assert "late" in reason(wave(bare, lag_p99_us=11_000.0))
    assert reason(wave(bare, lag_p99_us=9_000.0)) == ""


def test_one_late_wave_among_many_does_not_taint() -> None:
    assert reason(*[wave(request())] * 4, wave(request(), lag_p99_us=90_000.0)) == ""


def held_back(pieces: int, tokens: int = 121) -> WaveRecord:
    """Return a wave of a stream that came in pieces of as many tokens, 40 us apart in each."""
    gaps = [40 if n % pieces else 10_000 * pieces for n in range(1, tokens)]
    return wave(request(tokens=tokens, events=pack_events([100_000, *gaps])), lag_p99_us=20.0)


@pytest.mark.parametrize(("pieces", "told"), [(1, ""), (12, ""), (14, "11%"), (60, "49%"), (121, "100%")])
def test_a_stream_that_is_held_back_and_comes_in_pieces_taints(pieces: int, told: str) -> None:
    said = reason(*[held_back(pieces)] * 3, tg=121)
    assert said == (
        f"streams came in pieces: {told} of their tokens right behind the first, in no time of their own"
        if told
        else ""
    )


def test_what_comes_at_once_with_the_first_is_not_counted_and_harms_only_where_nothing_comes_later() -> None:
    def arriving(*deltas_us: int) -> WaveRecord:
        return wave(request(events=pack_events(deltas_us)), lag_p99_us=0.0)

    assert "pieces: 100%" in reason(arriving(100_000, *[0] * 10))
    assert reason(arriving(100_000, *[0] * 5, *[9_000] * 5)) == ""


@pytest.mark.parametrize("counted", [[64, 64], [0, 0]])
def test_large_pieces_are_too_fast_by_their_tokens_and_not_by_their_number(counted: list[int]) -> None:
    def two(gap_us: int) -> WaveRecord:
        events, marks = pack_events([1_000_000, gap_us]), pack_event_tokens(counted)
        return wave(request(tokens=128, events=events, event_tokens=marks), lag_p99_us=0.0)

    assert "pieces: 100%" in reason(two(100), tg=128)
    assert "pieces" not in reason(two(64 * 50), tg=128)


def test_one_wave_in_one_piece_among_many_taints() -> None:
    assert "pieces: 5% of" in reason(held_back(121), *[held_back(1)] * 19, tg=121)


def test_tokens_that_had_no_event_of_their_own_came_with_the_first() -> None:
    one = request(tokens=11, events=pack_events([100_000]))
    assert "pieces: 100%" in reason(wave(one))
    bare = request(events=b"", event_tokens=b"")
    assert reason(wave(bare)) == ""
    assert reason(wave(request(tokens=1)), tg=1) == ""


@pytest.mark.parametrize(("cpu", "busy"), [(0.60, False), (0.61, True), (None, False)])
def test_a_client_over_60_percent_of_a_core_taints(cpu: float | None, busy: bool) -> None:
    assert ("core" in reason(wave(request(), worker_cpu=cpu))) is busy


@pytest.mark.parametrize(("tokens", "off"), [(1034, False), (1035, True), (1013, True), (None, False)])
def test_prompts_may_be_off_by_one_in_a_hundred(tokens: int | None, off: bool) -> None:
    assert ("prompts" in reason(wave(request(prompt_tokens=tokens)), pp=1000, depth=24)) is off


def test_prompt_tokens_from_the_prefix_cache_taint() -> None:
    assert "prefix cache" in reason(wave(request(cached_tokens=6)))
    assert reason(wave(request(cached_tokens=5))) == ""


@pytest.mark.parametrize(
    ("hits", "queries", "hit"), [(0, 1000, False), (50, 1000, False), (51, 1000, True), (0, 0, False), (5, 0, False)]
)
def test_prompt_tokens_found_in_the_prefix_cache_by_the_engines_own_counter_taint(
    hits: int, queries: int, hit: bool
) -> None:
    found = taint([wave(request())], pp=100, tg=11, prefix=(hits, queries))
    assert (found is not None and "by its own counter" in found) is hit


def test_streams_that_end_early_taint() -> None:
    assert reason(wave(request(0), request(1, tokens=9))) == "1 streams ended early, after 9 or more of 11 tokens"


def test_where_the_length_could_not_be_asked_for_only_the_average_counts() -> None:
    assert reason(wave(request(0, tokens=9), request(1, tokens=11)), exact_tg=False) == ""
    assert "on average" in reason(wave(request(0, tokens=4)), exact_tg=False)


@pytest.mark.parametrize("exact_tg", [True, False])
def test_streams_that_go_on_after_what_was_asked_for_taint(exact_tg: bool) -> None:
    found = reason(wave(request(0), request(1, tokens=12)), exact_tg=exact_tg)
    assert found == "1 streams went on, to 12 tokens instead of 11"


@pytest.mark.parametrize(("error", "off"), [(0.10, False), (0.11, True), (None, False)])
def test_one_wave_whose_arrivals_may_be_off_by_more_than_a_tenth_taints(error: float | None, off: bool) -> None:
    found = reason(*[wave(request(), arrival_error=0.0)] * 4, wave(request(), arrival_error=error))
    assert ("kept from running in 1 of 5 waves: arrivals may be off by 11%" in found) is off


def test_every_reason_is_given() -> None:
    text = reason(wave(request(prompt_tokens=50, tokens=5), failed(1), worker_cpu=0.9))
    assert text.count(";") == 3
