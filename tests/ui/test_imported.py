"""What was imported has no profile, no waves and no samples, and is looked at like any other campaign."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sparktui.importing.published import load_published
from sparktui.importing.save import save
from sparktui.ui.widgets.outcome import Outcome
from sparktui.ui.widgets.verdicts import VerdictTable
from tests.core.imports import sample
from tests.ui.viewing import Viewer, everything, shown, text


async def test_compare_shows_the_published_winners(tmp_path: Path) -> None:
    store = tmp_path / "sparktui.db"
    campaign = save(store, load_published("gemma4-26b-a4b"))
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        viewer = await shown(pilot)
        decode = text(viewer.screen.query_one("#verdict-decode", VerdictTable)).splitlines()
        assert "cluster-tp2 +50 %" in decode[2]
        assert "shuffle +6" in decode[8]
        assert "pp1024 tg128" in everything(viewer)


@pytest.mark.parametrize(
    "name", ["llama-benchy-0.4.0-progress.jsonl", "llama-benchy-0.3.5.json", "guidellm-0.8.1.json"]
)
async def test_every_screen_opens_on_an_imported_campaign(tmp_path: Path, name: str) -> None:
    store = tmp_path / "sparktui.db"
    campaign = save(store, sample(name))
    async with Viewer(store, campaign).run_test(size=(80, 24)) as pilot:
        for key in "1234":
            await pilot.press(key)
            assert await shown(pilot)


async def test_a_topology_without_a_rival_is_no_winner_and_shows_what_it_reached(tmp_path: Path) -> None:
    store = tmp_path / "sparktui.db"
    campaign = save(store, sample("guidellm-0.8.1.json"))
    async with Viewer(store, campaign).run_test(size=(120, 36)) as pilot:
        await pilot.press("2")
        said = text((await shown(pilot)).panel(Outcome))
        await pilot.press("4")
        table = (await shown(pilot)).screen.query_one("#verdict-output", VerdictTable)
        compared = str(table.visual)
    assert re.search(r"output +c1 [\d.]+ +c4 [\d.]+ +tok/s", said)
    assert "Winner" not in compared
    assert "[" not in compared
