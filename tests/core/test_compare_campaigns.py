"""Comparisons as a user asks for them: published tables, several campaigns, one topology against another."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from sparktui.compare.cells import FiguresCache
from sparktui.compare.command import Asked, print_comparison
from sparktui.compare.comparison import Comparison
from sparktui.compare.document import to_json
from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.goodput import UserLimits
from sparktui.compare.select import selected
from sparktui.compare.summary import compare, summarise
from sparktui.compare.tables import render
from sparktui.errors import UsageError
from sparktui.importing.formats import read
from sparktui.importing.save import save
from sparktui.measure.cell import CellFigures
from sparktui.store.reader import Reader
from sparktui.store.rows import WaveRow
from sparktui.store.writer import Writer
from tests.core.measured import store_campaign, stream_at, wave
from tests.core.published_rows import published_rows

PUBLISHED = "published/gemma4-26b-a4b"
SCHEMA = json.loads((files("sparktui.compare") / "schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def compared(
    path: Path,
    *texts: str,
    baselines: Sequence[str] = (),
    metrics: Sequence[str] = (),
    calculator: str = "usage",
    force: bool = False,
) -> Comparison:
    with selected(texts, path) as selections:
        return compare(selections, baselines=baselines, metrics=metrics, calculator=calculator, force=force)


def around(mean: float, seed: int, waves: int = 12, spread: float = 0.01) -> tuple[float, ...]:
    rng = random.Random(seed)
    return tuple(rng.gauss(mean, spread * mean) for _ in range(waves))


def imported(path: Path, text: str) -> str:
    return str(save(path, read(text.encode(), "table.csv")))


def test_the_published_tables_give_their_winners_margins_and_ties(path: Path) -> None:
    rows = {(row.metric, row.concurrency): row for row in compared(path, PUBLISHED).rows}
    for line in published_rows("topologies"):
        row = rows[line["metric"], int(line["concurrency"])]  # type: ignore[index]
        assert (row.winner, row.against) == (line["published_winner"], line["margin_against"])
        assert row.margin is not None
        assert ("tie" if row.tie else f"{row.margin * 100:+.0f}%") == line["published_margin"]
    assert len(rows) == 21
    assert not path.exists()


def test_the_published_baselines_can_be_asked_for_too(path: Path) -> None:
    asked = compared(
        path, *(f"{PUBLISHED}/{n}" for n in ("solo", "cluster-tp2", "shuffle")), baselines=("decode=cluster-tp2,solo",)
    )
    stated = {(row.metric, row.concurrency): row.against for row in compared(path, PUBLISHED).rows}
    assert {(row.metric, row.concurrency): row.against for row in asked.rows} == stated


def test_the_published_gains_without_ray_are_printed(path: Path) -> None:
    comparison = compared(path, f"{PUBLISHED}/cluster-tp2-ray", f"{PUBLISHED}/cluster-tp2", metrics=("decode",))
    (table,) = comparison.tables
    lines = published_rows("ray")
    assert [f"{gain.value * 100:+.1f}%" for gain in table.gains] == [line["published_gain"] for line in lines]
    assert not any(gain.tie for gain in table.gains)
    text = render(comparison, gains=True)
    assert all(line["published_gain"].replace("%", " %") in text for line in lines)


def test_a_table_with_four_topologies_and_a_missing_cell(path: Path) -> None:
    table = """\
metric,unit,better,concurrency,solo,tp2,ray,shuffle
decode,tok/s,higher,1,40,58,57.9,41
decode,tok/s,higher,64,350,,470,508
"""
    comparison = compared(path, imported(path, table))
    first, last = comparison.rows
    assert (first.winner, first.against, first.tie) == ("tp2", "ray", True)
    assert (last.winner, last.against, last.tie) == ("shuffle", "ray", False)
    assert (last.values["tp2"], last.barred) == (None, {"tp2": "not measured"})
    assert "ties by the threshold alone: fewer than two waves are known of some cells" in comparison.notes


async def test_topologies_of_the_same_name_are_told_apart_by_their_campaign(path: Path) -> None:
    rates = {"solo": {1: around(40.0, 1)}, "tp2": {1: around(58.0, 2)}}
    await store_campaign(path, rates)
    await store_campaign(path, {"solo": {1: around(44.0, 3)}})
    comparison = compared(path, "1", "2")
    assert comparison.topologies == ("1/solo", "tp2", "2/solo")
    assert compared(path, "1/tp2", "last").topologies == ("tp2", "solo")
    assert compared(path, "1", "1/solo").topologies == ("solo", "tp2")
    assert comparison.rows[0].winner == "tp2"


async def test_one_topology_against_another_gains_with_an_interval_or_ties(path: Path) -> None:
    await store_campaign(path, {"old": {1: around(50.0, 1), 8: around(200.0, 2)}})
    await store_campaign(path, {"new": {1: around(54.0, 3), 8: around(200.1, 4)}})
    comparison = compared(path, "1", "2", metrics=("decode",))
    better, same = comparison.tables[0].gains
    assert (better.of, better.over, better.tie, same.tie) == ("new", "old", False, True)
    assert better.interval is not None
    assert 0 < better.interval[0] < better.value < better.interval[1]
    assert "Gain" in render(comparison, gains=True)
    assert "Change" in render(compared(path, "1", "2", metrics=("ttft",)), gains=True)


async def test_what_was_measured_unlike_is_shown_unranked_and_ranked_when_told_to(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store_campaign(path, {"a": {1: around(50.0, 1)}})
    await store_campaign(path, {"b": {1: around(60.0, 2)}})
    async with await Writer.open(path) as writer:
        await writer.set_sweep_facts(2, fingerprint=Fingerprint(model="other").to_json())
    with pytest.raises(UsageError, match="not measured alike"):
        print_comparison(("1", "2"), Asked(), path)
    shown = capsys.readouterr().out
    assert "model: m (a) against other (b)" in shown
    assert "[" not in shown
    print_comparison(("1", "2"), Asked(force=True), path)
    forced = capsys.readouterr().out
    assert forced.startswith("What differs\n  model: m (a) against other (b)")
    assert "+20 %" in forced or "+19 %" in forced


async def test_two_topologies_of_other_workloads_are_shown_each_by_itself_when_forced(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    race = await store_campaign(path, {"mine": {1: (10.0, 11.0)}})
    print_comparison([f"{PUBLISHED}/solo", str(race)], Asked(metrics=("decode",), force=True), path)
    shown = capsys.readouterr().out
    assert "(pp100 tg11, waves, usage by token_ids)\nc         mine\n" in shown
    assert "(pp1024 tg128, waves, benchy-0.3.5)\n c   solo\n" in shown


def other(model: str) -> str:
    return Fingerprint(model=model).to_json()


async def three(path: Path, *models: str) -> None:
    """Store campaigns of one topology each, each faster than the one before, that served these models."""
    for nth, model in enumerate(models, 1):
        await store_campaign(path, {"solo": {1: around(50.0 + 10 * nth, nth)}})
        async with await Writer.open(path) as writer:
            await writer.set_sweep_facts(nth, fingerprint=other(model))


async def test_one_unlike_campaign_does_not_keep_the_others_from_being_ranked(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await three(path, "m", "m", "other")
    comparison = compared(path, "1", "2", "3", metrics=("decode",))
    (row,) = comparison.rows
    assert (row.winner, row.against, row.tie) == ("2/solo", "1/solo", False)
    assert row.barred == {"3/solo": "not measured like the others"}
    assert comparison.apart == ("3/solo",)
    assert row.values["3/solo"] is not None
    document = to_json(comparison)
    jsonschema.validate(document, SCHEMA)
    assert document["apart"] == ["3/solo"]
    with pytest.raises(UsageError, match="3 not ranked: not measured like the others") as caught:
        print_comparison(("1", "2", "3"), Asked(), path)
    assert "compare without 3" in str(caught.value.hint)
    shown = " ".join(capsys.readouterr().out.split())
    assert "model: m (1/solo, 2/solo) against other (3/solo)" in shown
    assert "3 not ranked with the others: not measured like the others; beside them it is marked with *" in shown
    assert "3/solo cannot win" not in shown, "it is said once"
    assert not compared(path, "1", "2", "3", force=True).apart


async def test_who_is_left_out_is_ranked_in_tables_of_its_own_load(path: Path) -> None:
    await three(path, "m", "m")
    comparison = compared(path, "1", "2", PUBLISHED, metrics=("decode",))
    assert len(comparison.apart) == 4
    beside, own = comparison.tables
    assert [row.winner for row in beside.rows] == ["2/solo"]
    assert [row.winner for row in own.rows] == ["cluster-tp2"] * 6 + ["shuffle"]


@pytest.mark.parametrize("models", [("m", "m", "other", "other"), ("m", "other", "third"), ("m", "other")])
async def test_where_it_is_not_plain_which_is_the_unlike_one_nobody_is_ranked(
    path: Path, models: tuple[str, ...]
) -> None:
    await three(path, *models)
    comparison = compared(path, *(str(nth) for nth in range(1, len(models) + 1)))
    assert not comparison.ranked
    assert not comparison.apart
    assert {row.winner for row in comparison.rows} == {None}


async def test_what_is_unknown_is_alike_to_two_that_are_not_alike_and_decides_nothing(path: Path) -> None:
    await three(path, "m", "other", "m")
    async with await Writer.open(path) as writer:
        await writer.set_sweep_facts(3, fingerprint=Fingerprint().to_json())
    assert not compared(path, "1", "2", "3").ranked


async def test_a_measured_race_compares_with_a_published_one_by_the_same_calculator_only(path: Path) -> None:
    await store_campaign(path, {"solo": {1: around(40.0, 1)}})
    assert any(line.startswith("calculator: ") for line in compared(path, "1", PUBLISHED).differences)
    same = compared(path, "1", PUBLISHED, calculator="benchy-0.3.5")
    assert not any(line.startswith("calculator: ") for line in same.differences)


async def test_simulated_figures_are_not_ranked_against_others(path: Path) -> None:
    await store_campaign(path, {"fast": {1: around(400.0, 1)}}, source="simulated")
    comparison = compared(path, "1", PUBLISHED, calculator="benchy-0.3.5")
    assert comparison.simulated
    assert not comparison.ranked
    assert any(line.startswith("simulated: ") for line in comparison.differences)


async def test_a_table_says_simulated_and_by_which_calculator_of_its_own_figures_only(path: Path) -> None:
    await store_campaign(path, {"fast": {1: around(400.0, 1)}}, source="simulated")
    text = render(compared(path, "1", PUBLISHED, metrics=("decode",)))
    simulated, published = (part for part in text.split("\n\n") if "Decode, all streams" in part)
    assert simulated.startswith("SIMULATED")
    assert "benchy-0.3.5" not in simulated
    assert not published.startswith("SIMULATED")
    assert "benchy-0.3.5;" in published


async def test_a_table_of_which_only_some_is_simulated_says_that_and_what_differs_says_of_which(path: Path) -> None:
    await store_campaign(path, {"fast": {1: around(400.0, 1)}}, source="simulated")
    await store_campaign(path, {"real": {1: around(40.0, 1)}})
    differs, table, *_ = render(compared(path, "1", "2", metrics=("decode",))).split("\n\n")
    assert table.startswith("PARTLY SIMULATED  Decode")
    assert "simulated: true (fast) against false (real)" in differs


async def test_engines_that_differ_are_said_and_compared(path: Path) -> None:
    await store_campaign(path, {"solo": {1: around(40.0, 1)}})
    await store_campaign(path, {"solo": {1: around(44.0, 2)}})
    async with await Writer.open(path) as writer:
        for sweep, version in ((1, "0.19"), (2, "0.20")):
            await writer.set_sweep_facts(
                sweep, fingerprint=Fingerprint(model="m", engine={"version": version}).to_json()
            )
    comparison = compared(path, "1", "2")
    assert comparison.ranked
    assert comparison.engine_differences == ("version: 0.19 (1/solo) against 0.20 (2/solo)",)
    assert "version: 0.19 (1/solo) against 0.20 (2/solo)" in render(comparison)


async def test_the_same_topology_measured_twice_tells_how_far_the_machine_drifted(path: Path) -> None:
    await store_campaign(path, {"solo": {1: around(40.0, 1)}, "tp2": {1: around(41.0, 5)}})
    await store_campaign(path, {"solo": {1: around(43.0, 2)}})
    notes = compared(path, "1", "2", metrics=("decode",)).notes
    assert any(
        note.startswith("1/solo and 2/solo are the same, measured twice, and differ in decode: c1 +") for note in notes
    )
    await store_campaign(path, {"solo": {1: around(40.0, 9)}})
    assert not any("measured twice" in note for note in compared(path, "1", "3").notes)


async def test_a_cell_that_drifted_by_more_than_its_margin_is_noted(path: Path) -> None:
    slowing = tuple(60.0 - 0.4 * wave + noise / 100 for wave, noise in enumerate(around(1.0, 1, 20, 1.0)))
    await store_campaign(path, {"hot": {1: slowing}, "cool": {1: around(55.0, 2, 20, 0.001)}})
    notes = compared(path, "1", metrics=("decode",)).notes
    assert any(note.startswith("hot drifted in decode") and "c1 -" in note for note in notes)
    assert not any(note.startswith("cool drifted") for note in notes)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("7",), "no campaign 7"),
        (("1/nothing",), "no topology 'nothing'"),
        (("published/nothing",), "no published campaign"),
        ((f"{PUBLISHED}/nothing",), "no topology 'nothing'"),
    ],
)
async def test_what_is_not_there_is_a_usage_error(path: Path, texts: tuple[str, ...], said: str) -> None:
    await store_campaign(path, {"solo": {1: (40.0,)}})
    with pytest.raises(UsageError, match=said):
        compared(path, *texts)


@pytest.mark.parametrize("baseline", ["nobody", "decode=", "speed=solo", ""])
def test_a_baseline_that_is_not_compared_is_a_usage_error_that_names_those_there_are(path: Path, baseline: str) -> None:
    with pytest.raises(UsageError, match="--baseline") as raised:
        compared(path, PUBLISHED, baselines=(baseline,))
    assert "solo" in raised.value.hint or "decode" in raised.value.hint


def test_a_metric_that_does_not_exist_is_a_usage_error(path: Path) -> None:
    with pytest.raises(UsageError, match="no metric 'speed'"):
        compared(path, PUBLISHED, metrics=("speed",))


def test_a_metric_without_figures_is_a_usage_error_that_names_those_with(path: Path) -> None:
    with pytest.raises(UsageError, match="no figures of energy") as raised:
        compared(path, PUBLISHED, metrics=("energy",))
    assert raised.value.hint == "there are figures of decode, prefill, ttft"


async def test_every_document_keeps_to_the_schema_that_ships_with_it(path: Path) -> None:
    levels = (1, 8, 64)
    rates = {"a": {c: around(50.0 - c / 3, c) for c in levels}, "b": {c: around(40.0, c + 1) for c in levels}}
    await store_campaign(path, rates, source="simulated", taints={("b", 1): "late"})
    await store_campaign(path, {"empty": {1: ()}})
    await store_campaign(path, {"nothing": {}})
    table = imported(path, "metric,unit,better,concurrency,a\ndecode,tok/s,higher,1,5\n")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for texts in (("1",), ("2",), ("3",), ("1", "2"), (table, "1"), (PUBLISHED,), ("1/a", "1/b"), (PUBLISHED, "1")):
        for limits in (UserLimits(), UserLimits(ttft_ms=1000, tps_per_stream=20)):
            document = json.loads(json.dumps(to_json(compared(path, *texts), limits), allow_nan=False))
            jsonschema.validate(document, SCHEMA, cls=jsonschema.Draft202012Validator)


async def test_a_crossover_in_the_document_has_its_interval(path: Path) -> None:
    levels = (8, 16, 32, 64)
    rates = {"a": {c: around(100.0 - c, c) for c in levels}, "b": {c: around(60.0, c + 1) for c in levels}}
    await store_campaign(path, rates)
    crossovers = to_json(compared(path, "1", metrics=("decode",)))["crossovers"]
    assert isinstance(crossovers, list)
    (crossover,) = crossovers
    low, high = crossover["interval"]
    assert 32 < low < crossover["concurrency"] < high < 64
    assert crossover["concurrency"] == pytest.approx(40, abs=4)


async def test_the_crossover_is_said_in_a_sentence(path: Path) -> None:
    levels = (8, 16, 32, 64)
    rates = {"a": {c: around(100.0 - c, c) for c in levels}, "b": {c: around(60.0, c + 1) for c in levels}}
    await store_campaign(path, rates)
    text = render(compared(path, "1", metrics=("decode",)))
    assert "a wins decode up to 3" in text or "a wins decode up to 4" in text
    assert ", b beyond" in text


class CountingReader(Reader):
    reads = 0

    def waves(self, cell: int, *, events: bool = False, warmup: bool = True) -> list[WaveRow]:
        self.reads += 1
        return super().waves(cell, events=events, warmup=warmup)


async def test_a_viewer_reads_only_the_cells_that_have_new_waves(path: Path) -> None:
    campaign = await store_campaign(path, {"a": {1: around(50.0, 1), 8: around(60.0, 2)}, "b": {1: around(40.0, 3)}})
    cache = FiguresCache()
    with CountingReader(path) as reader:
        first = summarise(reader, campaign, cache=cache)
        assert reader.reads == 3
        assert summarise(reader, campaign, cache=cache) == first
        assert reader.reads == 3
        async with await Writer.open(path) as writer:
            await writer.commit_wave(1, 12, False, wave(stream_at(500.0)))
        changed = summarise(reader, campaign, cache=cache)
        assert reader.reads == 4
        assert changed.rows[0].values["a"] != first.rows[0].values["a"]
        summarise(reader, campaign, cache=cache, calculator="benchy-0.3.5")
        assert reader.reads == 7


def test_the_cache_forgets_what_was_asked_for_longest_ago() -> None:
    cache = FiguresCache(size=2)
    asked: list[str] = []

    def computed(key: str) -> CellFigures:
        asked.append(key)
        return CellFigures(calculator=key, figures={}, waves=0, requests=0, errors=0)

    for key in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(key, "done", partial(computed, key)).calculator == key
    assert asked == ["a", "b", "c", "b"]


def test_of_each_cell_only_the_newest_figures_are_kept() -> None:
    cache = FiguresCache(size=2)
    for waves in range(9):
        cache.get("measuring", waves, lambda: CellFigures("usage", figures={}, waves=0, requests=0, errors=0))
        kept = cache.get("done", 5, lambda: CellFigures("kept", figures={}, waves=0, requests=0, errors=0))
        assert kept is cache.get("done", 5, pytest.fail)
