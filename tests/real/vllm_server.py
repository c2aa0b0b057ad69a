"""One real vLLM: how it is started, and its own counters."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import wait_until

from .environment import Environment
from .server_process import free_port, serving

MODEL = "tiny"
ENGINE_ENV = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    # One core for the engine: on a machine with two, the other is left to those who measure it.
    "VLLM_CPU_OMP_THREADS_BIND": str(min(os.sched_getaffinity(0))),
}


@dataclass(frozen=True, slots=True)
class Counters:
    """What the engine has counted since it started."""

    generation_tokens: int
    prompt_tokens: int
    prefix_hits: int
    requests: int

    def since(self, before: Counters) -> Counters:
        """Return what was added after an earlier reading."""
        return Counters(
            generation_tokens=self.generation_tokens - before.generation_tokens,
            prompt_tokens=self.prompt_tokens - before.prompt_tokens,
            prefix_hits=self.prefix_hits - before.prefix_hits,
            requests=self.requests - before.requests,
        )


@dataclass(frozen=True, slots=True)
class VllmServer:
    """A vLLM that answers."""

    url: str
    log: Path

    def counters(self) -> Counters:
        """Return the engine's counters, once nothing is running any more."""
        pages: list[dict[str, float]] = []

        def settled() -> bool:
            pages.append(self._page())
            return pages[-1]["vllm:num_requests_running"] == 0 and len(pages) > 1 and pages[-1] == pages[-2]

        assert wait_until(settled, timeout_s=10.0, every_s=0.3), f"the engine does not come to rest: {pages[-1]}"
        page = pages[-1]
        return Counters(
            generation_tokens=int(page["vllm:generation_tokens_total"]),
            prompt_tokens=int(page["vllm:prompt_tokens_total"]),
            prefix_hits=int(page["vllm:prefix_cache_hits_total"]),
            requests=int(page["vllm:request_success_total"]),
        )

    def _page(self) -> dict[str, float]:
        """Return the vllm:* series of /metrics, each summed over its labels."""
        text = httpx.get(f"{self.url}/metrics", timeout=10.0, trust_env=False).raise_for_status().text
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name.startswith("vllm:"):
                    sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums


@contextmanager
def running_vllm(environment: Environment, log: Path) -> Iterator[VllmServer]:
    """Start vLLM, wait until it is healthy, and stop it at the end; fail where anything of it is left then."""
    port = free_port()
    argv = [str(environment.vllm), "serve", str(environment.model), "--load-format", "dummy"]
    argv += ["--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--max-model-len", "4096", "--enforce-eager"]
    with serving(argv, ENGINE_ENV, port, log) as url:
        yield VllmServer(url, log)
