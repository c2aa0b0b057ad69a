"""A viewer whose time jumps: a laptop that slept, a clock that was set, the nights of summer time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sparktui.moments import local_time
from sparktui.store.reader import Reader
from sparktui.ui.naming import file_stem
from tests.runner.campaigns import PROFILE, Owner
from tests.runner.conftest import owner
from tests.ui.fixture_store import NOW
from tests.ui.viewing import Viewer, everything, recorded, shown

__all__ = ["owner"]
HOUR_S = 3600.0


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")  # as Europe/Berlin, and needs no files of time zones
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


@pytest.mark.usefixtures("berlin")
def test_the_nights_of_summer_time_show_the_hour_on_the_wall() -> None:
    spring, autumn = at(2026, 3, 29, 1), at(2026, 10, 25, 1)
    assert [local_time(spring + s) for s in (-1, 0)] == ["01:59:59", "03:00:00"]
    assert [local_time(autumn + s) for s in (-1, 0)] == ["02:59:59", "02:00:00"]
    assert [local_time(autumn + s) for s in (-HOUR_S, 0)] == ["02:00:00", "02:00:00"]
    assert file_stem((), "live", spring) == "sparktui-live-20260329-030000"


@pytest.mark.usefixtures("berlin")
async def test_screens_are_drawn_over_both_nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(120, 36)) as pilot:
        for moment in (at(2026, 3, 29, 0, 59), at(2026, 3, 29, 1, 1), at(2026, 10, 25, 0, 59), at(2026, 10, 25, 1, 1)):
            monkeypatch.setattr("tests.ui.viewing.NOW", moment)
            for key in "25":
                await pilot.press(key)
                assert everything(await shown(pilot))


@pytest.mark.parametrize("jump_s", [8 * HOUR_S, -8 * HOUR_S, 400 * 24 * HOUR_S, -NOW])
async def test_a_viewers_clock_that_jumps_changes_no_figure_of_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    store, campaign = recorded(tmp_path)
    viewer = Viewer(store, campaign)
    async with viewer.run_test(size=(120, 36)) as pilot:
        seen = []
        for moment in (NOW, NOW + jump_s, NOW):
            monkeypatch.setattr("tests.ui.viewing.NOW", moment)
            await pilot.press("4")
            compared = everything(await shown(pilot))
            for key in "2356":
                await pilot.press(key)
                assert everything(await shown(pilot)) or key in "36"
            seen.append(compared)
        assert seen[0] == seen[1] == seen[2]


def test_a_viewer_that_was_asleep_tells_all_it_missed_once_and_the_race_did_not_wait(owner: Owner) -> None:
    owner.type("run", owner.profile(PROFILE), "--only", "solo", "--detach")
    viewer = owner.start("attach", "last", "--plain")
    owner.until(lambda: owner.rows("SELECT 1 FROM wave"), "the first wave")
    os.kill(viewer.pid, signal.SIGSTOP)
    owner.until(lambda: owner.state() == "done", "the race's end")
    owner.until(lambda: not owner.rows("SELECT 1 FROM campaign WHERE exit_code IS NULL"), "its exit code")
    os.kill(viewer.pid, signal.SIGCONT)
    out, err = viewer.communicate(timeout=60)
    assert viewer.returncode == 0, err
    with Reader(owner.home / "data" / "sparktui.db") as reader:
        told = [event.text for event in reader.events_since(1)]
    lines = [line[10:] for line in err.splitlines()]
    for text in told:
        assert sum(line.endswith(text) or line.startswith(text) for line in lines) == told.count(text), text
    assert "solo" in out
