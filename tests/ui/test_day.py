"""A viewer that is left open: what it holds does not grow with the campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ui.replay import replay

MIB = 1024**2


@pytest.mark.timeout(300)
async def test_what_a_viewer_holds_does_not_grow_with_the_hours(tmp_path: Path) -> None:
    held = [rss async for rss in replay(tmp_path, 240)]
    settled = max(held[60:120])
    assert max(held[180:]) < settled + 12 * MIB, [rss // MIB for rss in held[::20]]
