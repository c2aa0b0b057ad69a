"""What engines, routers and models say beside the timed streams, whatever it is: read, or refused by a typed error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.errors import SparktuiError
from sparktui.load.exchange import Answer
from sparktui.serving.api import EngineApi, ServedModel, new_client, require_model
from sparktui.serving.engine_log import facts_in, in_words, trouble_in
from sparktui.serving.tails import LONGEST, fair, joined, last_lines
from tests.faults import tried

T = TypeVar("T")
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([10**400, 2**63, True]))
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS, st.text(st.characters(codec=None), max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
MODELS = st.fixed_dictionaries({}, optional={"id": VALUES, "max_model_len": VALUES, "model": VALUES})
LARGE = [b"[" * 100_000, b'{"data":' * 50_000, b'{"version":"' + b"v" * 10**5 + b'"}', b"<html>502</html>"]
KEYS = {"data": st.lists(MODELS, max_size=3) | VALUES, "model": VALUES, "version": VALUES}
BODIES = st.one_of(
    st.binary(max_size=200),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries({}, optional=KEYS).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(LARGE),
)
ANSWERS = st.builds(lambda status, body: Answer(status, body), st.sampled_from([200, 200, 200, 404, 429, 500]), BODIES)


def asked(question: Awaitable[T]) -> T | None:
    """Return the answer; None for a typed error."""

    async def ask() -> T:
        return await question

    with tried.bad_input(), suppress(SparktuiError):
        return asyncio.run(ask())
    return None


class Scripted(EngineApi):
    """A server that gives one answer to everything."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("http://127.0.0.1:1", new_client(), "sk-a-key")
        self._answer = answer

    async def _ask(self, url: str, body: dict[str, object] | None, deadline_s: float) -> Answer:
        return self._answer


@given(ANSWERS)
def test_a_list_of_models_names_them_and_their_length_or_is_refused(answer: Answer) -> None:
    models = asked(Scripted(answer).models())
    for model in models or ():
        assert isinstance(model.id, str)
        assert model.id
        assert len(model.id) <= 1000
        assert model.max_model_len is None or 0 < model.max_model_len < 2**40
    with tried.bad_input(), suppress(SparktuiError):
        assert require_model(models or (), "m", "http://127.0.0.1:1").id == "m"


@given(ANSWERS)
def test_a_first_completion_names_its_model_or_none_or_is_refused(answer: Answer) -> None:
    name = asked(Scripted(answer).complete_once("m"))
    assert name is None or (isinstance(name, str) and 0 < len(name) <= 200)


@given(ANSWERS)
def test_a_version_is_a_short_text_or_unknown(answer: Answer) -> None:
    version = asked(Scripted(answer).version())
    assert version is None or (isinstance(version, str) and 0 < len(version) <= 200)


@given(ANSWERS)
def test_health_and_a_page_are_told_from_their_absence(answer: Answer) -> None:
    assert asked(Scripted(answer).healthy()) in (True, False)
    page = asked(Scripted(answer).metrics_page())
    assert page is None or isinstance(page, str)


def test_a_list_of_thousands_of_models_is_not_repeated_whole() -> None:
    with tried.bad_input(), pytest.raises(SparktuiError) as refused:
        require_model(tuple(ServedModel("x" * 200) for _ in range(10_000)), "m", "http://127.0.0.1:1")
    assert len(refused.value.message) < 10_000


PIECES = (
    "Initializing a V1 LLM engine (v",
    "Using ",
    "Selected ",
    "FLASH_ATTN backend",
    " quantization=",
    ",max_seq_len=",
    "Available KV cache memory: ",
    "KV cache size: ",
    "vLLM is using nccl==",
    "NCCL INFO ",
    " via NET/",
    "Free memory on device ",
    "TCPStore",
    "GCS",
    "unrecognized arguments: ",
    "--- ",
    "\x1b[31m",
    "\x1b[2J",
    "\n",
    "\r",
    "9" * 400,
    "A" * 400,
    "\u202e",
)
LOGS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=10)), max_size=30).map("".join)


def read(log: str) -> None:
    """Have all read that is read of a log."""
    with tried.bad_input():
        facts = facts_in(log)
        assert all(0 < len(value) <= 200 for value in facts.values())
        assert isinstance(in_words(facts), str)
        trouble = trouble_in(log)
        assert trouble is None or trouble.hint
        for text in (last_lines(log, 3), fair(log, 8), joined([("engine on gf1", log), ("router", log)])):
            assert isinstance(text, str)
        assert all(len(line) <= LONGEST for line in last_lines(log, 3).splitlines() if not line.startswith("--- "))


@given(LOGS)
def test_any_log_says_something_known_or_nothing(log: str) -> None:
    read(log)


@pytest.mark.parametrize("piece", PIECES)
def test_a_line_that_never_ends_is_read_in_time(piece: str) -> None:
    read(piece * (300_000 // len(piece)))
    read(piece + "A" * 300_000)


def test_what_looks_like_facts_and_is_none_is_read_in_time() -> None:
    lines: list[Any] = [piece + "A_9" * 30_000 for piece in PIECES]
    read(" ".join(lines))
