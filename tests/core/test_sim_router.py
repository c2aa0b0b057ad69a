"""The simulated simple-shuffle router: what it adds, what it names, and that it changes nothing it passes on."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import pairwise

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.sim_engine import MODEL, free_port, sim_engine, started, wait_healthy

TIMEOUT_S = 20.0
BODY = {"model": MODEL, "prompt": "one two", "max_tokens": 4}


@contextmanager
def router(backends: dict[str, str]) -> Iterator[str]:
    port = str(free_port())
    argv = [sys.executable, "-m", "sparktui.sim.router", "--port", port, "--model", MODEL, "--added-ms", "5"]
    for name, url in backends.items():
        argv += ["--backend", f"{name}={url}"]
    with started(argv) as process:
        wait_healthy(f"http://127.0.0.1:{port}/health/liveliness", process)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    state_dir = tmp_path_factory.mktemp("shuffle")
    with sim_engine(state_dir, node="gf1") as one, sim_engine(state_dir, node="gf2") as two:
        yield {"gf1": one.url, "gf2": two.url}


@pytest.fixture(scope="module")
def router_url(replicas: dict[str, str]) -> Iterator[str]:
    with router(replicas) as url:
        yield url


async def succeeded(url: str) -> int:
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as direct:
        page = (await direct.get(f"{url}/metrics")).text
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "vllm:request_success_total" and sample.labels["finished_reason"] == "length"
    )


@pytest.fixture
async def client(router_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=router_url, timeout=TIMEOUT_S) as client:
        yield client


async def test_requests_are_split_at_random_and_the_headers_say_who_answered(
    client: httpx.AsyncClient, replicas: dict[str, str]
) -> None:
    before = {node: await succeeded(url) for node, url in replicas.items()}
    answers = [await client.post("/v1/completions", json=BODY) for _ in range(40)]
    ids = [answer.headers["x-litellm-model-id"] for answer in answers]
    split = Counter(ids)
    assert set(split) == {"gf1", "gf2"}
    assert min(split.values()) >= 8
    assert any(one == other for one, other in pairwise(ids)), "in turn, not at random"
    bases = {answer.headers["x-litellm-model-api-base"] for answer in answers}
    assert bases == {f"{url}/v1" for url in replicas.values()}
    assert {node: await succeeded(url) - before[node] for node, url in replicas.items()} == split


async def test_the_same_seed_picks_the_same_backends(replicas: dict[str, str]) -> None:
    picks = []
    for _ in range(2):
        with router(replicas) as url:
            async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as client:
                answers = [await client.post("/v1/completions", json=BODY) for _ in range(12)]
        picks.append([answer.headers["x-litellm-model-id"] for answer in answers])
    assert picks[0] == picks[1]


async def test_a_stream_passes_through_unchanged_and_as_it_comes(client: httpx.AsyncClient) -> None:
    options = {"include_usage": True}
    body = BODY | {"max_tokens": 200, "ignore_eos": True, "stream": True, "stream_options": options}
    async with client.stream("POST", "/v1/completions", json=body) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        pieces = [piece async for piece in response.aiter_raw()]
    lines = [line for line in b"".join(pieces).split(b"\n\n") if line]
    assert lines[-1] == b"data: [DONE]"
    events = [json.loads(line.removeprefix(b"data: ")) for line in lines[:-1]]
    assert events[-1]["usage"]["completion_tokens"] == 200
    assert len(pieces) > 2  # not gathered into one; how many share a read is up to the machine


async def test_errors_of_a_backend_pass_through(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/completions", json=BODY | {"max_tokens": -1})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "BadRequestError"


async def test_a_client_that_leaves_frees_the_backends_slot(
    client: httpx.AsyncClient, replicas: dict[str, str]
) -> None:
    body = BODY | {"max_tokens": 100_000, "ignore_eos": True, "stream": True}
    async with client.stream("POST", "/v1/completions", json=body) as response:
        url = replicas[response.headers["x-litellm-model-id"]]
        await anext(response.aiter_raw())
    idle = f'num_requests_running{{engine="0",model_name="{MODEL}"}} 0.0'
    async with asyncio.timeout(TIMEOUT_S), httpx.AsyncClient(timeout=TIMEOUT_S) as direct:
        while idle not in (await direct.get(f"{url}/metrics")).text:
            continue


async def test_it_has_no_tokenizer_and_no_metrics_as_litellm_has_none(client: httpx.AsyncClient) -> None:
    assert (await client.post("/tokenize", json={"prompt": "x"})).status_code == 404
    assert (await client.get("/metrics")).status_code == 404


async def test_it_lists_its_model_and_says_simulated(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/models")
    assert [model["id"] for model in answer.json()["data"]] == [MODEL]
    assert answer.json()["data"][0]["owned_by"] == "sparktui (SIMULATED)"
    assert answer.headers["x-sparktui-simulated"] == "1"


async def test_a_backend_that_is_down_is_named_and_its_requests_fail_with_500(replicas: dict[str, str]) -> None:
    down = f"http://127.0.0.1:{free_port()}"
    with router({"gf1": replicas["gf1"], "gf2": down}) as url:
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as client:
            health = (await client.get("/health")).json()
            answers = [await client.post("/v1/completions", json=BODY) for _ in range(20)]
    assert [one["api_base"] for one in health["unhealthy_endpoints"]] == [f"{down}/v1"]
    assert health["healthy_count"] == 1
    statuses = {answer.headers["x-litellm-model-id"]: answer.status_code for answer in answers}
    assert statuses == {"gf1": 200, "gf2": 500}
    failed = next(answer for answer in answers if answer.status_code == 500)
    assert "cannot connect" in failed.json()["error"]["message"]
