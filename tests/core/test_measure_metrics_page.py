from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.errors import EngineError
from sparktui.measure.metrics_page import NAMES, parse_metrics
from sparktui.measure.server_figures import ServerFigures

VLLM = (Path(__file__).parent / "data" / "vllm-0.32-metrics.txt").read_text()


def test_a_real_vllm_page_under_64_requests() -> None:
    figures = parse_metrics(VLLM)
    assert figures == ServerFigures(
        running=64.0,
        waiting=0.0,
        kv_pct=pytest.approx(0.781297686626381),  # type: ignore[arg-type]
        prompt_tokens=9497.0,
        generation_tokens=4683.0,
        preemptions=0.0,
        prefix_queries=9497.0,
        prefix_hits=0.0,
    )


def test_engines_behind_one_server_are_summed_and_their_caches_averaged() -> None:
    page = "\n".join(
        f'vllm:{name}{{engine="{engine}",model_name="m, \\"x\\""}} {value}'
        for engine, running, kv in (("0", 3, 0.5), ("1", 4, 0.1))
        for name, value in (("num_requests_running", running), ("kv_cache_usage_perc", kv))
    )
    figures = parse_metrics(page)
    assert figures.running == 7
    assert figures.kv_pct == pytest.approx(30.0)
    assert figures.waiting is None


@pytest.mark.parametrize(("first", "second"), [("1.7e308", "1.7e308"), ("1e300", "5"), ("-3", "5")])
def test_what_no_counter_can_say_is_unknown(first: str, second: str) -> None:
    counters = f'vllm:prompt_tokens_total{{engine="0"}} {first}\nvllm:prompt_tokens_total{{engine="1"}} {second}'
    figures = parse_metrics(f"{counters}\nvllm:num_requests_running 3")
    assert (figures.prompt_tokens, figures.running) == (None, 3)


def test_an_sglang_page_without_the_copies_of_further_ranks() -> None:
    page = """# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{model_name="m",tp_rank="0"} 5.0
sglang:num_running_reqs{model_name="m",tp_rank="1"} 5.0
sglang:num_queue_reqs{model_name="m"} 2.0
sglang:token_usage{model_name="m"} 0.28
sglang:prompt_tokens_total{model_name="m"} 1000.0
sglang:generation_tokens_total{model_name="m"} 500.0
sglang:cached_tokens_total{model_name="m",cache_source="device"} 30.0
sglang:cached_tokens_total{model_name="m",cache_source="host"} 12.0
sglang:num_retracted_requests_total{model_name="m",priority=""} 3.0
sglang:num_retracted_requests_total{model_name="m",priority="1"} 2.0
sglang:num_retracted_reqs{model_name="m"} 7.0
"""
    figures = parse_metrics(page)
    assert (figures.running, figures.waiting) == (5.0, 2.0)
    assert figures.kv_pct == pytest.approx(28.0)
    assert (figures.prompt_tokens, figures.generation_tokens) == (1000.0, 500.0)
    assert (figures.prefix_queries, figures.prefix_hits) == (1000.0, 42.0)
    assert figures.preemptions == 3.0


def test_the_names_of_older_vllms_are_known_too() -> None:
    page = """vllm:gpu_cache_usage_perc{model_name="m"} 0.5
vllm:gpu_prefix_cache_queries_total{model_name="m"} 10.0
vllm:gpu_prefix_cache_hits_total{model_name="m"} 4.0
"""
    figures = parse_metrics(page)
    assert (figures.kv_pct, figures.prefix_queries, figures.prefix_hits) == (50.0, 10.0, 4.0)


def test_a_llama_cpp_page() -> None:
    page = """# HELP llamacpp:prompt_tokens_total Number of prompt tokens processed.
# TYPE llamacpp:prompt_tokens_total counter
llamacpp:prompt_tokens_total 77
llamacpp:tokens_predicted_total 33
llamacpp:requests_processing 1
llamacpp:requests_deferred 0
"""
    figures = parse_metrics(page)
    assert (figures.prompt_tokens, figures.generation_tokens, figures.running, figures.waiting) == (77, 33, 1, 0)
    assert figures.prefix_queries is None


def test_not_a_number_is_unknown() -> None:
    figures = parse_metrics("vllm:num_requests_running NaN\nvllm:num_requests_waiting 1\n")
    assert (figures.running, figures.waiting) == (None, 1.0)


@pytest.mark.parametrize(
    "page", ["", "<html>no</html>", "python_info 1\n", "vllm:num_requests_running\n", "x" * 9_000_000]
)
def test_a_page_without_figures_is_an_engine_error(page: str) -> None:
    with pytest.raises(EngineError):
        parse_metrics(page)


@given(st.sampled_from(sorted(NAMES)), st.text(max_size=60))
def test_a_broken_line_is_an_engine_error_or_read_never_anything_else(name: str, rest: str) -> None:
    for page in (name + rest, f"{name}{{{rest}}} 1", f'{name}{{a="{rest}"}} 1'):
        with suppress(EngineError):
            parse_metrics(page)
