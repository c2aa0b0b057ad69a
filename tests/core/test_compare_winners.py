from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.compare.verdict import verdict, verdicts
from sparktui.compare.winners import METRICS, Row, Standing, decide
from tests.core.published_rows import published_rows

TOPOLOGIES = ("solo", "cluster-tp2", "shuffle")


def from_means(line: dict[str, str], topologies: tuple[str, ...], baseline: str | None = None) -> Row:
    standings = [Standing(name, known_mean=float(line[name])) for name in topologies]
    baselines = () if baseline is None else (baseline,)
    return decide(METRICS[line["metric"]], int(line["concurrency"]), standings, baselines=baselines)


def decode(*standings: Standing, baselines: Sequence[str] = ()) -> Row:
    return decide(METRICS["decode"], 8, standings, baselines=baselines)


@pytest.mark.parametrize(
    "line", published_rows("topologies"), ids=lambda line: f"{line['metric']}-{line['concurrency']}"
)
def test_a_published_row_gives_its_winner_its_margin_and_its_tie(line: dict[str, str]) -> None:
    row = from_means(line, TOPOLOGIES, baseline=line["margin_against"])
    assert row.winner == line["published_winner"]
    assert row.against == line["margin_against"]
    assert row.tie is (line["published_margin"] == "tie")
    assert row.decided_by == "threshold"
    assert row.interval is None
    assert row.margin is not None
    if not row.tie:
        assert f"{row.margin * 100:+.0f}%" == line["published_margin"]


def test_every_published_row_was_looked_at() -> None:
    assert len(list(published_rows("topologies"))) == 21


@pytest.mark.parametrize("line", published_rows("ray"), ids=lambda line: f"c{line['concurrency']}")
def test_the_published_gain_without_ray_is_reproduced(line: dict[str, str]) -> None:
    row = from_means(line, ("cluster-tp2-ray", "cluster-tp2"))
    assert row.winner == "cluster-tp2"
    assert not row.tie
    assert row.margin is not None
    assert f"{row.margin * 100:+.1f}%" == line["published_gain"]


def test_without_a_baseline_the_margin_is_against_the_runner_up() -> None:
    row = decode(
        *(Standing(name, known_mean=value) for name, value in zip(TOPOLOGIES, (38.68, 57.93, 39.59), strict=True))
    )
    assert row.against == "shuffle"
    assert row.margin == pytest.approx(57.93 / 39.59 - 1)


def test_a_baseline_that_wins_is_measured_against_the_runner_up() -> None:
    row = decode(Standing("solo", known_mean=40.0), Standing("shuffle", known_mean=30.0), baselines=("solo",))
    assert (row.winner, row.against) == ("solo", "shuffle")


def test_of_several_baselines_the_first_that_does_not_win_and_can_be_ranked_counts() -> None:
    standings = [Standing(n, known_mean=v) for n, v in (("solo", 40.0), ("tp2", 60.0), ("shuffle", 50.0))]
    assert decode(*standings, baselines=("tp2", "solo")).against == "solo"
    assert decode(*standings, baselines=("gone", "shuffle")).against == "shuffle"
    barred = [standings[1], Standing("solo", known_mean=40.0, barred="late"), standings[2]]
    assert decode(*barred, baselines=("solo",)).against == "shuffle"


def test_what_is_not_to_be_ranked_keeps_its_values_and_has_no_winner() -> None:
    row = decide(METRICS["decode"], 8, [Standing("a", (1.0, 2.0)), Standing("b", (3.0,))], rank=False)
    assert (row.winner, row.margin, row.tie, row.interval, row.decided_by) == (None, None, False, None, None)
    assert row.values == {"a": 1.5, "b": 3.0}


def test_a_figure_that_is_no_mean_of_its_waves_is_ranked_by_itself_and_judged_by_its_waves() -> None:
    row = decode(Standing("a", (110.0, 111.0, 109.0), known_mean=112.0), Standing("b", (100.0, 101.0, 99.0)))
    assert row.values["a"] == 112.0
    assert row.interval is not None


def test_a_tie_is_between_winner_and_runner_up_whatever_the_baseline() -> None:
    row = decode(
        *(Standing(n, known_mean=v) for n, v in (("solo", 50.0), ("a", 100.0), ("b", 100.2))), baselines=("solo",)
    )
    assert row.tie
    assert row.margin == pytest.approx(1.004)


def test_waves_that_overlap_are_a_tie_though_their_means_are_far_apart() -> None:
    row = decode(Standing("a", (90.0, 110.0, 130.0)), Standing("b", (80.0, 100.0, 120.0)))
    assert row.tie
    assert row.decided_by == "interval"
    assert row.interval is not None
    assert row.interval[0] < 0 < row.interval[1]


def test_waves_that_agree_tell_a_small_gain_from_a_tie() -> None:
    row = decode(Standing("a", (102.0, 102.1, 101.9)), Standing("b", (100.0, 100.1, 99.9)))
    assert not row.tie
    assert row.winner == "a"
    assert row.margin == pytest.approx(0.02)


def test_a_gain_too_small_to_matter_is_a_tie_however_sure_it_is() -> None:
    row = decode(Standing("a", (100.50, 100.51, 100.49)), Standing("b", (100.0, 100.01, 99.99)))
    assert row.tie
    assert row.decided_by == "threshold"


def test_a_single_wave_leaves_the_decision_to_the_threshold() -> None:
    row = decode(Standing("a", (120.0,)), Standing("b", (100.0, 101.0, 99.0)))
    assert (row.winner, row.tie, row.decided_by, row.interval) == ("a", False, "threshold", None)


def test_of_a_latency_the_lowest_wins_and_its_margin_is_negative() -> None:
    row = decide(METRICS["ttft"], 1, [Standing("a", known_mean=181.0), Standing("b", known_mean=223.0)])
    assert row.winner == "a"
    assert row.margin == pytest.approx(-0.188, abs=1e-3)


def test_a_barred_cell_cannot_win_and_says_why() -> None:
    row = decode(
        Standing("oom", barred="failed: out of memory"),
        Standing("late", (200.0, 200.0), barred="stamps late"),
        Standing("good", (100.0, 100.0)),
        Standing("missing"),
    )
    assert (row.winner, row.only, row.margin) == (None, "good", None)
    assert verdict(row) == "only good counts"
    assert row.barred == {"oom": "failed: out of memory", "late": "stamps late", "missing": "not measured"}
    assert row.values == {"oom": None, "late": 200.0, "good": 100.0, "missing": None}


def test_one_that_was_measured_alone_has_won_nothing() -> None:
    row = decode(Standing("solo", (40.0, 41.0)), Standing("tp2", awaited=True))
    assert (row.winner, row.best, row.only, row.awaited) == (None, (), "solo", ("tp2",))
    assert verdicts(row) == ("only solo measured", "only solo")


def test_where_nobody_can_win_there_is_no_winner() -> None:
    row = decode(Standing("a"), Standing("b", (math.nan,)), Standing("c", (0.0,)))
    assert row.winner is None
    assert set(row.barred) == {"a", "b", "c"}


positive = st.floats(0.1, 1e6)
waves = st.lists(positive, min_size=1, max_size=6).map(tuple)


@given(waves, waves, positive)
def test_the_unit_does_not_matter(a: tuple[float, ...], b: tuple[float, ...], scale: float) -> None:
    one = decode(Standing("a", a), Standing("b", b))
    other = decode(Standing("a", tuple(v * scale for v in a)), Standing("b", tuple(v * scale for v in b)))
    assert one.margin == pytest.approx(other.margin, rel=1e-6, abs=1e-9)


@given(waves, waves, waves)
def test_the_order_of_topologies_does_not_change_a_margin(
    a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]
) -> None:
    standings = [Standing("a", a), Standing("b", b), Standing("c", c)]
    one, other = decode(*standings), decode(*reversed(standings))
    assert (one.margin, one.tie) == (other.margin, other.tie)


@given(waves, waves)
def test_the_interval_holds_its_own_margin(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    row = decode(Standing("a", a), Standing("b", b))
    if row.interval is not None and row.margin is not None:
        assert row.interval[0] - 1e-9 <= row.margin <= row.interval[1] + 1e-9


def test_a_tie_names_all_that_tie_and_how_far_ahead_of_the_best_other_they_are() -> None:
    standings = [Standing(n, known_mean=v) for n, v in (("solo", 40.0), ("tp2", 60.0), ("old", 30.0), ("ray", 59.9))]
    row = decode(*standings)
    assert (row.tied, row.lead_over, row.best) == (("tp2", "ray"), "solo", ("tp2", "ray"))
    assert row.leads == pytest.approx((0.5, 0.4975))
    assert verdict(row) == "tp2 = ray, +50 % vs solo"
    assert (decode(*standings[:3]).tied, decode(*standings[:3]).best) == ((), ("tp2",))


def test_a_tie_leads_the_baseline_where_there_is_one_that_all_of_them_are_ahead_of() -> None:
    standings = [Standing(n, known_mean=v) for n, v in (("solo", 40.0), ("tp2", 60.0), ("old", 30.0), ("ray", 59.9))]
    against_old, against_ray = decode(*standings, baselines=("old",)), decode(*standings, baselines=("ray",))
    assert (against_old.against, against_old.lead_over) == ("old", "old")
    assert (against_ray.against, against_ray.lead_over) == ("ray", "solo")
    assert verdict(against_old) == "tp2 = ray, +100 % vs old"


def test_a_margin_against_somebody_else_than_the_column_says_whom_or_is_left_out() -> None:
    row = decode(Standing("ray", known_mean=139.0), Standing("solo", known_mean=100.0), Standing("tp2"))
    assert verdicts(row, named=True) == ("ray +39 % vs solo", "ray")
    assert verdicts(row) == ("ray +39 %",)


def test_nobody_ties_with_the_best_behind_somebody_who_does_not() -> None:
    good = Standing("a", (100.0, 101.0, 99.0)), Standing("b", (100.5, 101.5, 99.5))
    noisy, behind = Standing("noisy", (40.0, 60.0, 110.0)), Standing("behind", (80.0, 81.0, 79.0))
    row = decode(*good, noisy, behind)
    assert decode(good[1], noisy).tie, "alone with the best it would"
    assert (row.tied, row.in_doubt, row.lead_over) == (("a", "b"), ("noisy",), "behind")
    won = decode(good[0], noisy, behind)
    assert (won.winner, won.best, won.in_doubt) == ("a", ("a",), ("noisy",))


def test_a_tie_is_told_in_as_many_words_as_there_is_room_for_and_never_by_a_cut_name() -> None:
    values = (("solo", 40.0), ("cluster-tp2", 60.0), ("cluster-tp2-ray", 59.9))
    row = decode(*(Standing(name, known_mean=value) for name, value in values))
    assert verdicts(row) == (
        "cluster-tp2 = cluster-tp2-ray, +50 % vs solo",
        "cluster-tp2 = …-ray, +50 % vs solo",
        "tie, +50 % vs solo",
        "tie, +50 % vs solo",
        "tie, +50 % vs next",
    )


@pytest.mark.parametrize(
    ("metric", "values", "said"),
    [("decode", (40.0, 60.0, 59.5), "≥+49 %"), ("ttft", (294.0, 200.0, 201.9), "≤-31 %")],
)
def test_where_a_range_has_no_room_it_is_said_what_all_that_tie_reach(
    metric: str, values: tuple[float, ...], said: str
) -> None:
    names = ("solo", "tp2", "ray")
    standings = [Standing(name, known_mean=value) for name, value in zip(names, values, strict=True)]
    *_, short, shortest = verdicts(decide(METRICS[metric], 8, standings))
    assert (short, shortest) == (f"tie, {said} vs solo", f"tie, {said} vs next")


@given(st.lists(waves, min_size=2, max_size=4))
def test_who_would_tie_with_the_winner_alone_is_bracketed_or_in_doubt_and_nobody_better_is_without_brackets(
    found: list[tuple[float, ...]],
) -> None:
    standings = {name: Standing(name, values) for name, values in zip("abcd", found, strict=False)}
    row = decode(*standings.values())
    best = standings[row.winner or ""]
    others = {n for n, other in standings.items() if other is not best and decode(best, other).tie}
    assert {*row.best, *row.in_doubt} == {row.winner, *others}
    values = {name: value for name, value in row.values.items() if value is not None}
    least = min(values[name] for name in row.best)
    assert all(value <= least for name, value in values.items() if name not in row.best)


@pytest.mark.parametrize("value", [1e-300, 1e300])
def test_a_value_whose_ratios_no_number_holds_cannot_win(value: float) -> None:
    row = decode(Standing("solo", known_mean=40.0), Standing("odd", known_mean=value))
    assert (row.winner, row.only, row.margin) == (None, "solo", None)
    assert "odd" in row.barred
