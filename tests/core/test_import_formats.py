from __future__ import annotations

import csv
import json
import math
from io import StringIO
from statistics import fmean

import pytest

from sparktui.errors import ImportFileError
from sparktui.importing.benchy import FIGURES as BENCHY_FIGURES
from sparktui.importing.formats import detect, read
from sparktui.measure.cell import cell_figures
from sparktui.measure.figures import FIGURES
from sparktui.measure.foreign import FOREIGN
from tests.core.imports import FORMAT_OF, cells, figures, raw, sample


@pytest.mark.parametrize("name", FORMAT_OF)
def test_a_real_file_is_known_by_its_content(name: str) -> None:
    assert detect(raw(name), "x") == FORMAT_OF[name]


@pytest.mark.parametrize("name", FORMAT_OF)
def test_a_byte_order_mark_and_dos_line_ends_change_nothing(name: str) -> None:
    dos = b"\xef\xbb\xbf" + raw(name).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert read(dos, name) == sample(name)


@pytest.mark.parametrize("name", FORMAT_OF)
def test_every_figure_taken_has_a_definition_of_its_own(name: str) -> None:
    found = {figure.name for sweep in sample(name).sweeps for cell in sweep.cells for figure in cell.figures}
    assert found <= FIGURES.keys() | FOREIGN.keys()
    assert not FIGURES.keys() & FOREIGN.keys()


@pytest.mark.parametrize("version", ["0.3.5", "0.4.0"])
def test_all_of_llama_benchys_metrics_come_over_with_every_value(version: str) -> None:
    name = f"llama-benchy-{version}.json"
    report = json.loads(raw(name))
    imported = sample(name)
    assert imported.sweeps[0].fingerprint.calculator == f"benchy-{version}"
    assert imported.sweeps[0].latency_us == pytest.approx(1000 * report["latency_ms"])
    for benchmark, cell in zip(report["benchmarks"], imported.sweeps[0].cells, strict=True):
        assert (cell.concurrency, cell.pp, cell.tg, cell.depth) == (benchmark["concurrency"], 256, 64, 0)
        assert cell.runs == 2
        for field, (figure, per) in BENCHY_FIGURES.items():
            known = figures(cell)[figure]
            assert (known.mean, known.std, list(known.values)) == tuple(
                benchmark[field][key] for key in ("mean", "std", "values")
            )
            assert (known.per, known.n) == (per, 2 * cell.concurrency if per == "request" else 2)


@pytest.mark.parametrize("version", ["0.3.5", "0.4.0"])
def test_llama_benchys_csv_gives_the_means_it_holds_and_no_version(version: str) -> None:
    name = f"llama-benchy-{version}.csv"
    rows = {row["test_name"]: row for row in csv.DictReader(StringIO(raw(name).decode()))}
    imported = sample(name)
    assert imported.sweeps[0].fingerprint.calculator is None
    four = cells(imported)[4]
    assert (four.pp, four.tg, four.runs) == (256, 64, 0)
    assert figures(four)["decode_tps"].mean == float(rows["tg64 (c4)"]["t_s_mean"])
    assert figures(four)["ttft_ms"].std == float(rows["pp256 (c4)"]["e2e_ttft_std"])
    assert len(four.figures) == len(BENCHY_FIGURES)
    told = read(raw(name), name, version=version)
    assert told.sweeps[0].fingerprint.calculator == f"benchy-{version}"


def test_a_row_of_generation_without_one_of_prompt_processing_leaves_the_prompts_length_unknown() -> None:
    head, _, decode, *_ = raw("llama-benchy-0.3.5.csv").decode().splitlines()
    (cell,) = read(f"{head}\n{decode}\n".encode(), "x.csv").sweeps[0].cells
    assert (cell.pp, cell.tg) == (0, 64)
    assert {"prefill_tps", "ttft_ms"}.isdisjoint(figures(cell))


def test_the_progress_stream_comes_back_as_waves_that_agree_with_what_llama_benchy_made_of_them() -> None:
    imported = sample("llama-benchy-0.4.0-progress.jsonl")
    theirs = cells(sample("llama-benchy-0.4.0.json"))
    for level, cell in cells(imported).items():
        assert [len(wave.record.requests) for wave in cell.waves] == [level, level]
        ours = cell_figures([wave.record for wave in cell.waves])
        assert ours.errors == 0
        assert ours.prompt_tokens == 2 * level * 256
        known = figures(theirs[level])
        assert ours.mean("ttft_ms") == pytest.approx(known["ttft_ms"].mean, rel=0.02)
        assert ours.mean("ttfr_ms") == pytest.approx(known["ttfr_ms"].mean, rel=0.02)
        assert ours.mean("decode_tps") == pytest.approx(known["decode_tps"].mean, rel=0.05)
    assert imported.state == "done"


def test_a_progress_stream_cut_between_two_lines_keeps_its_complete_waves_and_says_so() -> None:
    lines = raw("llama-benchy-0.4.0-progress.jsonl").splitlines()
    cut = read(b"\n".join(lines[:400]), "cut.jsonl")
    assert (cut.state, cut.detail) == ("partial", "the run ended as cut off")
    assert cut.origin.sources[0].left_out
    with pytest.raises(ImportFileError, match="no complete wave"):
        read(b"\n".join(lines[:20]), "cut.jsonl")


def test_vllm_bench_gives_output_throughput_its_own_name_and_its_ttft_is_to_the_first_response() -> None:
    result = json.loads(raw("vllm-bench-0.32.json"))
    imported = sample("vllm-bench-0.32.json")
    (cell,) = imported.sweeps[0].cells
    assert (cell.concurrency, cell.pp, cell.tg, cell.shape) == (8, 138, 64, "pool")
    known = figures(cell)
    assert known["output_tps"].mean == result["output_throughput"]
    assert known["ttfr_ms"].mean == pytest.approx(result["mean_ttft_ms"])
    assert known["ttfr_ms"].n == 32
    assert {"decode_tps", "ttft_ms", "tpot_ms", "e2e_ms"}.isdisjoint(known)
    assert imported.sweeps[0].fingerprint.calculator == "vllm-bench"


def test_vllm_bench_at_a_rate_of_requests_has_no_concurrency_to_compare() -> None:
    result = json.loads(raw("vllm-bench-0.32.json")) | {"request_rate": 4.0}
    with pytest.raises(ImportFileError, match="no concurrency to compare"):
        read(json.dumps(result).encode(), "x.json")


def test_several_vllm_results_in_one_file_are_told_apart_by_their_labels() -> None:
    one = json.loads(raw("vllm-bench-0.32.json"))
    lines = [one | {"label": label, "max_concurrency": level} for label in ("solo", "tp2") for level in (4, 8)]
    imported = read("\n".join(map(json.dumps, lines)).encode(), "x.json")
    assert [sweep.topology for sweep in imported.sweeps] == ["solo", "tp2"]
    assert set(cells(imported, "tp2")) == {4, 8}


def test_vllm_requests_that_failed_keep_a_cell_from_winning() -> None:
    result = json.loads(raw("vllm-bench-0.32.json")) | {"failed": 3, "completed": 29}
    (cell,) = read(json.dumps(result).encode(), "x.json").sweeps[0].cells
    assert cell.taint == "3 of 32 requests failed"
    assert figures(cell)["ttfr_ms"].values == ()


def test_guidellm_gives_each_level_with_its_requests() -> None:
    report = json.loads(raw("guidellm-0.8.1.json"))
    imported = sample("guidellm-0.8.1.json")
    assert imported.sweeps[0].fingerprint.calculator == "guidellm-0.8.1"
    assert set(cells(imported)) == {1, 4}
    for benchmark, cell in zip(report["benchmarks"], imported.sweeps[0].cells, strict=True):
        assert (cell.pp, cell.tg, cell.shape) == (64, 16, "pool")
        requests = benchmark["requests"]["successful"]
        assert figures(cell)["ttft_ms"].values == tuple(request["time_to_first_token_ms"] for request in requests)
        rate = 16 * len(requests) / benchmark["duration"]
        assert figures(cell)["output_tps"].mean == pytest.approx(rate, rel=1e-3)
        assert {"decode_tps", "tpot_ms"}.isdisjoint(figures(cell))


def test_guidellm_at_a_rate_of_requests_is_refused_by_name() -> None:
    name = "guidellm-0.8.1-constant.json"
    with pytest.raises(ImportFileError, match="constant"):
        read(raw(name), name)


@pytest.mark.parametrize("level", [1, 4])
def test_aiperf_gives_its_level_and_lengths_as_asked(level: int) -> None:
    name = f"aiperf-0.13.0-c{level}.json"
    report = json.loads(raw(name))
    imported = sample(name)
    (cell,) = imported.sweeps[0].cells
    assert (cell.concurrency, cell.pp, cell.tg) == (level, 64, 16)
    assert figures(cell)["ttft_ms"].mean == report["time_to_first_token"]["avg"]
    assert figures(cell)["e2e_ms"].std == report["request_latency"]["std"]
    assert figures(cell)["output_tps"].mean == report["output_token_throughput"]["avg"]
    assert imported.sweeps[0].fingerprint.calculator == "aiperf-0.13.0"


def test_aiperf_in_another_unit_is_refused() -> None:
    report = json.loads(raw("aiperf-0.13.0-c4.json"))
    report["time_to_first_token"]["unit"] = "sec"
    with pytest.raises(ImportFileError, match="time_to_first_token is in 'sec', expected 'ms'"):
        read(json.dumps(report).encode(), "x.json")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("aiperf-0.13.0.csv", "profile_export_aiperf.json"),
        ("aiperf-0.13.0-requests.jsonl", "profile_export_aiperf.json"),
        ("guidellm-0.8.1.csv", "its JSON"),
        ("llama-benchy-0.3.5.md", "JSON or CSV"),
    ],
)
def test_a_tools_other_files_are_named_with_the_one_to_import(name: str, hint: str) -> None:
    with pytest.raises(ImportFileError, match="not a format that can be imported") as refused:
        read(raw(name), name)
    assert hint in refused.value.hint


def test_values_agree_with_their_mean() -> None:
    for name in FORMAT_OF:
        for sweep in sample(name).sweeps:
            for cell in sweep.cells:
                for figure in cell.figures:
                    assert math.isfinite(figure.mean)
                    if figure.values:
                        assert fmean(figure.values) == pytest.approx(figure.mean)


def test_every_file_says_what_it_cannot_tell() -> None:
    for name in FORMAT_OF:
        (source,) = sample(name).origin.sources
        assert source.cannot_know
        assert (source.file, source.format) == (name, FORMAT_OF[name])


def test_an_older_aiperfs_ttft_is_left_out_and_named_because_it_may_end_before_any_content() -> None:
    report = json.loads(raw("aiperf-0.13.0-c4.json")) | {"aiperf_version": "0.12.1"}
    imported = read(json.dumps(report).encode(), "x.json")
    assert "ttft_ms" not in figures(imported.sweeps[0].cells[0])
    assert imported.origin.sources[0].left_out
