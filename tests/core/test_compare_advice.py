"""Advice: the published answers from the published numbers, and no answer where the numbers give none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sparktui.cli import cli
from sparktui.compare.advice import Advice, advise, not_decided
from sparktui.compare.answers import advice_lines
from sparktui.compare.comparison import Comparison
from sparktui.compare.levels import spans
from sparktui.compare.summary import summarise
from sparktui.compare.winners import METRICS, Standing, decide
from sparktui.importing.published import open_published
from sparktui.store.reader import Reader
from tests.core.measured import store_campaign


@pytest.fixture(scope="module")
def published() -> Comparison:
    with open_published("gemma4-26b-a4b") as (reader, campaign):
        return summarise(reader, campaign)


async def compared(path: Path, rates: dict[str, dict[int, list[float]]], **changes: object) -> Comparison:
    campaign = await store_campaign(path / "s.db", rates, **changes)  # type: ignore[arg-type]
    with Reader(path / "s.db") as reader:
        return summarise(reader, campaign)


def decode(found: tuple[Advice, ...]) -> dict[tuple[int, ...], str | None]:
    return {advice.levels: advice.topology for advice in found if advice.metric == "decode"}


def test_the_published_numbers_give_the_published_answers(published: Comparison) -> None:
    found = {advice.use_case: (advice.levels, advice.topology) for advice in advise(published)}
    assert found == {
        "single user": ((1,), "cluster-tp2"),
        "a few users": ((2, 4), "cluster-tp2"),
        "moderate concurrency": ((8, 16, 32), "cluster-tp2"),
        "many users, maximum throughput": ((64,), "shuffle"),
        "prefill-heavy": ((4, 8, 16, 32, 64), "shuffle"),
        "latency-sensitive at scale": ((8, 16, 32, 64), "shuffle"),
        "default": ((1, 2, 4, 8, 16, 32, 64), "cluster-tp2"),
    }


def test_the_published_reasons_are_the_published_margins_and_say_that_only_means_are_known(
    published: Comparison,
) -> None:
    said = {advice.use_case: advice for advice in advise(published)}
    assert said["single user"].reason == "+50 % decode over solo, 57.93 tok/s; TTFT 181.0 ms, best by -19 %"
    assert "+36 to +46 % decode over solo" in said["moderate concurrency"].reason
    assert "+6.3 % decode over cluster-tp2" in said["many users, maximum throughput"].reason
    assert "prefill 12 989 tok/s, best by +42 %" in said["many users, maximum throughput"].reason
    assert "-14 to -24 % TTFT" in said["latency-sensitive at scale"].reason
    assert "undecided at c4" in said["prefill-heavy"].reason
    assert said["default"].reason == "wins decode at 6 of 7 levels (c1-c32); shuffle wins at c64"
    assert said["single user"].means_only
    assert max(map(len, advice_lines(published, 80))) <= 78


async def test_a_tie_is_left_open_and_says_who_ties(tmp_path: Path) -> None:
    waves = [100.0, 110.0, 90.0, 105.0, 95.0]
    found = advise(await compared(tmp_path, {"a": {1: waves}, "b": {1: [wave + 1 for wave in waves]}}))
    assert decode(found) == {(1,): None}
    assert "a tie (a = b at c1)" in found[0].reason
    assert "no topology wins" in found[-1].reason


async def test_a_use_case_whose_winner_changes_has_an_answer_for_each_part(tmp_path: Path) -> None:
    steady = [100.0, 101.0, 99.0, 100.0, 100.0]
    slow = [value / 2 for value in steady]
    rates = {"a": {8: steady, 16: steady, 32: slow}, "b": {8: slow, 16: steady, 32: steady}}
    assert decode(advise(await compared(tmp_path, rates))) == {(8, 16): "a", (32,): "b", (8, 16, 32): None}


async def test_who_cannot_win_is_not_advised_and_one_alone_has_not_won(tmp_path: Path) -> None:
    rates = {"a": {1: [100.0, 101.0]}, "b": {1: [50.0, 51.0]}}
    barred = await compared(tmp_path, rates, taints={("a", 1): "the client was late"})
    assert decode(advise(barred)) == {(1,): None}
    assert "nothing to compare" in advise(barred)[0].reason


async def test_one_topology_needs_no_advice(tmp_path: Path) -> None:
    assert advise(await compared(tmp_path, {"a": {1: [100.0, 101.0]}})) == ()


def test_the_advice_is_printed_below_the_tables_and_is_in_the_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    words = ["compare", "published/gemma4-26b-a4b"]
    text = CliRunner().invoke(cli, words, standalone_mode=False).output
    assert text.index("When to use which") > text.index("Time to first token")
    data = json.loads(CliRunner().invoke(cli, [*words, "--json"], standalone_mode=False).output)
    assert {row["use_case"]: row["topology"] for row in data["advice"]}["default"] == "cluster-tp2"
    assert data["capacity"] is None


def test_levels_are_said_together_only_where_nothing_lies_between_them() -> None:
    levels = (1, 2, 4, 8, 16)
    assert spans((2, 8, 16), levels) == "c2, c8-c16"
    assert spans(levels, levels) == "c1-c16"
    assert spans((4,), levels) == "c4"


def test_a_tie_that_is_measured_against_a_baseline_says_who_ties() -> None:
    with open_published("gemma4-26b-a4b") as (reader, campaign):
        found = advise(summarise(reader, campaign, baseline="solo", threshold=0.1))
    single = next(advice for advice in found if advice.use_case == "single user")
    assert single.reason == "not decided: a tie (cluster-tp2 = cluster-tp2-ray at c1)"


def test_a_use_case_with_nobody_to_compare_names_only_levels_at_which_somebody_can_win() -> None:
    rows = [
        decide(METRICS["energy"], 1, [Standing("solo"), Standing("tp2")]),
        decide(METRICS["energy"], 2, [Standing("solo", known_mean=1.0), Standing("tp2")]),
    ]
    assert not_decided(rows) == "nothing to compare: able to win at c2: solo"
    assert not_decided(rows[:1]) == "nothing to compare: able to win at c1: none"
