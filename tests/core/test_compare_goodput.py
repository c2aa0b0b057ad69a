"""How many users keep given limits: measured levels, the estimate between them, and what is not known."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sparktui.cli import cli
from sparktui.compare.cells import MeasuredCell
from sparktui.compare.goodput import Capacity, UserLimits, capacity
from sparktui.compare.workload import Workload
from sparktui.measure.cell import CellFigures, Figure, Stated
from sparktui.measure.figures import FIGURES
from sparktui.store.rows import CellRow

LOAD = Workload(1024, 128, 0, "waves")


def cell(level: int, *, barred: str | None = None, per_request: tuple[float, ...] = (), **means: float) -> MeasuredCell:
    row = CellRow(level, 1, level, level, 1024, 128, 0, "waves", 5, "done", None, 0.0, 1.0, None, None)
    figures = {name: Figure(FIGURES[name], (), stated=Stated(mean)) for name, mean in means.items()}
    if per_request:
        figures["decode_tps_stream"] = Figure(FIGURES["decode_tps_stream"], per_request)
    return MeasuredCell("t", row, CellFigures("usage", figures, waves=5, requests=5, errors=0), barred)


def within(limits: UserLimits, *cells: MeasuredCell) -> Capacity:
    return capacity("t", LOAD, cells, limits)


def test_between_two_levels_the_users_are_interpolated_on_both_logarithmic_axes() -> None:
    found = within(UserLimits(ttft_ms=1000), cell(8, ttft_p95_ms=500), cell(16, ttft_p95_ms=2000))
    assert found == Capacity("t", LOAD, 11, False, (8, 16), "ttft", ("95 % of requests",))  # 8 * 2**0.5


def test_the_limit_that_breaks_first_decides() -> None:
    cells = [cell(4, ttft_ms=400, decode_tps_stream=40.0), cell(8, ttft_ms=1010, decode_tps_stream=10.0)]
    found = within(UserLimits(ttft_ms=1000, tps_per_stream=20), *cells)
    assert (found.broken, found.users, found.basis) == ("tps_per_stream", 5, ("means",))


def test_the_slow_end_of_the_streams_is_held_against_the_limit_not_their_mean() -> None:
    streams = tuple([30.0] * 90 + [10.0] * 10)
    assert within(UserLimits(tps_per_stream=20), cell(2, per_request=streams)).users == 0
    assert within(UserLimits(tps_per_stream=20), cell(2, per_request=tuple([30.0] * 96 + [10.0] * 4))).users == 2


def test_levels_that_all_keep_the_limits_leave_room_for_more() -> None:
    found = within(UserLimits(ttft_ms=1000), cell(1, ttft_ms=100), cell(64, ttft_ms=900))
    assert (found.users, found.more, found.broken) == (64, True, None)


def test_nothing_is_said_beyond_a_cell_that_is_barred_or_without_the_figure() -> None:
    assert within(UserLimits(ttft_ms=1000), cell(1, ttft_ms=1), cell(2, ttft_ms=1, barred="late")).users == 1
    assert within(UserLimits(ttft_ms=1000), cell(1, decode_tps=1)).users is None
    assert within(UserLimits(tps_per_stream=1), cell(4, decode_tps=8)).basis == ("aggregate decode / users",)


@given(
    st.lists(st.floats(10, 1e5), min_size=2, max_size=7),
    st.floats(10, 1e5),
)
def test_the_users_lie_between_the_last_level_that_keeps_the_limit_and_the_next(
    ttfts: list[float], limit: float
) -> None:
    levels = [2**power for power in range(len(ttfts))]
    found = within(UserLimits(ttft_ms=limit), *(cell(n, ttft_ms=t) for n, t in zip(levels, ttfts, strict=True)))
    kept = next((at for at, ttft in enumerate(ttfts) if ttft > limit), len(ttfts))
    assert found.users is not None
    assert found.more == (kept == len(ttfts))
    assert (0 if kept == 0 else levels[kept - 1]) <= found.users <= (levels[kept] if kept < len(levels) else math.inf)


def test_limits_are_asked_for_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    words = ["compare", "published/gemma4-26b-a4b", "--ttft-ms", "1000"]
    text = CliRunner().invoke(cli, words, standalone_mode=False).output
    assert "Users within TTFT up to 1000 ms" in text
    data = json.loads(CliRunner().invoke(cli, [*words, "--json"], standalone_mode=False).output)["capacity"]
    found = {row["topology"]: (row["users"], row["between"]) for row in data["topologies"]}
    # 858 and 1361 ms at c8 and c16, 656 and 1166 ms: by hand, 8 * 2**(log(1000/858) / log(1361/858))
    assert (found["cluster-tp2"], found["shuffle"]) == ((10, [8, 16]), (13, [8, 16]))
    assert found["cluster-tp2-ray"] == (None, None)


@pytest.mark.parametrize("option", ["--ttft-ms", "--tps-per-stream"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_limit_is_a_finite_number(option: str, value: str) -> None:
    result = CliRunner().invoke(cli, ["compare", "published/gemma4-26b-a4b", option, value])
    assert result.exit_code == 2
    assert "is not a finite number" in result.output
