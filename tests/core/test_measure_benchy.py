from __future__ import annotations

import pytest

from sparktui.errors import UsageError
from sparktui.measure.benchy import run_0_3_5, run_0_4_0
from sparktui.measure.calculators import CALCULATORS, DEFAULT, find_calculator
from sparktui.measure.cell import CellContext
from sparktui.measure.record import NO_TEXT, REASONING, TOOL_CALL, RequestRecord, pack_event_tokens, pack_events
from tests.core.measured import failed, request, wave

ONE = CellContext(concurrency=1, prompt_tokens=100, latency_s=0.02)
TWO = CellContext(concurrency=2, prompt_tokens=100, latency_s=0.02)


def with_marks(*marks: int, source: str = "token_ids", completion_tokens: int | None = None) -> RequestRecord:
    """A stream whose events come 100, 110, 120, ... ms after the send."""
    return request(
        tokens=len(marks),
        events=pack_events([100_000] + [10_000] * (len(marks) - 1)),
        event_tokens=pack_event_tokens(list(marks)),
        token_source=source,
        completion_tokens=sum(mark & 0xFFF for mark in marks) if completion_tokens is None else completion_tokens,
    )


def test_one_stream_by_hand() -> None:
    run = run_0_3_5([wave(request(ttft_us=100_000, gap_us=10_000, tokens=11, prompt_tokens=100))], ONE)
    assert run.tg_throughput is not None
    assert run.tg_throughput.mean == pytest.approx(10 / 0.101)  # to the end of the body, 1 ms after the last token
    assert run.tg_throughput == run.tg_req_throughput
    assert run.pp_throughput is not None
    assert run.pp_throughput.mean == pytest.approx(100 / 0.08)
    assert run.peak_throughput is not None
    assert run.peak_throughput.mean == pytest.approx(11 / 0.1)
    assert run.est_ppt is not None
    assert (run.est_ppt.mean, run.est_ppt.std) == pytest.approx((80.0, 0.0))
    newer = run_0_4_0([wave(request(ttft_us=100_000, gap_us=10_000, tokens=11, prompt_tokens=100))], ONE)
    assert newer.tg_throughput is not None
    assert newer.tg_throughput.mean == pytest.approx(10 / 0.1)


def test_the_older_version_counts_events_and_the_newer_tokens() -> None:
    older, newer = (run([wave(with_marks(1, 3, 3))], TWO) for run in (run_0_3_5, run_0_4_0))
    assert older.tg_throughput is not None
    assert older.tg_throughput.mean == pytest.approx(2 / 0.02)
    assert newer.tg_throughput is not None
    assert newer.tg_throughput.mean == pytest.approx(6 / 0.02)


def test_only_answer_and_reasoning_text_is_counted() -> None:
    run = run_0_3_5([wave(with_marks(1, NO_TEXT | 1, TOOL_CALL | 1, REASONING | 1, REASONING | TOOL_CALL | 1))], TWO)
    assert run.tg_throughput is not None
    assert run.tg_throughput.mean == pytest.approx((3 - 1) / 0.04)


def test_a_figure_of_requests_keeps_the_means_of_its_waves_for_intervals() -> None:
    waves = [wave(request(ttft_us=100_000), request(1, ttft_us=300_000)), wave(request(ttft_us=50_000))]
    figures = find_calculator("benchy-0.3.5").figures(waves, TWO)
    assert figures.values("ttft_ms") == pytest.approx((100.0, 300.0, 50.0))
    assert figures.samples("ttft_ms") == pytest.approx((200.0, 50.0))
    assert figures.figures["ttft_ms"].kind.per == "request"
    assert figures.figures["decode_tps"].kind.per == "wave"
    assert len(figures.samples("decode_tps")) == 2


def test_an_unknown_latency_takes_nothing_off_and_is_said() -> None:
    figures = find_calculator("benchy-0.4.0").figures([wave(request())], CellContext(1, 100))
    assert figures.mean("est_ppt_ms") == pytest.approx(100.0)
    assert "latency is not known" in figures.notes[0]
    assert find_calculator("benchy-0.4.0").figures([wave(request())], ONE).notes == ()


def test_a_failure_that_llama_benchy_does_not_notice_counts_there_and_is_said() -> None:
    broken = failed(1, "error event: out of memory")
    waves = [wave(request(), broken, failed(2, "http 500"))]
    figures = find_calculator("benchy-0.3.5").figures(waves, TWO)
    alone = find_calculator("benchy-0.3.5").figures([wave(request())], TWO)
    assert figures.errors == 2
    assert (figures.mean("prefill_tps") or 0) == pytest.approx(2 * (alone.mean("prefill_tps") or 0))
    assert figures.notes == ("benchy-0.3.5 takes 1 of the failed requests for good ones",)


def test_a_pool_has_no_llama_benchy_figures() -> None:
    figures = find_calculator("benchy-0.3.5").figures([wave(request())], CellContext(2, 100, shape="pool"))
    assert figures.figures == {}
    assert "not defined for the shape pool" in figures.notes[0]


def test_where_each_count_came_from_is_said() -> None:
    waves = [wave(with_marks(1, 1), with_marks(0, 0, source="usage", completion_tokens=5))]
    assert find_calculator("benchy-0.4.0").figures(waves, TWO).token_source == "token_ids + usage"
    assert find_calculator("benchy-0.3.5").figures(waves, TWO).token_source == "chunks"


def test_nothing_measured_has_no_figures() -> None:
    for calculator in CALCULATORS.values():
        for waves in ([], [wave(failed(0))]):
            assert calculator.figures(waves, TWO).mean("decode_tps") is None
            assert calculator.figures(waves, TWO).calculator == calculator.name


def test_an_unknown_calculator_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"benchy-0\.3") as raised:
        find_calculator("benchy-0.3")
    assert raised.value.hint == "there are usage, benchy-0.3.5, benchy-0.4.0"
    assert find_calculator(DEFAULT).needs_events is False
