"""Every warning links to a section that explains it, and every fault that can be played is listed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from sparktui.faults import FAULTS, Fault
from sparktui.nodes.health_finding import Finding, Kind
from sparktui.runner import follow, guard_words

ROOT = Path(__file__).parents[2]


def test_every_finding_links_to_a_section_of_its_own() -> None:
    for kind in get_args(Kind):
        path, _, anchor = Finding(kind, "gf1", "", "").doc.partition("#")
        assert re.search(rf"^## {anchor}$", (ROOT / path).read_text(), re.MULTILINE)
        assert f"[{kind}](#{kind})" in (ROOT / path).read_text()


@pytest.mark.parametrize("link", [follow.DOC, guard_words.DOC])
def test_what_the_log_says_of_a_node_links_to_a_section(link: str) -> None:
    path, _, anchor = link.partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / path).read_text(), re.MULTILINE)
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]


def test_every_fault_is_listed_with_what_comes_of_it() -> None:
    assert tuple(FAULTS) == get_args(Fault)
    text = (ROOT / "docs" / "health.md").read_text()
    assert all(f"| `{fault}` |" in text for fault in FAULTS)
