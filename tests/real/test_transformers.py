"""A real server that is not vLLM: it counts tokens once, at the end, and refuses what only vLLM knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .bench_run import Finished, cells, query, requests, sparktui
from .environment import Environment
from .transformers_server import MODEL, running_transformers

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

LEVELS = (1, 2)
PROMPT_TOKENS = 64
ANSWER_TOKENS = 16


@pytest.fixture(scope="module")
def bench(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """One run at every level, shared by the tests below."""
    folder: Path = tmp_path_factory.mktemp("transformers")
    with running_transformers(environment, folder) as url:
        workload = ["--pp", str(PROMPT_TOKENS), "--tg", str(ANSWER_TOKENS), "--runs", "2"]
        levels = ",".join(map(str, LEVELS))
        run = sparktui(folder / "home", "bench", url, "--model", MODEL, "--concurrency", levels, *workload, "--json")
        assert run.code == 0, run.account
        yield run


def test_every_level_is_measured_without_an_error(bench: Finished) -> None:
    assert [(cell["concurrency"], cell["state"]) for cell in cells(bench.home)] == [(n, "done") for n in LEVELS]
    assert {r["error"] for r in requests(bench.home)} == {None}


def test_tokens_are_those_of_the_usage_on_the_finish_chunk(bench: Finished) -> None:
    seen = {(r["token_source"], r["finish"], r["completion_tokens"]) for r in requests(bench.home)}
    assert seen == {("usage", "length", ANSWER_TOKENS)}


def test_prompts_have_the_length_asked_for_though_the_server_has_no_tokenize(bench: Finished) -> None:
    assert {r["prompt_tokens"] for r in requests(bench.home)} == {PROMPT_TOKENS}


def test_what_the_server_refused_to_be_asked_is_told(bench: Finished) -> None:
    warnings = " ".join(row["text"] for row in query(bench.home, "SELECT text FROM event WHERE level = 'warning'"))
    assert "ignore_eos" in warnings
    assert "return_token_ids" in warnings
