from __future__ import annotations

import pytest

from sparktui.runner.eta import NOT_KNOWN_YET, CellProgress, Remaining, cell_remaining_s, remaining_s
from sparktui.runner.progress import remaining
from sparktui.store.rows import CellRow, SweepRow


def test_nothing_is_said_before_the_first_wave_has_ended() -> None:
    assert remaining_s([CellProgress("solo", 1, 3)]) is None


def test_waves_are_weighted_by_what_they_took_not_counted() -> None:
    cells = [CellProgress("solo", 1, 2, (4.0, 4.0)), CellProgress("solo", 64, 2, (30.0,))]
    assert remaining_s(cells) == pytest.approx(30.0)


def test_an_unmeasured_level_takes_its_time_from_the_same_level_of_another_topology() -> None:
    cells = (CellProgress("solo", 8, 2, (10.0, 12.0)), CellProgress("shuffle", 8, 3))
    assert cell_remaining_s(cells[1], cells) == pytest.approx(33.0)


def test_an_unmeasured_level_is_scaled_from_the_nearest_one() -> None:
    cells = (CellProgress("solo", 1, 1, (4.0,)), CellProgress("solo", 64, 1))
    assert 4.0 < cell_remaining_s(cells[1], cells) < 64 * 4.0


def test_a_cell_that_is_over_costs_nothing_more() -> None:
    cells = (CellProgress("solo", 1, 5, (4.0,), over=True),)
    assert remaining_s(cells) == 0.0


def test_what_is_left_falls_by_the_second_while_a_wave_runs_and_no_further_than_by_that_wave() -> None:
    left = Remaining(cell_s=20.0, all_s=100.0, fraction=0.5, wave_s=10.0, sweep_s=50.0)
    assert left.into_wave(3.0) == Remaining(17.0, 97.0, 0.5, 10.0, 47.0)
    assert left.into_wave(60.0) == Remaining(10.0, 90.0, 0.5, 10.0, 40.0)
    assert NOT_KNOWN_YET.into_wave(3.0) == NOT_KNOWN_YET


def test_a_cell_that_goes_on_past_its_waves_takes_nothing_from_the_others() -> None:
    left = Remaining(cell_s=0.0, all_s=100.0, fraction=0.5, wave_s=10.0, sweep_s=50.0)
    assert left.into_wave(3.0) == left


def test_where_cells_end_early_the_others_are_expected_to_take_as_many_waves_as_those_took() -> None:
    early = "interval ±0.8 % after 2 of 50 waves"
    for ended_by, left_s in ((early, 2 * 5.0), (None, 50 * 5.0)):
        cells = [cell(1, "done", ended_by), cell(2, "waiting", None)]
        found = remaining([SWEEP], {1: cells}, {1: (5.0, 5.0)}, warmup_waves=0)
        assert found.all_s == pytest.approx(left_s)


SWEEP = SweepRow(1, 1, 0, "solo", "{}", "[]", "measuring", 0.0, 1.0, None, None, None)


def cell(number: int, state: str, ended_by: str | None) -> CellRow:
    return CellRow(number, 1, number, 8, 1, 1, 0, "waves", 50, state, None, None, None, None, None, ended_by)
