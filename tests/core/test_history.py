"""What is said of a node afterwards, from its samples and the log alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.nodes.history import (
    ClosestCall,
    Episode,
    Mark,
    Run,
    clock,
    episodes,
    last_words,
    moment_of,
    running_at,
    slope_bytes_s,
    troubles,
)
from tests.core.node_samples import GIB, samples

TRACE = {0: 28.97, 2: 28.96, 4: 27.31, 6: 23.79, 8: 10.6, 10: 6.27}
CLUSTER, C16 = Run("cluster-tp2", 900.0, None), Run("cluster-tp2", 1_001.0, None, 16)


def left(t: float) -> int:
    before = 2 * int(min(t, 9.99) // 2)
    share = (t - before) / 2
    return int((TRACE[before] + (TRACE[before + 2] - TRACE[before]) * share) * GIB)


def mark(t: float, kind: str, node: str = "gf1", level: str = "warning") -> Mark:
    return Mark(t, level, node, kind, f"{kind} of {node}")


def test_last_words_say_what_was_left_how_it_fell_what_ran_and_how_long_ago_the_guard_warned() -> None:
    recorded = samples(10, phase="loading", mem_available_bytes=left)
    warned = episodes([mark(1_005.9, "guard-warn"), mark(1_010.0, "guard-stop", level="error")])
    said = str(last_words(recorded, [CLUSTER, C16], warned))
    assert said == (
        f"gf1 last seen {clock(1_010.0)}, 6.3 GiB left, falling 4.4 GiB/s, phase loading, topology cluster-tp2 c16; "
        "the guard had warned 4.1 s before"
    )


def test_last_words_of_a_node_at_rest_are_short() -> None:
    said = str(last_words(samples(10, phase="idle"), [], []))
    assert said == f"gf1 last seen {clock(1_010.0)}, 40.0 GiB left, steady, phase idle, no topology up"


def test_last_words_leave_out_a_pace_that_nobody_can_tell_and_show_an_unknown_figure_as_a_dash() -> None:
    said = str(last_words(samples(0, mem_available_bytes=None), [], []))
    assert said == f"gf1 last seen {clock(1_000.0)}, - GiB left, phase serving, no topology up"
    assert last_words([], [], []) is None


@pytest.mark.parametrize("over", [1_004.0, 999.0])
def test_a_warning_that_was_over_before_is_not_part_of_the_last_words(over: float) -> None:
    warned = [Episode("gf1", over - 3, over, "clear", ""), Episode("gf2", 1_002.0, None, "", "")]
    words = last_words(samples(10), [], warned)
    assert words is not None
    assert words.warned_before_s is None


def test_memory_that_comes_back_is_rising() -> None:
    assert "rising 2.0 GiB/s" in str(last_words(samples(10, mem_available_bytes=lambda t: int(2 * t * GIB)), [], []))


def test_one_wild_sample_does_not_change_the_slope() -> None:
    steady = samples(4)
    wild = samples(4, mem_available_bytes=lambda t: GIB if t == 3.5 else 40 * GIB)
    assert slope_bytes_s(steady) == slope_bytes_s(wild) == 0.0


def test_a_closest_call_names_node_topology_level_and_time() -> None:
    t = 1_764_000_000.0
    call = ClosestCall("gf1", t, 34 * GIB, Run("cluster-tp2", t - 9, None, 64))
    assert str(call) == f"gf1 never had less than 34.0 GiB left (cluster-tp2 c64, {clock(t)[:5]})"


def test_what_was_up_is_the_level_that_was_measured_or_the_topology_between_two() -> None:
    up = [Run("solo", 0, 100), Run("solo", 20, 50, 1), Run("shuffle", 150, None)]
    assert [str(running_at(up, t)) for t in (10, 20, 50, 60, 120, 200)] == [
        "solo",
        "solo c1",
        "solo c1",
        "solo",
        "None",
        "shuffle",
    ]


def test_an_episode_begins_with_the_first_warning_and_ends_cleared_stopped_or_never() -> None:
    told = [
        mark(5, "guard-stop", level="error"),
        mark(1, "guard-warn"),
        mark(3, "guard-warn"),
        mark(2, "guard-warn", "gf2"),
        mark(4, "guard-clear", "gf2", "info"),
        mark(9, "guard-warn"),
    ]
    assert [(e.node, e.start, e.end, e.ended) for e in episodes(told)] == [
        ("gf1", 1, 5, "stop"),
        ("gf2", 2, 4, "clear"),
        ("gf1", 9, None, ""),
    ]


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["guard-warn", "guard-clear", "guard-stop", "x"]))))
def test_episodes_of_a_node_never_overlap_and_only_the_last_may_be_open(told: list[tuple[float, str]]) -> None:
    found = episodes(mark(t, kind) for t, kind in told)
    for before, after in pairwise(found):
        assert before.end is not None
        assert before.end <= after.start


def test_troubles_are_what_went_wrong_in_the_order_it_happened_not_in_which_it_was_told() -> None:
    told = [mark(9, "agent-lost"), mark(3, "guard-stop"), mark(1, "guard-warn"), mark(5, "agent-back")]
    assert [found.kind for found in troubles(told)] == ["guard-stop", "agent-lost"]


@pytest.mark.parametrize(("data", "moment"), [({"t": 3}, 3.0), ({}, 7.0), ({"t": "soon"}, 7.0), ({"t": None}, 7.0)])
def test_a_line_of_the_log_speaks_of_its_own_moment_where_it_has_one(data: dict[str, object], moment: float) -> None:
    assert moment_of(data, 7.0) == moment
