"""A topology has one colour on every screen and in every exported plot, in whichever race and at whichever place."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from sparktui.colours import FIRST, SLOTS, slot
from sparktui.exporting.palette import look
from sparktui.ui import themes
from sparktui.ui.colours import colour
from sparktui.ui.history_line import Layout
from sparktui.ui.history_view import HistoryRow, LevelWinner
from sparktui.ui.widgets.verdicts import VerdictTable
from tests.core.exports import exported
from tests.core.measured import store_campaign
from tests.ui.fixture_store import FINISHED
from tests.ui.viewing import Viewer, recorded, shown

SVG = "{http://www.w3.org/2000/svg}"
RATES = {1: (10.0, 11.0), 8: (80.0, 82.0)}


def style_of(content: Content, text: str) -> str:
    """Return the colour of the first piece that holds a text."""
    at = content.plain.index(text)
    styles = (str(span.style) for span in content.spans if span.start <= at < span.end)
    return next(found[0] for style in styles if (found := re.search(r"\$topology-\d", style)))


def test_a_topology_keeps_its_colour_whoever_races_with_it() -> None:
    for race in permutations(FIRST):
        assert [slot(name, race) for name in FIRST] == [0, 1, 2, 3]
    assert colour("shuffle", ["shuffle"]) == colour("3/shuffle", ["solo", "3/solo"]) == "$topology-3"


@given(st.sets(st.text("abcxyz-12", min_size=1), min_size=1, max_size=SLOTS))
def test_there_are_no_two_of_one_colour_in_a_race_and_no_order_changes_that(names: set[str]) -> None:
    slots = {name: slot(name, sorted(names)) for name in names}
    assert len(set(slots.values())) == len(names)
    assert slots == {name: slot(name, sorted(names, reverse=True)) for name in names}


def test_more_than_there_are_colours_share_them() -> None:
    names = [f"t{number}" for number in range(3 * SLOTS)]
    assert {slot(name, names) for name in names} == set(range(SLOTS))


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


def strokes(svg: bytes) -> dict[str, tuple[str, str]]:
    """Return what each topology's dots are drawn with: the colour on a light ground, and that on a dark one."""
    root = ElementTree.fromstring(svg)
    style = "".join(node.text or "" for node in root.iter(f"{SVG}style"))
    on_dark = dict(re.findall(r"\.(stroke\d+)\{stroke:(#\w+)\}", style))
    return {
        (tip.text or "").partition(", c")[0]: (dot.attrib["stroke"], on_dark[dot.attrib["class"].split()[-1]])
        for dot in root.iter(f"{SVG}path")
        if (tip := dot.find(f"{SVG}title")) is not None
    }


@pytest.mark.parametrize("names", [("shuffle", "solo"), ("mine-a", "mine-j", "solo", "dp2"), ("t7", "t6", "t5")])
async def test_a_topology_has_the_colour_in_a_plot_that_it_has_on_every_screen(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    path = tmp_path / "sparktui.db"
    campaign = await store_campaign(path, dict.fromkeys(names, RATES))
    on_screen = {name: f"topology-{slot(name, names)}" for name in names}
    expected = {name: (themes.LIGHT.variables[ink], themes.DARK.variables[ink]) for name, ink in on_screen.items()}
    assert strokes(exported(path, campaign, "svg")) == expected
    assert len(set(expected.values())) == len(names)
    alone = strokes(exported(path, campaign, "svg", topology=names[-1]))
    assert alone == {names[-1]: expected[names[-1]]}


def test_more_topologies_than_colours_are_told_apart_by_dashes() -> None:
    names = [f"t{number}" for number in range(2 * SLOTS)]
    looks = {name: look(name, names) for name in names}
    assert len({(one.colour, one.dash) for one in looks.values()}) == len(names)
