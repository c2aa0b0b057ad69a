"""How many waves would decide a tie: a number that keeps its word, and none where nothing is known."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sparktui.compare.advice import advise
from sparktui.compare.answers import advice_lines
from sparktui.compare.more_waves import MOST, more_waves
from sparktui.compare.summary import summarise
from sparktui.compare.winners import METRICS, Row, Standing, decide
from sparktui.store.reader import Reader
from tests.core.measured import store_campaign


def race(chance: random.Random, waves: int, ahead: float, spread: float) -> Row:
    """Return one level of two topologies, the first of which is ahead by a share, with spreads in per cent."""
    means = {"a": 100 * (1 + ahead), "b": 100.0}
    return decide(
        METRICS["decode"],
        8,
        [Standing(n, tuple(chance.gauss(mean, spread) for _ in range(waves))) for n, mean in means.items()],
    )


@pytest.mark.parametrize(
    ("waves", "ahead", "spread"), [(3, 0.05, 5.0), (3, 0.25, 20.0), (5, 0.05, 6.0), (10, 0.05, 10.0)]
)
def test_most_races_of_as_many_waves_as_are_told_are_decided(waves: int, ahead: float, spread: float) -> None:
    chance = random.Random(1)
    decided: list[bool] = []
    while len(decided) < 300:
        row = race(chance, waves, ahead, spread)
        if row.tie and row.margin is not None and (told := more_waves([row])) is not None:
            decided.append(not race(chance, told, row.margin, spread).tie)
    assert 0.65 < sum(decided) / len(decided) < 0.9


def tie(*values: tuple[float, ...]) -> Row:
    row = decide(METRICS["decode"], 8, [Standing(n, v) for n, v in zip("abc", values, strict=False)])
    assert row.tie
    return row


def test_no_number_is_told_where_none_is_known() -> None:
    few = tie((100.0, 120.0), (90.0, 115.0))
    small = tie((100.0, 100.2, 99.8), (100.1, 100.3, 99.9))
    hopeless = tie((100.0, 160.0, 40.0), (98.0, 158.0, 38.0))
    assert [more_waves([row]) for row in (few, small, hopeless)] == [None, None, None]


def test_a_number_is_told_for_several_levels_only_where_it_would_decide_all_of_them() -> None:
    quick, slow = tie((100.0, 104.0, 96.0), (90.0, 97.0, 84.0)), tie((100.0, 110.0, 90.0), (95.0, 104.0, 84.0))
    one, other = more_waves([quick]), more_waves([slow])
    assert one is not None
    assert other is not None
    assert 3 < one < other <= MOST
    assert more_waves([quick, slow]) == other
    assert more_waves([quick, tie((100.0, 160.0, 40.0), (98.0, 158.0, 38.0))]) is None


async def test_what_is_undecided_says_how_many_waves_would_tell_and_the_option_for_it(tmp_path: Path) -> None:
    rates = {"a": {1: [100.0, 104.0, 96.0]}, "b": {1: [90.0, 97.0, 84.0]}}
    campaign = await store_campaign(tmp_path / "s.db", rates)
    with Reader(tmp_path / "s.db") as reader:
        found = summarise(reader, campaign)
    (single, *_) = advise(found)
    assert single.waves is not None
    said = f"about {single.waves} waves would probably decide the tie (--runs {single.waves})"
    assert said in " ".join(" ".join(advice_lines(found, 200)).split())
    assert any(f"(--runs): about {single.waves} at c1" in note for note in found.notes)
