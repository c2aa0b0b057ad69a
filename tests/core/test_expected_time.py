from __future__ import annotations

from pathlib import Path

import pytest

from sparktui.profile.loader import parse_profile
from sparktui.profile.model import Workload
from sparktui.runner.eta import CellProgress
from sparktui.runner.expected_time import Evidence, expected, expected_seconds, read_evidence
from tests.core.good_profile import GOOD
from tests.ui.fixture_store import FINISHED, PROFILE_YAML, build

LOAD = Workload(concurrency=(1, 4), runs=3, warmup_waves=1)


def evidence(
    *cells: tuple[str, int, tuple[float, ...]], launches: dict[str, tuple[float, ...]] | None = None
) -> Evidence:
    return Evidence(launches or {}, tuple(CellProgress(name, level, 4, waves) for name, level, waves in cells))


def test_a_launch_and_every_wave_of_every_level_are_counted_with_what_they_took() -> None:
    known = evidence(("solo", 1, (2.0, 2.2, 2.1)), ("solo", 4, (5.0,)), launches={"solo": (60.0, 80.0, 70.0)})
    assert expected(LOAD, "solo", known) == pytest.approx(70 + 4 * 2.1 + 4 * 5.0)


def test_its_own_waves_count_before_those_of_others() -> None:
    known = evidence(("cluster", 1, (9.0,)), ("solo", 1, (2.0,)), ("solo", 4, (5.0,)))
    assert expected(LOAD, "solo", known) == pytest.approx(4 * 2.0 + 4 * 5.0)


def test_a_topology_that_never_ran_takes_about_as_long_as_the_others() -> None:
    known = evidence(("solo", 1, (2.0,)), ("solo", 4, (5.0,)), launches={"solo": (60.0,)})
    assert expected(LOAD, "new", known) == pytest.approx(60 + 4 * 2.0 + 4 * 5.0)


def test_without_a_wave_nothing_is_said() -> None:
    assert expected(LOAD, "solo", evidence(("solo", 1, ()), launches={"solo": (60.0,)})) is None


def test_the_last_campaigns_of_the_same_name_and_load_are_the_evidence(tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    build(store, FINISHED)
    profile = parse_profile(PROFILE_YAML, "here")
    told = expected_seconds(store, profile)
    assert read_evidence(store, profile).launch_s["solo"] == pytest.approx([192.0])
    assert all(seconds is not None and seconds > 192 for seconds in told.values())
    other_load = parse_profile(PROFILE_YAML.replace("pp: 1024", "pp: 2048"), "here")
    assert set(expected_seconds(store, other_load).values()) == {None}


def test_without_a_store_nothing_is_known(tmp_path: Path) -> None:
    profile = parse_profile(GOOD, "here")
    assert set(expected_seconds(tmp_path / "none.db", profile).values()) == {None}
