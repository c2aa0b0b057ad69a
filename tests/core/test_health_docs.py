"""Every warning links to a section that explains it, and every fault that can be played is listed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from sparktui.faults import FAULTS, Fault
from sparktui.nodes.health_finding import Finding, Kind

ROOT = Path(__file__).parents[2]


def test_every_finding_links_to_a_section_of_its_own() -> None:
    for kind in get_args(Kind):
        path, _, anchor = Finding(kind, "gf1", "", "").doc.partition("#")
        assert re.search(rf"^## {anchor}$", (ROOT / path).read_text(), re.MULTILINE)
        assert f"[{kind}](#{kind})" in (ROOT / path).read_text()


def test_every_fault_is_listed_with_what_comes_of_it() -> None:
    assert tuple(FAULTS) == get_args(Fault)
    text = (ROOT / "docs" / "health.md").read_text()
    assert all(f"| `{fault}` |" in text for fault in FAULTS)
