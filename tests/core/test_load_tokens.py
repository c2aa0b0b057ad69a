from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from sparktui.errors import EngineError
from sparktui.load.prompts import PromptSet
from sparktui.load.request import Prompt
from sparktui.load.tokens import find_counter
from tests.sim_engine import SimEngine

Answers = dict[str, Callable[[dict[str, object]], httpx.Response]]
URL = "http://gf1:8000/v1"


class Server:
    """Answers by path, and remembers what it was asked."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self.handle))

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.get(request.url.path)
        return answer(json.loads(request.content)) if answer else httpx.Response(404, json={"detail": "Not Found"})


def counts(n: int) -> Callable[[dict[str, object]], httpx.Response]:
    return lambda body: httpx.Response(200, json={"count": n, "tokens": [1] * n, "max_model_len": 4096})


def uses(n: int) -> Callable[[dict[str, object]], httpx.Response]:
    return lambda body: httpx.Response(200, json={"choices": [], "usage": {"prompt_tokens": n}})


async def test_tokenize_is_asked_at_the_root_with_the_template_and_the_key() -> None:
    server = Server({"/tokenize": counts(17)})
    counter = await find_counter(server.client, URL, "m", api="chat", key="sk-1")
    assert counter is not None
    assert counter.method == "tokenize"
    assert await counter.count(Prompt("hello", system="ctx")) == 17
    last = server.requests[-1]
    assert last.headers["authorization"] == "Bearer sk-1"
    assert json.loads(last.content) == {
        "model": "m",
        "messages": [{"role": "system", "content": "ctx"}, {"role": "user", "content": "hello"}],
        "add_generation_prompt": True,
    }


async def test_raw_prompts_are_counted_as_the_completions_api_sees_them() -> None:
    server = Server({"/tokenize": counts(5)})
    counter = await find_counter(server.client, URL, "m", api="completions")
    assert counter is not None
    assert json.loads(server.requests[-1].content) == {"model": "m", "prompt": "Note"}


@pytest.mark.parametrize(
    "tokenize",
    [
        lambda body: httpx.Response(404),
        lambda body: httpx.Response(405),
        lambda body: httpx.Response(501),
        lambda body: httpx.Response(422, json={"detail": "no messages"}),
        lambda body: httpx.Response(200, json={"tokens": []}),
        lambda body: httpx.Response(200, text="<html>"),
        lambda body: httpx.Response(200, json=[1, 2]),
    ],
)
async def test_without_a_usable_tokenize_the_count_comes_from_usage(
    tokenize: Callable[[dict[str, object]], httpx.Response],
) -> None:
    server = Server({"/tokenize": tokenize, "/v1/chat/completions": uses(23)})
    counter = await find_counter(server.client, URL, "m")
    assert counter is not None
    assert counter.method == "usage"
    assert await counter.count(Prompt("hello")) == 23
    body = json.loads(server.requests[-1].content)
    assert (body["max_tokens"], body.get("stream", False)) == (1, False)


async def test_a_server_that_counts_in_no_way_has_no_counter() -> None:
    assert await find_counter(Server({}).client, URL, "m") is None


async def test_a_refused_key_is_said_and_not_worked_around() -> None:
    server = Server({"/tokenize": lambda body: httpx.Response(401, json={"error": "bad key sk-secret"})})
    with pytest.raises(EngineError, match=r"401: bad key \*\*\*") as caught:
        await find_counter(server.client, URL, "m", key="sk-secret")
    assert "sk-secret" not in str(caught.value) + repr(caught.value)


async def test_a_server_that_is_not_there_is_said() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    client = httpx.AsyncClient(transport=httpx.MockTransport(refuse))
    with pytest.raises(EngineError, match="cannot be reached: Connection refused"):
        await find_counter(client, URL, "m")


async def test_prompts_for_the_embedded_engine_are_exact(shared_engine: SimEngine) -> None:
    async with httpx.AsyncClient() as client:
        counter = await find_counter(client, shared_engine.url, shared_engine.model)
        assert counter is not None
        prompts = PromptSet(3, counter, 256, 64)
        made = await prompts.wave(4, 0)
        assert prompts.exact
        assert {await counter.count(prompt) for prompt in made} == {320}
