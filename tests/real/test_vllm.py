"""What sparktui says it measured, held against what a real vLLM says it did."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import pytest

from tests.waiting import wait_until

from .bench_run import Finished, Row, cells, query, requests, sparktui, tokens_per_event
from .processes import describe, marked
from .vllm_server import MODEL, Counters, VllmServer

pytestmark = [pytest.mark.real, pytest.mark.timeout(3600)]

LEVELS = (1, 2, 4, 8)
PROMPT_TOKENS = 256
ANSWER_TOKENS = 64
RUNS = 3


@dataclass(frozen=True, slots=True)
class Bench:
    """One `sparktui bench`, and what the engine counted meanwhile."""

    run: Finished
    counted: Counters

    @property
    def home(self) -> Path:
        """The data folder it wrote."""
        return self.run.home


@pytest.fixture(scope="module")
def bench(vllm: VllmServer, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One run at every level, shared by the tests below."""
    before = vllm.counters()
    workload = ["--concurrency", ",".join(map(str, LEVELS)), "--pp", str(PROMPT_TOKENS), "--tg", str(ANSWER_TOKENS)]
    home = tmp_path_factory.mktemp("home")
    run = sparktui(home, "bench", vllm.url, "--model", MODEL, *workload, "--runs", str(RUNS), "--json")
    assert run.code == 0, run.account
    return Bench(run, vllm.counters().since(before))


def test_every_level_is_measured_as_often_as_asked_with_all_its_requests(bench: Bench) -> None:
    assert [(cell["concurrency"], cell["state"]) for cell in cells(bench.home)] == [(n, "done") for n in LEVELS]
    measured = Counter((r["concurrency"], r["wave_seq"]) for r in requests(bench.home) if not r["warmup"])
    assert sorted(measured.values()) == sorted(n for n in LEVELS for _ in range(RUNS))


def test_each_request_has_exactly_the_prompt_and_the_answer_asked_for(bench: Bench) -> None:
    seen = {(r["error"], r["finish"], r["prompt_tokens"], r["completion_tokens"]) for r in requests(bench.home)}
    assert seen == {(None, "length", PROMPT_TOKENS, ANSWER_TOKENS)}


def test_tokens_counted_event_by_event_add_up_to_usage(bench: Bench) -> None:
    sent = requests(bench.home)
    assert {r["token_source"] for r in sent} == {"token_ids"}
    assert {(sum(tokens_per_event(r)), r["completion_tokens"]) for r in sent} == {(ANSWER_TOKENS, ANSWER_TOKENS)}


def test_each_cell_counts_the_tokens_the_engine_says_it_generated(bench: Bench) -> None:
    for cell in cells(bench.home):
        assert cell["server_tokens"] == cell["client_tokens"], f"c={cell['concurrency']}"
        assert cell["server_prompt_tokens"] == cell["client_prompt_tokens"], f"c={cell['concurrency']}"


def test_the_engine_generated_nothing_else_but_probes_of_a_token_or_two(bench: Bench) -> None:
    sent = requests(bench.home)
    probes = bench.counted.requests - len(sent)
    assert 0 <= probes <= 3 + len(LEVELS)
    assert probes <= bench.counted.generation_tokens - sum(r["completion_tokens"] for r in sent) <= 2 * probes


def test_no_prompt_is_served_from_the_prefix_cache(bench: Bench) -> None:
    assert bench.counted.prefix_hits == 0
    assert {r["cached_tokens"] for r in requests(bench.home)} <= {None, 0}


def test_arrivals_are_stamped_by_the_kernel_and_in_order(bench: Bench) -> None:
    sent = requests(bench.home)
    assert {r["clock"] for r in sent} == {"kernel"}
    assert all(0 < r["ttft_us"] < r["last_us"] <= r["ended_us"] for r in sent)


def test_bench_json_prints_one_json_document_and_nothing_else(bench: Bench) -> None:
    document = json.loads(bench.run.stdout)
    assert document
    assert "SIMULATED" not in bench.run.stdout


def test_the_store_says_that_it_was_measured(bench: Bench) -> None:
    (campaign,) = query(bench.home, "SELECT source, state, exit_code FROM campaign")
    assert campaign == {"source": "measured", "state": "done", "exit_code": 0}


def test_the_csv_holds_what_the_store_holds(bench: Bench) -> None:
    export = sparktui(bench.home, "export", "last", "--format", "csv")
    assert export.code == 0, export.account
    rows = list(csv.DictReader(io.StringIO(export.stdout)))
    assert {(row["source"], row["state"], row["errors"], row["clock"]) for row in rows} == {
        ("measured", "done", "0", "kernel")
    }
    means = {(int(row["concurrency"]), row["metric"]): float(row["mean"]) for row in rows}
    assert len(means) == len(rows)
    for concurrency in LEVELS:
        for metric, mean in figures_from_the_store(bench.home, concurrency).items():
            assert means[concurrency, metric] == pytest.approx(mean, rel=1e-9), f"c={concurrency} {metric}"


def figures_from_the_store(home: Path, concurrency: int) -> dict[str, float]:
    """Return some means over the measured waves of a level, worked out from the store's rows and nothing else."""
    waves: dict[int, list[Row]] = {}
    for request in requests(home):
        if request["concurrency"] == concurrency and not request["warmup"]:
            waves.setdefault(request["wave_seq"], []).append(request)
    return {
        "ttft_ms": fmean(fmean(r["ttft_us"] for r in wave) / 1e3 for wave in waves.values()),
        "e2e_ms": fmean(fmean(r["last_us"] for r in wave) / 1e3 for wave in waves.values()),
        "decode_tps": fmean(_decode_tps(wave) for wave in waves.values()),
        "prefill_tps": fmean(_prefill_tps(wave) for wave in waves.values()),
    }


def _decode_tps(wave: list[Row]) -> float:
    tokens: int = sum(r["completion_tokens"] - r["first_tokens"] for r in wave)
    first_us: int = min(r["sent_us"] + r["ttft_us"] for r in wave)
    last_us: int = max(r["sent_us"] + r["last_us"] for r in wave)
    return tokens * 1e6 / (last_us - first_us)


def _prefill_tps(wave: list[Row]) -> float:
    tokens: int = sum(r["prompt_tokens"] for r in wave)
    start_us: int = min(r["sent_us"] for r in wave)
    end_us: int = max(r["sent_us"] + r["ttft_us"] for r in wave)
    return tokens * 1e6 / (end_us - start_us)


def test_bench_leaves_no_process_behind(bench: Bench) -> None:
    gone = wait_until(lambda: not marked(bench.run.mark), timeout_s=5.0)
    assert gone, f"still running after bench has ended:\n{describe(marked(bench.run.mark))}"


def test_a_model_the_server_does_not_have_is_refused_with_the_models_it_has(vllm: VllmServer, tmp_path: Path) -> None:
    run = sparktui(tmp_path, "bench", vllm.url, "--model", "no-such-model", "--concurrency", "1", "--runs", "1")
    assert run.code in {2, 3}, run.account
    assert run.stdout == ""
    assert "no-such-model" in run.stderr
    assert MODEL in run.stderr.replace("no-such-model", "")
    assert "Traceback" not in run.stderr
