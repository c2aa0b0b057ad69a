"""A topology has the same colour on every screen, in whichever race and at whichever place."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from sparktui.ui.colours import FIRST, colour, slot
from sparktui.ui.history_line import Layout
from sparktui.ui.history_view import HistoryRow, LevelWinner
from sparktui.ui.themes import ACCENTS
from sparktui.ui.widgets.verdicts import VerdictTable
from tests.ui.fixture_store import FINISHED
from tests.ui.viewing import Viewer, recorded, shown


def style_of(content: Content, text: str) -> str:
    """Return the colour of the first piece that holds a text."""
    at = content.plain.index(text)
    styles = (str(span.style) for span in content.spans if span.start <= at < span.end)
    return next(found[0] for style in styles if (found := re.search(r"\$topology-\d", style)))


def test_a_topology_keeps_its_colour_whoever_races_with_it() -> None:
    for race in permutations(FIRST):
        assert [slot(name, race) for name in FIRST] == [0, 1, 2, 3]
    assert colour("shuffle", ["shuffle"]) == colour("3/shuffle", ["solo", "3/solo"]) == "$topology-3"


@given(st.sets(st.text("abcxyz-12", min_size=1), min_size=1, max_size=ACCENTS))
def test_there_are_no_two_of_one_colour_in_a_race_and_no_order_changes_that(names: set[str]) -> None:
    slots = {name: slot(name, sorted(names)) for name in names}
    assert len(set(slots.values())) == len(names)
    assert slots == {name: slot(name, sorted(names, reverse=True)) for name in names}


def test_more_than_there_are_colours_share_them() -> None:
    names = [f"t{number}" for number in range(3 * ACCENTS)]
    assert {slot(name, names) for name in names} == set(range(ACCENTS))


async def test_history_and_compare_agree_though_the_order_is_another(tmp_path: Path) -> None:
    row = HistoryRow(
        "published/x", None, "x", "published", "done", 3, ("shuffle", "solo"),
        winners=(LevelWinner(64, "shuffle"),),
    )  # fmt: skip
    line = Layout.of(120, (row,)).line(row, marked=False)
    async with Viewer(*recorded(tmp_path, FINISHED)).run_test(size=(120, 36)) as pilot:
        await pilot.press("4")
        table = (await shown(pilot)).screen.query_one("#verdict-decode", VerdictTable).visual
    assert style_of(line, "shuffle") == style_of(table, "shuffle") == "$topology-3"
