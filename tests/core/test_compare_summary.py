from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparktui.compare.document import to_json
from sparktui.compare.fingerprint import Fingerprint
from sparktui.compare.summary import Comparison, summarise
from sparktui.compare.tables import render
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer
from tests.core.measured import failed, request, store_campaign, wave

RATES = {
    "solo": {1: (40.0, 40.2, 39.8), 8: (150.0, 150.5, 149.5), 64: (350.0, 351.0, 349.0)},
    "cluster-tp2": {1: (58.0, 58.1, 57.9), 8: (220.0, 221.0, 219.0), 64: (470.0, 471.0, 469.0)},
    "cluster-tp2-ray": {1: (57.9, 58.0, 57.8), 8: (219.0, 220.0, 218.0), 64: (465.0, 466.0, 464.0)},
    "shuffle": {1: (40.0, 41.0, 39.0), 8: (160.0, 161.0, 159.0), 64: (508.0, 509.0, 507.0)},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


def summary(path: Path, campaign: int, baseline: str | None = None) -> Comparison:
    with Reader(path) as reader:
        return summarise(reader, campaign, baseline=baseline)


async def test_the_answer_of_a_whole_campaign(path: Path) -> None:
    comparison = summary(path, await store_campaign(path, RATES))
    assert comparison.topologies == tuple(RATES)
    decode = [row for row in comparison.rows if row.metric == "decode"]
    assert [(row.concurrency, row.winner, row.tie) for row in decode] == [
        (1, "cluster-tp2", True),
        (8, "cluster-tp2", True),
        (64, "shuffle", False),
    ]
    assert decode[2].against == "cluster-tp2"
    assert decode[2].margin == pytest.approx(508 / 470 - 1, rel=1e-2)
    assert all(row.interval is not None for row in decode)
    assert (comparison.calculator, comparison.token_source) == ("usage", "token_ids")
    assert comparison.notes == ()


async def test_the_lead_changes_between_levels_that_are_decided(path: Path) -> None:
    rates = {name: levels for name, levels in RATES.items() if name != "cluster-tp2-ray"}
    (crossover,) = summary(path, await store_campaign(path, rates)).crossovers
    assert (crossover.below, crossover.above, crossover.between) == ("cluster-tp2", "shuffle", (8, 64))
    assert 8 < crossover.concurrency < 64


async def test_two_lines_that_touch_in_noise_do_not_cross(path: Path) -> None:
    rates = {"a": {1: (10.0, 12.0, 11.0), 2: (20.0, 22.0, 24.0)}, "b": {1: (10.1, 12.1, 11.1), 2: (19.0, 22.0, 24.0)}}
    assert summary(path, await store_campaign(path, rates)).crossovers == ()


async def test_a_baseline_moves_the_margins_and_not_the_winners(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    row = summary(path, campaign, baseline="solo").rows[0]
    assert (row.winner, row.against) == ("cluster-tp2", "solo")
    assert row.tie


async def test_a_tainted_cell_keeps_its_value_loses_its_win_and_is_noted(path: Path) -> None:
    campaign = await store_campaign(path, RATES, taints={("shuffle", 64): "the client used 80% of a core"})
    comparison = summary(path, campaign)
    row = next(row for row in comparison.rows if (row.metric, row.concurrency) == ("decode", 64))
    assert row.winner == "cluster-tp2"
    assert row.values["shuffle"] == pytest.approx(508.0, rel=1e-2)
    assert "c64 shuffle cannot win: the client used 80% of a core" in comparison.notes


async def test_who_may_be_as_good_as_the_best_behind_others_that_are_worse_is_noted(path: Path) -> None:
    rates = {
        "tp2": {1: (100.0, 101.0, 99.0), 8: (200.0, 201.0, 199.0)},
        "solo": {1: (80.0, 81.0, 79.0), 8: (150.0, 151.0, 149.0)},
        "uneven": {1: (40.0, 60.0, 110.0), 8: (20.0, 21.0, 19.0)},
    }
    comparison = summary(path, await store_campaign(path, rates))
    assert (
        "decode: uneven at c1 varies too much from wave to wave to be told from the best; it is not counted with it, "
        "since others that are nearer can be told"
    ) in comparison.notes


async def test_what_failed_or_was_not_measured_cannot_win_and_says_why(path: Path) -> None:
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="", source="measured", host="here", version="1"
        )
        cells = {}
        for seq, name in enumerate(("fine", "flaky", "broken", "stopped")):
            sweep = await writer.create_sweep(campaign, seq, name, fingerprint="{}")
            cells[name] = await writer.create_cell(sweep, 0, concurrency=2, pp=100, tg=11, depth=0, runs=2)
            if name == "broken":
                await writer.set_sweep_state(sweep, "failed", error="out of memory on gf1")
        for name in ("fine", "flaky"):
            for seq in range(2):
                second = failed(1) if name == "flaky" else request(1)
                await writer.commit_wave(cells[name], seq, False, wave(request(0, gap_us=5_000), second))
            await writer.set_cell_state(cells[name], "done")
        await writer.set_cell_state(cells["stopped"], "measuring")
        await writer.commit_wave(cells["stopped"], 0, False, wave(request(0), request(1)))
        await writer.set_cell_state(cells["broken"], "skipped")
    row = summary(path, campaign).rows[0]
    assert (row.winner, row.only, row.awaited) == (None, "fine", ("stopped",))
    assert row.barred == {
        "flaky": "2 of 4 requests failed",
        "broken": "skipped: out of memory on gf1",
        "stopped": "1 of 2 waves",
    }


async def test_sweeps_that_were_measured_unlike_are_named_and_not_ranked(path: Path) -> None:
    campaign = await store_campaign(path, RATES)
    async with await Writer.open(path) as writer:
        await writer.set_sweep_facts(2, fingerprint=Fingerprint(model="another").to_json())
    comparison = summary(path, campaign)
    assert comparison.differences == ("model: m (solo, cluster-tp2-ray, shuffle) against another (cluster-tp2)",)
    assert not comparison.ranked
    assert {row.winner for row in comparison.rows} == {None}


async def test_the_tables_fit_80_columns_for_four_topologies(path: Path) -> None:
    text = render(summary(path, await store_campaign(path, RATES)))
    assert max(map(len, text.splitlines())) <= 80
    for name in RATES:
        assert name in text


async def test_the_decode_table_as_it_is_printed(path: Path) -> None:
    text = render(summary(path, await store_campaign(path, RATES, source="simulated")))
    assert (
        text.split("\n\n")[0]
        == """\
SIMULATED  Decode, all streams, tok/s, higher is better
(pp100 tg11, waves, usage by token_ids; margin against the runner-up)
 c   solo cluster-tp2 cluster-tp2-ray shuffle Winner
 1 40.00      [58.00]         [57.90]  40.00  tie, +45 % vs shuffle
 8 150.0      [220.0]         [219.0]  160.0  tie, +37 to +38 % vs shuffle
64 350.0       470.0           465.0  [508.0] shuffle +8.1 % (+7.6 to +8.6)"""
    )


async def test_every_title_of_a_simulated_campaign_says_so_and_none_of_a_measured_one(path: Path) -> None:
    simulated = render(summary(path, await store_campaign(path, RATES, source="simulated")))
    assert simulated.count("SIMULATED") == 3
    assert "SIMULATED" not in render(summary(path, await store_campaign(path, RATES)))


async def test_a_wide_terminal_gets_spreads_and_intervals(path: Path) -> None:
    text = render(summary(path, await store_campaign(path, RATES)), width=120)
    assert "±" in text
    assert "(+7." in text
    assert max(map(len, text.splitlines())) <= 120


async def test_topologies_with_long_names_are_shortened_before_the_table_grows_too_wide(path: Path) -> None:
    rates = {f"cluster-of-everything-{n}": {1: (10.0 * (n + 1),)} for n in range(3)}
    text = render(summary(path, await store_campaign(path, rates)))
    assert max(len(line) for line in text.split("\n\n")[0].splitlines()) <= 80
    assert "…" in text


async def test_the_json_shape(path: Path) -> None:
    comparison = summary(path, await store_campaign(path, RATES, source="simulated"))
    data = json.loads(json.dumps(to_json(comparison)))
    assert data["simulated"] is True
    assert len(data["rows"]) == 9
    row = data["rows"][2]
    assert (row["metric"], row["concurrency"], row["winner"], row["against"], row["tie"]) == (
        "decode",
        64,
        "shuffle",
        "cluster-tp2",
        False,
    )
    assert set(row["values"]) == set(RATES)
    assert row["interval"][0] < row["margin"] < row["interval"][1]


async def test_a_campaign_with_nothing_measured_yet_has_no_tables_and_no_traceback(path: Path) -> None:
    comparison = summary(path, await store_campaign(path, {"solo": {}}))
    assert comparison.tables == ()
    assert render(comparison) == ""
    assert summary(path, await store_campaign(path, {"solo": {1: ()}})).rows[0].winner is None


async def test_a_race_that_was_stopped_names_what_is_missing_and_who_has_only_won_so_far(path: Path) -> None:
    campaign = await store_campaign(
        path, {"solo": {1: (40.0, 40.1), 8: (150.0, 151.0)}, "tp2": {1: (58.0, 58.1), 8: ()}}
    )
    async with await Writer.open(path) as writer:
        await writer.set_cell_state(4, "failed")
        await writer.set_sweep_state(2, "stopped")
        await writer.set_campaign_state(campaign, "stopped", exit_code=130)
    comparison = summary(path, campaign)
    first, last = comparison.tables[0].rows
    assert (first.winner, first.awaited) == ("tp2", ())
    assert (last.winner, last.only, last.awaited) == (None, "solo", ("tp2",))
    assert comparison.notes[0] == f"not finished: tp2 c8 not measured yet; `sparktui resume {campaign}` finishes it"
    assert comparison.tables[0].verdict_title == "So far"
    assert not any("tp2 cannot win" in note for note in comparison.notes)


async def test_what_the_guard_ended_is_not_waited_for(path: Path) -> None:
    campaign = await store_campaign(path, {"solo": {1: (40.0, 40.1)}, "tp2": {1: ()}})
    async with await Writer.open(path) as writer:
        await writer.set_cell_state(2, "failed")
        await writer.set_sweep_state(2, "guard", error="gf1 was under its floor")
    table = summary(path, campaign).tables[0]
    assert (table.rows[0].only, table.rows[0].awaited, table.verdict_title) == ("solo", (), "Winner")
