from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from sparktui.errors import StoreError, UsageError
from sparktui.paths import data_dir
from sparktui.serving.api import Access, EngineApi, ServedModel, require_model
from sparktui.serving.ready import wait_ready


async def alive() -> str | None:
    return None


@pytest.mark.parametrize("key", ["ключ", "two words", "line\nbreak"])
async def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(key: str) -> None:
    async with httpx.AsyncClient() as client:
        with pytest.raises(UsageError) as raised:
            EngineApi("http://127.0.0.1:1", client, key)
    assert key not in raised.value.message


async def test_the_first_completion_goes_through_the_api_that_is_measured() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path == "/v1/chat/completions":
            return httpx.Response(400, json={"error": "no chat template"})
        return httpx.Response(200, json={"data": [{"id": "base"}]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        server = EngineApi("http://gf1:8000", client)
        engine = await wait_ready([server], "base", dead=alive, timeout_s=5, api="completions")
    assert engine.model.id == "base"
    assert "/v1/completions" in asked


async def test_a_routers_key_is_not_given_to_the_engines_behind_it() -> None:
    keys: dict[str, str | None] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        keys[request.url.host] = request.headers.get("authorization")
        return httpx.Response(200, json={"data": [{"id": "m"}]})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        access = Access(client, "http://router:4000", "sk-x")
        for url in ("http://gf1:8000", "http://router:4000"):
            await access.api(url).models()
    assert keys == {"gf1": None, "router": "Bearer sk-x"}


async def test_latency_is_the_mean_of_three_answers_about_the_models_whatever_they_say() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if len(asked) == 2:
            raise httpx.ReadTimeout("too slow")
        return httpx.Response(404)

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        latency_us = await EngineApi("http://gf1:8000", client).latency_us()
    assert latency_us is not None
    assert latency_us > 0
    assert asked == ["/v1/models"] * 3


async def test_the_latency_of_a_server_that_does_not_answer_is_unknown() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        assert await EngineApi("http://gf1:8000", client).latency_us() is None


def test_a_data_folder_of_nobody_is_said_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", "~no-such-user/x")
    with pytest.raises(StoreError, match="no home folder"):
        data_dir()


def test_a_data_folder_is_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPARKTUI_HOME", "here")
    assert data_dir() == tmp_path / "here"


def test_a_server_that_lists_nothing_is_asked_for_the_model_it_was_said_to_have() -> None:
    """One that serves a model by its path may list only what is in its cache."""
    assert require_model((), "/models/x", "http://gf1") == ServedModel("/models/x")
    with pytest.raises(UsageError, match="serves a, b"):
        require_model((ServedModel("a"), ServedModel("b")), "c", "http://gf1")
