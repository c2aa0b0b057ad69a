"""What an engine says about itself on its /metrics page, under one set of names for vLLM, SGLang and llama.cpp."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from sparktui.errors import EngineError
from sparktui.measure.server_figures import ServerFigures

MAX_PAGE_CHARACTERS = 8_000_000
MOST = 2**53
"""That a figure may come to: no counter gets there, a float counts no further, and the store holds sums of them."""

NAMES = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:kv_cache_usage_perc": "kv_pct",
    "vllm:gpu_cache_usage_perc": "kv_pct",
    "vllm:prompt_tokens_total": "prompt_tokens",
    "vllm:generation_tokens_total": "generation_tokens",
    "vllm:num_preemptions_total": "preemptions",
    "vllm:prefix_cache_queries_total": "prefix_queries",
    "vllm:prefix_cache_hits_total": "prefix_hits",
    "vllm:gpu_prefix_cache_queries_total": "prefix_queries",
    "vllm:gpu_prefix_cache_hits_total": "prefix_hits",
    "sglang:num_running_reqs": "running",
    "sglang:num_queue_reqs": "waiting",
    "sglang:token_usage": "kv_pct",
    "sglang:prompt_tokens_total": "prompt_tokens",
    "sglang:generation_tokens_total": "generation_tokens",
    "sglang:num_retracted_requests_total": "preemptions",
    "sglang:cached_tokens_total": "prefix_hits",
    "llamacpp:requests_processing": "running",
    "llamacpp:requests_deferred": "waiting",
    "llamacpp:kv_cache_usage_ratio": "kv_pct",
    "llamacpp:prompt_tokens_total": "prompt_tokens",
    "llamacpp:tokens_predicted_total": "generation_tokens",
}
"""Each engine's sample names; the `gpu_` ones are older vLLMs'."""


def parse_metrics(page: str) -> ServerFigures:
    """Read the figures of one server from its /metrics page.

    Raises:
        EngineError: The page is no Prometheus text, or holds none of the names known here.
    """
    if len(page) > MAX_PAGE_CHARACTERS:
        raise EngineError(f"the metrics page is {len(page)} characters long", "is this an engine's /metrics?")
    values: defaultdict[str, list[float]] = defaultdict(list)
    for sample in one_rank_each(_known_samples(page)):
        values[NAMES[sample.name]].append(float(sample.value))
    if not values:
        raise EngineError(
            "the metrics page holds no figures of vLLM, SGLang or llama.cpp",
            "SGLang needs --enable-metrics, llama.cpp --metrics",
        )
    return _figures(values)


def _known_samples(page: str) -> list[Sample]:
    """Parse only the lines wanted: an engine's page is mostly histogram buckets."""
    lines = [line for line in page.split("\n") if line.partition("{")[0].partition(" ")[0] in NAMES]
    try:
        families = text_string_to_metric_families("\n".join(lines) + "\n")
        return [sample for family in families for sample in family.samples if sample.name in NAMES]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise EngineError(f"the metrics page cannot be read: {error}", "is this an engine's /metrics?") from error


def one_rank_each(samples: Iterable[Sample]) -> Iterable[Sample]:
    """Leave out what is not a number, and what SGLang says twice: further ranks' copies, and parts by priority."""
    return (
        sample
        for sample in samples
        if math.isfinite(sample.value)
        and all(sample.labels.get(rank, "0") == "0" for rank in ("tp_rank", "pp_rank"))
        and not sample.labels.get("priority")
    )


def _figures(values: dict[str, list[float]]) -> ServerFigures:
    possible = {name: found for name, found in values.items() if min(found) >= 0 and sum(found) <= MOST}
    sums: dict[str, float | None] = {name: sum(found) for name, found in possible.items()}
    if fills := possible.get("kv_pct"):
        sums["kv_pct"] = 100 * sum(fills) / len(fills)
    if "prefix_hits" in sums:
        sums.setdefault("prefix_queries", sums.get("prompt_tokens"))
    return ServerFigures(**sums)
