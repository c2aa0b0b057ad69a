"""A pane may be made so narrow that nothing can be read on it, and wide again: the viewer stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.ui.fixture_store import FINISHED
from tests.ui.viewing import Viewer, recorded, shown

SIZES = ((1, 24), (3, 24), (80, 1), (1, 1), (80, 24))


@pytest.mark.parametrize("keys", [*"123456", ("2", "question_mark"), ("1", "ctrl+p")])
async def test_a_screen_outlives_a_terminal_of_one_column(tmp_path: Path, keys: Sequence[str]) -> None:
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(80, 24)) as pilot:
        await pilot.press(keys[0])
        viewer = await shown(pilot)
        await pilot.press(*keys[1:])
        for columns, rows in SIZES:
            await pilot.resize_terminal(columns, rows)
            await pilot.pause()
            viewer.screen.refresh(layout=True)
            await pilot.pause()
        assert viewer.is_running
