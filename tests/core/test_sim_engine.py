"""The simulated engine over real HTTP: vLLM's shapes, exact counts, and SIMULATED on everything."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sparktui.sim.serve import listen
from sparktui.sim.text import CHAT_TEMPLATE_TOKENS, encode
from tests.sim_engine import MODEL, SimEngine, sim_engine

Json = dict[str, Any]
PROMPT = "Seven words, a comma and a stop."
TIMEOUT_S = 20.0


@pytest.fixture
async def client(shared_engine: SimEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=shared_engine.url, timeout=TIMEOUT_S) as client:
        yield client


def chat(**extra: object) -> Json:
    return {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 6, **extra}


def completion(**extra: object) -> Json:
    return {"model": MODEL, "prompt": PROMPT, "max_tokens": 6, **extra}


def events_of(body: str) -> list[Json]:
    lines = [line.removeprefix("data: ") for line in body.splitlines() if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


async def streamed(client: httpx.AsyncClient, path: str, body: Json) -> list[Json]:
    response = await client.post(path, json=body | {"stream": True})
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    return events_of(response.text)


async def metrics(client: httpx.AsyncClient) -> dict[str, float]:
    page = (await client.get("/metrics")).text
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            reason = sample.labels.get("finished_reason")
            if "le" not in sample.labels:
                assert sample.labels["model_name"] == MODEL
                assert sample.labels["engine"] == "0"
                found[sample.name + (f":{reason}" if reason else "")] = sample.value
    return found


async def counted_until(client: httpx.AsyncClient, name: str, value: float) -> dict[str, float]:
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            counts = await metrics(client)
            if counts[name] == value:
                return counts


async def test_a_chat_streams_its_role_then_tokens_then_usage_then_done(client: httpx.AsyncClient) -> None:
    events = await streamed(client, "/v1/chat/completions", chat(stream_options={"include_usage": True}))
    role, *tokens, last = events
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert {event["model"] for event in events} == {MODEL}
    text = "".join(event["choices"][0]["delta"]["content"] for event in tokens)
    assert len(encode(text)) == 6
    assert [event["choices"][0]["finish_reason"] for event in tokens][-1] == "length"
    assert last["choices"] == []
    prompt_tokens = len(encode(PROMPT)) + len(CHAT_TEMPLATE_TOKENS)
    assert last["usage"]["prompt_tokens"] == prompt_tokens == 9 + 7
    assert last["usage"]["completion_tokens"] == 6
    assert last["usage"]["total_tokens"] == prompt_tokens + 6


async def test_without_include_usage_there_is_no_usage_chunk(client: httpx.AsyncClient) -> None:
    events = await streamed(client, "/v1/chat/completions", chat())
    assert all(event["choices"] and "usage" not in event for event in events)


async def test_token_ids_come_with_every_chunk_when_asked_for(client: httpx.AsyncClient) -> None:
    role, *tokens = await streamed(client, "/v1/chat/completions", chat(return_token_ids=True))
    assert role["prompt_token_ids"] == [*CHAT_TEMPLATE_TOKENS, *encode(PROMPT)]
    ids = [token for event in tokens for token in event["choices"][0]["token_ids"]]
    assert ids == encode("".join(event["choices"][0]["delta"]["content"] for event in tokens))
    assert len(ids) == 6


async def test_token_ids_are_null_when_not_asked_for(client: httpx.AsyncClient) -> None:
    _, *tokens = await streamed(client, "/v1/chat/completions", chat())
    assert all(event["choices"][0]["token_ids"] is None for event in tokens)


async def test_continuous_usage_counts_up_to_the_total(client: httpx.AsyncClient) -> None:
    options = {"include_usage": True, "continuous_usage_stats": True}
    events = await streamed(client, "/v1/chat/completions", chat(stream_options=options, return_token_ids=True))
    counts = [event["usage"]["completion_tokens"] for event in events]
    tokens = [len(event["choices"][0].get("token_ids") or ()) for event in events[:-1]]
    assert counts == [*(sum(tokens[: i + 1]) for i in range(len(tokens))), 6]


async def test_a_completion_streams_text_without_a_role(client: httpx.AsyncClient) -> None:
    body = completion(stream_options={"include_usage": True}, return_token_ids=True)
    *events, last = await streamed(client, "/v1/completions", body)
    assert {event["object"] for event in events} == {"text_completion"}
    assert events[0]["choices"][0]["prompt_token_ids"] == encode(PROMPT)
    assert sum(len(event["choices"][0]["token_ids"]) for event in events) == 6
    assert last["usage"]["prompt_tokens"] == len(encode(PROMPT))


@pytest.mark.parametrize(("path", "body"), [("/v1/chat/completions", chat()), ("/v1/completions", completion())])
async def test_streamed_or_not_the_answer_is_the_same(client: httpx.AsyncClient, path: str, body: Json) -> None:
    whole = (await client.post(path, json=body)).json()
    choice = whole["choices"][0]
    events = await streamed(client, path, body)
    parts = [part.get("text", part.get("delta", {}).get("content")) for event in events for part in event["choices"]]
    assert "".join(parts) == choice.get("text", choice.get("message", {}).get("content"))
    assert whole["usage"]["completion_tokens"] == 6
    assert choice["finish_reason"] == "length"


async def test_a_prompt_may_be_token_ids(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/v1/completions", json=completion(prompt=[5, 6, 7]))).json()
    assert answer["usage"]["prompt_tokens"] == 3


async def test_an_answer_free_to_stop_does_so_and_min_tokens_or_ignore_eos_keep_it_going(
    client: httpx.AsyncClient,
) -> None:
    answers = []
    for extra in ({}, {"min_tokens": 1100}, {"ignore_eos": True}):
        body = completion(max_tokens=1100, **extra)
        answers.append((await client.post("/v1/completions", json=body)).json())
    assert [answer["choices"][0]["finish_reason"] for answer in answers] == ["stop", "length", "length"]
    assert answers[0]["usage"]["completion_tokens"] < 1100
    assert [answer["usage"]["completion_tokens"] for answer in answers[1:]] == [1100, 1100]


async def test_tokenize_counts_what_a_request_will_be_billed(client: httpx.AsyncClient) -> None:
    prompt = (await client.post("/tokenize", json={"model": MODEL, "prompt": PROMPT})).json()
    assert (prompt["count"], prompt["tokens"], prompt["token_strs"]) == (9, encode(PROMPT), None)
    messages = (await client.post("/tokenize", json={"messages": chat()["messages"]})).json()
    usage = (await client.post("/v1/chat/completions", json=chat())).json()["usage"]
    assert messages["count"] == len(messages["tokens"]) == usage["prompt_tokens"]
    models = (await client.get("/v1/models")).json()
    assert messages["max_model_len"] == models["data"][0]["max_model_len"] == 131_072


@pytest.mark.parametrize(
    ("path", "body", "status", "kind", "says"),
    [
        ("/v1/chat/completions", chat(model="another"), 404, "NotFoundError", "`another` does not exist"),
        ("/tokenize", {"model": "another", "prompt": "x"}, 404, "NotFoundError", "does not exist"),
        ("/v1/completions", completion(max_tokens=131_072), 400, "BadRequestError", "too large: 131072"),
        ("/v1/completions", completion(prompt=[1] * 131_072), 400, "BadRequestError", "maximum context length"),
        ("/v1/completions", completion(max_tokens=0), 400, "BadRequestError", "at least 1"),
        ("/v1/completions", completion(min_tokens=7), 400, "BadRequestError", "min_tokens"),
        ("/v1/completions", completion(prompt=""), 400, "BadRequestError", "empty"),
        ("/v1/completions", completion(n=2), 400, "BadRequestError", "n=1"),
        ("/v1/completions", completion(max_tokens="six"), 400, "BadRequestError", "max_tokens"),
        ("/v1/chat/completions", {"model": MODEL}, 400, "BadRequestError", "messages"),
        ("/tokenize", {"model": MODEL}, 400, "BadRequestError", "prompt"),
    ],
)
async def test_errors_have_openais_shape(
    client: httpx.AsyncClient, path: str, body: Json, status: int, kind: str, says: str
) -> None:
    response = await client.post(path, json=body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["type"]) == (status, status, kind)
    assert says in error["message"]


async def test_a_body_that_is_no_json_is_a_bad_request(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/completions", content=b"{")
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "BadRequestError"


async def test_the_counters_equal_what_was_streamed(client: httpx.AsyncClient) -> None:
    before = await metrics(client)
    options = {"include_usage": True}
    bodies = [completion(prompt=f"{i} {PROMPT}", max_tokens=40 + i, stream_options=options) for i in range(8)]
    streams = await asyncio.gather(*(streamed(client, "/v1/completions", body) for body in bodies))
    usages = [events[-1]["usage"] for events in streams]
    after = await metrics(client)
    delta = {name: value - before[name] for name, value in after.items()}
    generated = sum(usage["completion_tokens"] for usage in usages)
    assert generated == sum(40 + i for i in range(8))
    assert delta["vllm:generation_tokens_total"] == generated
    assert delta["vllm:prompt_tokens_total"] == sum(usage["prompt_tokens"] for usage in usages)
    assert delta["vllm:request_success_total:length"] == 8
    assert delta["vllm:time_to_first_token_seconds_count"] == 8
    assert delta["vllm:inter_token_latency_seconds_count"] == generated - 8
    assert after["vllm:num_requests_running"] == after["vllm:num_requests_waiting"] == 0
    assert after["vllm:kv_cache_usage_perc"] == 0
    assert after["vllm:num_preemptions_total"] == 0


async def test_a_repeated_prompt_hits_the_prefix_cache_and_usage_says_so(client: httpx.AsyncClient) -> None:
    body = completion(prompt=" ".join(f"w{i}" for i in range(100)))
    first = (await client.post("/v1/completions", json=body)).json()["usage"]
    before = await metrics(client)
    again = (await client.post("/v1/completions", json=body)).json()["usage"]
    after = await metrics(client)
    assert first["prompt_tokens_details"]["cached_tokens"] == 0
    assert again["prompt_tokens_details"]["cached_tokens"] == 96
    assert after["vllm:prefix_cache_hits_total"] - before["vllm:prefix_cache_hits_total"] == 96
    assert after["vllm:prefix_cache_queries_total"] - before["vllm:prefix_cache_queries_total"] == 100


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_goes_away_frees_its_slot(
    client: httpx.AsyncClient, shared_engine: SimEngine, stream: bool
) -> None:
    aborted = (await metrics(client))["vllm:request_success_total:abort"]
    body = json.dumps(completion(max_tokens=100_000, ignore_eos=True, stream=stream)).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", shared_engine.port)
    writer.write(head.encode() + body)
    await counted_until(client, "vllm:num_requests_running", 1)
    writer.close()
    counts = await counted_until(client, "vllm:num_requests_running", 0)
    assert counts["vllm:request_success_total:abort"] == aborted + 1
    assert counts["vllm:kv_cache_usage_perc"] == 0


async def test_everything_says_simulated(client: httpx.AsyncClient) -> None:
    paths = ("/health", "/version", "/v1/models", "/metrics", "/no-such-page")
    answers = [await client.get(path) for path in paths]
    answers += [await client.post("/v1/completions", json=completion(stream=stream)) for stream in (True, False)]
    assert {answer.headers["x-sparktui-simulated"] for answer in answers} == {"1"}
    assert answers[1].json()["version"].endswith("+simulated")
    assert answers[2].json()["data"][0]["owned_by"] == "sparktui (SIMULATED)"


def test_it_answers_503_until_loaded(tmp_path: Path) -> None:
    with sim_engine(tmp_path, load_seconds=60, wait_loaded=False) as engine:
        assert httpx.get(f"{engine.url}/health").status_code == 503
        refused = httpx.post(f"{engine.url}/v1/completions", json=completion())
        assert (refused.status_code, refused.json()["error"]["type"]) == (503, "ServiceUnavailableError")


def test_sigterm_ends_it_with_streams_open_quietly_and_with_code_0(tmp_path: Path) -> None:
    with sim_engine(tmp_path) as engine:
        body = completion(max_tokens=100_000, ignore_eos=True, stream=True)
        with httpx.stream("POST", f"{engine.url}/v1/completions", json=body, timeout=TIMEOUT_S) as response:
            next(response.iter_raw())
            engine.process.send_signal(signal.SIGTERM)
            _, said = engine.process.communicate(timeout=TIMEOUT_S)
        assert engine.process.returncode == 0
        lines = said.decode().splitlines()
        assert all("[SIMULATED]" in line for line in lines)
        assert "Application startup complete." in lines[-1]


async def test_connections_send_every_chunk_at_once() -> None:
    accepted: asyncio.Future[asyncio.BaseTransport] = asyncio.get_running_loop().create_future()

    class Taker(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted.set_result(transport)

    listener = listen("127.0.0.1", 0)
    server = await asyncio.get_running_loop().create_server(Taker, sock=listener)
    _, writer = await asyncio.open_connection(*listener.getsockname())
    transport = await accepted
    assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    transport.close()
    writer.close()
    server.close()
    await writer.wait_closed()
