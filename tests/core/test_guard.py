from __future__ import annotations

import pytest

from sparktui.nodes.guard import Guard
from sparktui.nodes.sample import NodeSample, Phase
from sparktui.profile.model import FRAGILE_FLOORS, GIB, Floors


def levels(guard: Guard, phase: Phase, *left_gib: float | None) -> list[str]:
    said: list[str] = []
    for left in left_gib:
        available = None if left is None else int(left * GIB)
        guard, decision = guard.observe(NodeSample(t=0, node="gf1", phase=phase, mem_available_bytes=available))
        said.append(decision.level)
    return said


def test_stops_on_the_second_sample_under_the_floor_of_the_phase() -> None:
    assert levels(Guard(FRAGILE_FLOORS), "loading", 30, 15.9, 15.8) == ["ok", "warn", "stop"]
    assert levels(Guard(FRAGILE_FLOORS), "serving", 15.9, 15.8, 5.9, 5.9) == ["ok", "ok", "warn", "stop"]


def test_one_wild_sample_stops_nothing() -> None:
    assert levels(Guard(FRAGILE_FLOORS), "serving", 36, 0.1, 36, 0.1, 36) == ["ok", "warn", "ok", "warn", "ok"]


def test_a_missing_reading_neither_stops_nor_forgives() -> None:
    assert levels(Guard(FRAGILE_FLOORS), "serving", 5, None, 5) == ["warn", "ok", "stop"]


def test_a_collapse_as_it_was_published_is_stopped_with_ten_gib_left() -> None:
    said = levels(Guard(FRAGILE_FLOORS), "loading", 28.97, 28.13, 27.31, 23.79, 15.2, 10.6, 6.27)
    assert said.index("stop") == 5


def test_an_ordinary_node_is_only_warned_before_its_floor() -> None:
    assert levels(Guard(Floors()), "serving", 9, 7.5, 7.4, 4.1) == ["ok", "warn", "warn", "warn"]


@pytest.mark.parametrize("phase", ["loading", "serving"])
def test_the_reason_names_node_phase_and_figures(phase: Phase) -> None:
    guard = Guard(FRAGILE_FLOORS, below=1)
    _, decision = guard.observe(NodeSample(t=0, node="gf1", phase=phase, mem_available_bytes=3 * GIB))
    assert decision.level == "stop"
    assert "gf1 has 3.0 GiB left" in decision.reason
    assert phase in decision.reason
