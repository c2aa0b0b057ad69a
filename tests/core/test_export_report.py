from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sparktui.importing.published import load_published
from sparktui.importing.save import save
from sparktui.store.writer import Writer
from tests.core.exports import RATES, exported, hostile_campaign
from tests.core.measured import store_campaign

SVG = "{http://www.w3.org/2000/svg}"
REFERENCES = ("src", "href", "xlink:href", "srcset", "action", "data", "poster", "background", "formaction")


class Page(HTMLParser):
    """What a browser would find in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.styles: list[str] = []
        self.text: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        (self.styles if self._inside == "style" else self.text).append(data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sparktui.db"


async def test_the_report_asks_for_nothing_from_outside(path: Path) -> None:
    for campaign in (await hostile_campaign(path), save(path, load_published("gemma4-26b-a4b"))):
        page = Page(exported(path, campaign, "html").decode())
        assert {tag for tag, _ in page.tags}.isdisjoint(
            {"script", "img", "link", "iframe", "object", "embed", "base", "form", "image", "use", "foreignobject"}
        )
        for _, attributes in page.tags:
            assert not attributes.keys() & set(REFERENCES)
            assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert not re.search(r"url\(|@import|https?:", "".join(page.styles))


async def test_the_policy_allows_the_one_style_sheet_and_nothing_else(path: Path) -> None:
    page = Page(exported(path, await store_campaign(path, RATES), "html").decode())
    (policy,) = [a["content"] for tag, a in page.tags if tag == "meta" and "http-equiv" in a]
    (style,) = page.styles
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


async def test_the_report_holds_plots_tables_answers_and_how_it_was_measured(path: Path) -> None:
    page = Page(exported(path, await store_campaign(path, RATES), "html").decode())
    assert [tag for tag, _ in page.tags].count("svg") == 3
    text = "\n".join(page.text)
    for part in (
        "When to use which",
        "How it was measured",
        "gf1",
        "usage",
        "kernel",
        "token_ids",
        "name: race",
        "0.1.0",
    ):
        assert part in text
    assert any(tag == "td" and "best" in (attributes.get("class") or "") for tag, attributes in page.tags)


@pytest.mark.parametrize("form", ["html", "svg"])
async def test_a_simulated_campaign_is_marked_on_top_and_across_every_plot(path: Path, form: str) -> None:
    text = exported(path, await store_campaign(path, RATES, source="simulated"), form).decode()  # type: ignore[arg-type]
    title = re.search(r"<title>(.*?)</title>", text)
    assert title is not None
    assert title[1].startswith("SIMULATED: ")
    assert text.count('class="mark"') == 3


async def test_the_svg_is_xml_that_names_itself_and_refers_to_nothing(path: Path) -> None:
    for campaign in (await hostile_campaign(path), await store_campaign(path, RATES)):
        root = ElementTree.fromstring(exported(path, campaign, "svg"))
        assert root.tag == f"{SVG}svg"
        assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
        for node in root.iter():
            assert node.tag.removeprefix(SVG) in {
                "svg",
                "title",
                "desc",
                "metadata",
                "style",
                "rect",
                "text",
                "g",
                "line",
                "path",
            }
            assert not any(name.endswith(("href", "src", "style")) or name.startswith("on") for name in node.attrib)
        told = json.loads("".join(node.text or "" for node in root.iter(f"{SVG}metadata")))
        assert {"fingerprints", "nodes", "profile_yaml", "measured_by", "exported_by", "simulated"} <= told.keys()
        style = "".join(node.text or "" for node in root.iter(f"{SVG}style"))
        assert not re.search(r"url\(|@import|https?:", style)


async def test_hostile_names_are_shown_as_text(path: Path) -> None:
    campaign = await hostile_campaign(path)
    page = Page(exported(path, campaign, "html").decode())
    text = "".join(page.text)
    assert "<script>alert(2)</script>" in text
    assert "\\x1b[31m\\x202ered" in text
    assert not any(character in text for character in ("\x1b", "\u202e"))


async def test_every_known_mean_has_a_mark_with_its_interval_and_a_gap_stays_a_gap(path: Path) -> None:
    rates: dict[str, dict[int, tuple[float, ...]]] = {
        "solo": {1: (10.0, 11.0), 2: (), 4: (30.0, 31.0)},
        "tp2": {1: (15.0, 15.2), 2: (20.0, 21.0), 4: (25.0, 26.0)},
    }
    root = ElementTree.fromstring(exported(path, await store_campaign(path, rates), "svg"))
    tips = [node.text or "" for node in root.iter(f"{SVG}title")]
    decode = {tip.partition(" tok/s (95 % interval ")[0] for tip in tips if " tok/s (95 % interval " in tip}
    assert {"solo, c1: 10.50", "solo, c4: 30.50", "tp2, c1: 15.10", "tp2, c2: 20.50", "tp2, c4: 25.50"} <= decode
    assert not any(tip.startswith("solo, c2:") for tip in tips)
    assert sum(tip.startswith("tp2, c2:") for tip in tips) == 3


async def test_a_cell_that_cannot_win_says_why_where_it_is_drawn(path: Path) -> None:
    campaign = await store_campaign(path, RATES, taints={("tp2", 1): "the client was late"})
    svg = exported(path, campaign, "svg").decode()
    assert "cannot win: the client was late" in svg
    page = Page(exported(path, campaign, "html").decode())
    assert any(attributes.get("title") == "cannot win: the client was late" for _, attributes in page.tags)


async def test_the_plot_names_who_ties_and_calls_nobody_a_winner_while_others_are_missing(path: Path) -> None:
    fast, slow = (100.0, 101.0, 99.0), (50.0, 51.0, 49.0)
    rates: dict[str, dict[int, tuple[float, ...]]] = {
        "solo": {1: slow, 8: slow},
        "tp2": {1: fast, 8: fast},
        "ray": {1: fast, 8: ()},
    }
    campaign = await store_campaign(path, rates)
    async with await Writer.open(path) as writer:
        await writer.set_cell_state(6, "skipped")
        await writer.set_sweep_state(3, "stopped")
    svg = exported(path, campaign, "svg").decode()
    assert "c1: a tie: tp2 = ray" in svg
    assert "c8: tp2 leads so far" in svg
    assert "wins" not in svg
