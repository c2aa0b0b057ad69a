"""Stored pictures of the screens that are demonstrated, at three sizes, dark and light."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.fixture_store import FINISHED, Race
from tests.ui.viewing import Viewer, recorded, shown

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("race", "size", "keys"),
    [
        pytest.param(Race(), (80, 24), "", id="live-80"),
        pytest.param(Race(), (120, 36), "t", id="live-120-light"),
        pytest.param(Race(), (200, 60), "", id="live-200"),
        pytest.param(FINISHED, (120, 36), "", id="live-over-120"),
        pytest.param(FINISHED, (120, 36), "3", id="sweep-120"),
        pytest.param(Race(), (80, 24), "3t", id="sweep-80-light"),
        pytest.param(FINISHED, (80, 24), "4", id="compare-80"),
        pytest.param(FINISHED, (120, 36), "4t", id="compare-120-light"),
    ],
)
def test_looks_as_stored(tmp_path: Path, snap_compare: Compare, race: Race, size: tuple[int, int], keys: str) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await pilot.press(*keys)
        await shown(pilot)
        await shown(pilot)

    assert snap_compare(Viewer(*recorded(tmp_path, race)), terminal_size=size, run_before=prepare)
