"""The tables of promises in docs/architecture.md name, for every line, tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ARCHITECTURE = TESTS.parent / "docs" / "architecture.md"


@pytest.mark.parametrize("title", ["Who is trusted with what", "What it survives"])
def test_every_promise_is_held_by_tests_that_are_there(title: str) -> None:
    found = re.search(rf"^## {title}\n(.*?)^## ", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    rows = [line for line in found[1].splitlines() if line.startswith("| **")]
    assert len(rows) == 7
    for row in rows:
        named = re.findall(r"`(\w+/test_[\w*]+)`", row.rsplit("|", 2)[1])
        assert named, row
        assert all(list(TESTS.glob(f"{name}.py")) for name in named), named
