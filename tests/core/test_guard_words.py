"""What a guard says is in the log once, whoever hears it and how often; and a stop that nobody hears the end of too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sparktui.nodes.messages import Acted, GuardNews
from sparktui.runner.guard_words import GuardWords
from sparktui.runner.journal import Journal
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer

WARN = GuardNews(t=5.0, level="warn", text="gf1 has 11.0 GiB left")
STOP = GuardNews(t=6.0, level="stop", text="gf1 has 9.0 GiB left", left_bytes=9, mark="mark-1")
KILL = ("docker", "kill", "vllm")
ACTED = Acted(t=6.0, mark="mark-1", text="other words", ms=12.0, killed=(7,), ran=((KILL, None),))
DONE = Acted(t=6.0, mark="mark-1", text="other words", ms=12.0, killed=(7, 8), ran=((KILL, 0),), done=True)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    async with await Writer.open(tmp_path / "store.db") as writer:
        await writer.create_campaign(name="c", profile_yaml="", source="simulated", host="h", version="0")
        yield Journal(writer, 1)


stops: list[tuple[str, str, str]] = []


def heard(node: str, text: str, mark: str) -> None:
    stops.append((node, text, mark))


@pytest.fixture(autouse=True)
def nothing_heard() -> None:
    stops.clear()


def told(journal: Journal) -> list[tuple[str, str]]:
    with Reader(journal.writer.path) as reader:
        return [(event.kind, event.text) for event in reader.events_since(1)]


def data(journal: Journal) -> dict[str, Any]:
    with Reader(journal.writer.path) as reader:
        return reader.events_since(1)[-1].data


async def test_a_stop_and_its_end_are_told_once_however_often_they_are_heard(journal: Journal) -> None:
    for _ in range(2):  # the second is a runner that goes on where the first was killed
        guard = await GuardWords.of("gf1", journal, heard)
        for _ in range(2):
            await guard.news(WARN, "solo c1")
            await guard.news(STOP, "solo c1")
            await guard.acted(ACTED, "solo c1")
            await guard.acted(DONE, "solo c1")
            await guard.unheard("solo c1")
    assert told(journal) == [
        ("guard-warn", "gf1 has 11.0 GiB left"),
        ("guard-stop", "gf1 has 9.0 GiB left: 1 processes killed and `docker kill vllm` run 12 ms after the reading"),
        ("guard-done", "gf1: the stop is over: 2 processes killed, `docker kill vllm` ended with 0"),
    ]
    assert [mark for _, _, mark in stops] == ["mark-1"]


async def test_a_stop_of_which_only_the_end_was_heard_is_told_by_it(journal: Journal) -> None:
    guard = await GuardWords.of("gf1", journal, heard)
    await guard.acted(DONE, "solo")
    ((_, text, _),) = stops
    assert text == "other words: 2 processes killed and `docker kill vllm` run 12 ms after the reading"
    assert told(journal) == [("guard-stop", text)]


async def test_a_stop_that_its_node_did_not_survive_is_told_and_what_it_did_later(journal: Journal) -> None:
    guard = await GuardWords.of("gf1", journal, heard)
    await guard.news(STOP, "solo c4")
    assert guard.waits
    await guard.unheard("solo c4")
    ((_, text, mark),) = stops
    assert mark == "mark-1"
    assert text == "gf1 has 9.0 GiB left: stopped; what that has ended was not heard"
    assert (data(journal)["left_bytes"], data(journal)["what"]) == (9, "solo c4")
    await guard.acted(ACTED, "solo c4")
    await guard.acted(DONE, "solo c4")
    assert len(stops) == 1
    assert [kind for kind, _ in told(journal)] == ["guard-stop", "guard-done"]
