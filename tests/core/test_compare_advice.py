"""Advice: the published answers from the published numbers, and no answer where the numbers give none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from sparktui.cli import cli
from sparktui.compare.advice import Advice, advise
from sparktui.compare.answers import advice_lines
from sparktui.compare.comparison import Comparison, Table
from sparktui.compare.levels import spans
from sparktui.compare.reasons import undecided
from sparktui.compare.summary import summarise
from sparktui.compare.winners import METRICS, Standing, decide
from sparktui.compare.workload import Workload
from sparktui.importing.published import open_published
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
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
    assert said["single user"].reason == "+50 % decode over solo, 57.93 tok/s; TTFT 181.0 ms, 19 % sooner than solo"
    assert "+36 to +46 % decode over solo" in said["moderate concurrency"].reason
    assert "+6.3 % decode over cluster-tp2" in said["many users, maximum throughput"].reason
    assert "prefill 12 989 tok/s, +42 % over cluster-tp2" in said["many users, maximum throughput"].reason
    assert "TTFT 14 to 24 % sooner than cluster-tp2" in said["latency-sensitive at scale"].reason
    assert "better with cluster-tp2 at c8-c32, +6.3 % over" in said["latency-sensitive at scale"].reason
    assert "+13 to +42 % prefill over cluster-tp2 at c8-c64" in said["prefill-heavy"].reason
    assert "ties with cluster-tp2 at c4; TTFT 536.0 to 3 168 ms, better with cluster-tp2 at c4, 14" in (
        said["prefill-heavy"].reason
    )
    assert said["default"].reason == "wins decode at 6 of 7 levels (c1-c32); shuffle wins at c64"
    assert said["single user"].means_only
    assert max(map(len, advice_lines(published, 80))) <= 78


async def test_a_tie_is_left_open_and_says_who_ties(tmp_path: Path) -> None:
    waves = [100.0, 110.0, 90.0, 105.0, 95.0]
    found = advise(await compared(tmp_path, {"a": {1: waves}, "b": {1: [wave + 1 for wave in waves]}}))
    assert decode(found) == {(1,): None}
    assert found[0].reason == "a tie: a = b"
    assert found[-1].reason == "not decided: a and b win decode, or tie for it, at 1 of 1 levels each"


async def test_a_use_case_whose_winner_changes_has_an_answer_for_each_part(tmp_path: Path) -> None:
    steady = [100.0, 101.0, 99.0, 100.0, 100.0]
    slow = [value / 2 for value in steady]
    rates = {"a": {8: steady, 16: steady, 32: slow}, "b": {8: slow, 16: steady, 32: steady}}
    found = advise(await compared(tmp_path, rates))
    assert decode(found) == {(8,): "a", (16,): None, (32,): "b", (8, 16, 32): None}, "the tie is for neither"
    rates["b"][32], rates["a"][32] = slow, steady
    joined = await compared(tmp_path / "joined", rates)
    assert decode(advise(joined)) == {(8, 16, 32): "a"}
    reason = next(advice for advice in advise(joined) if advice.use_case == "moderate concurrency").reason
    assert reason.startswith("+100 % decode over b at c8, c32, 100.00 tok/s; ties with b at c16")


async def test_a_tie_of_others_is_no_level_of_the_winner_beside_it(tmp_path: Path) -> None:
    fast, slow = [100.0, 101.0, 99.0, 100.0, 100.0], [50.0, 50.5, 49.5, 50.0, 50.0]
    rates = {"a": {8: fast, 16: slow}, "b": {8: fast, 16: slow}, "c": {8: slow, 16: fast}}
    found = advise(await compared(tmp_path, rates))
    first, second = (advice for advice in found if advice.use_case == "moderate concurrency")
    assert (first.levels, first.topology, first.reason) == ((8,), None, "a tie: a = b, +100 % vs c")
    assert (second.levels, second.topology) == ((16,), "c")
    lines = advice_lines(await compared(tmp_path / "again", rates), 100)
    assert [line.split("(")[0].strip() for line in lines if "(c8)" in line or "(c16)" in line][:2] == [
        "moderate concurrency",
        "",
    ]


async def test_the_default_wins_or_ties_at_more_levels_than_any_other(tmp_path: Path) -> None:
    fast, slow = [100.0, 101.0, 99.0, 100.0, 100.0], [50.0, 50.5, 49.5, 50.0, 50.0]
    rates = {
        "a": {1: fast, 2: fast, 4: fast, 8: slow},
        "b": {1: slow, 2: fast, 4: fast, 8: slow},
        "c": {1: slow, 2: slow, 4: slow, 8: fast},
    }
    default = advise(await compared(tmp_path, rates))[-1]
    assert default.topology == "a"
    assert default.reason == "wins decode, or ties for it, at 3 of 4 levels (c1-c4); c wins at c8"


async def test_who_cannot_win_is_not_advised_and_one_alone_has_not_won(tmp_path: Path) -> None:
    rates = {"a": {1: [100.0, 101.0]}, "b": {1: [50.0, 51.0]}}
    barred = await compared(tmp_path, rates, taints={("a", 1): "the client was late"})
    assert decode(advise(barred)) == {(1,): None}
    assert advise(barred)[0].reason == "only b counts"


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
    tie, beside = single.reason.split("; ")
    assert tie == "a tie: cluster-tp2 = cluster-tp2-ray, +39 to +50 % vs solo"
    assert beside == "TTFT with cluster-tp2 19 % sooner than solo"


def test_a_use_case_with_nobody_to_compare_says_who_is_there_alone() -> None:
    rows = [
        decide(METRICS["energy"], 1, [Standing("solo"), Standing("tp2")]),
        decide(METRICS["energy"], 2, [Standing("solo", known_mean=1.0), Standing("tp2")]),
    ]
    table = Table(METRICS["energy"], Workload(1, 1, 0, "waves"), ("solo", "tp2"), tuple(rows), (), "", "", ())
    assert undecided(table, rows[1:]) == "only solo measured"
    assert undecided(table, rows) == "- at c1; only solo measured at c2"


async def test_what_is_not_measured_to_its_end_is_advised_only_so_far(tmp_path: Path) -> None:
    campaign = await store_campaign(tmp_path / "s.db", {"a": {1: [100.0, 101.0]}, "b": {1: [50.0, 51.0]}, "c": {1: []}})
    async with await Writer.open(tmp_path / "s.db") as writer:
        await writer.set_cell_state(3, "skipped")
        await writer.set_sweep_state(3, "stopped")
    with Reader(tmp_path / "s.db") as reader:
        found = summarise(reader, campaign)
    assert {advice.awaited for advice in advise(found)} == {("c",)}
    assert "; so far" in " ".join(advice_lines(found, 80))
