from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sparktui.listing import print_campaigns
from sparktui.store.writer import Writer
from sparktui.ui.history_line import Layout
from sparktui.ui.history_view import HistoryRow
from tests.core.measured import store_campaign

RATES = {"solo": {1: (10.0,)}}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPARKTUI_HOME", str(tmp_path))
    return tmp_path / "sparktui.db"


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """Return the words behind state, by number."""
    print_campaigns(as_json=False)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    return {words[0]: words[3:] for words in lines if words[0].isdigit()}


async def test_a_campaign_in_which_nothing_was_measured_is_not_called_measured(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store_campaign(store, RATES)
    async with await Writer.open(store) as writer:
        campaign = await writer.create_campaign(
            name="race", profile_yaml="", source="measured", host="here", version="1"
        )
        sweep = await writer.create_sweep(campaign, 0, "solo", fingerprint="{}")
        await writer.create_cell(sweep, 0, concurrency=1, pp=64, tg=8, depth=0, runs=1)
        await writer.set_campaign_state(campaign, "failed")
    assert listed(capsys) == {"1": ["done", "measured", "race"], "2": ["failed", "-", "race"]}


async def test_an_own_export_that_was_imported_keeps_its_mark_beside_that_it_was_imported(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await store_campaign(store, RATES, source="simulated")
    await store_campaign(store, RATES, source="simulated")
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE campaign SET origin = '{}' WHERE id = 2")
    assert listed(capsys) == {"1": ["done", "SIMULATED", "race"], "2": ["done", "SIMULATED", "race", "·", "IMPORTED"]}
    print_campaigns(as_json=True)
    assert [(row["id"], row["imported"]) for row in json.loads(capsys.readouterr().out)] == [(2, True), (1, False)]


@pytest.mark.parametrize("width", [80, 120])
def test_history_has_room_for_both_marks(width: int) -> None:
    row = HistoryRow("2", 2, "race", "simulated", "partial", 1, ("solo",), created=0.0, imported=True)
    line = str(Layout.of(width, [row]).line(row, marked=False))
    assert line.endswith("SIMULATED IMPORTED")
    assert len(line) <= width
    assert not row.resumable
    assert row.says("imported")
