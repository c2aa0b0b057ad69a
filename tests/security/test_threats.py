"""The table of docs/architecture.md names, for every line, tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
SECTION = re.compile(r"^## Who is trusted with what\n(.*?)^## ", re.MULTILINE | re.DOTALL)


def test_every_promise_is_held_by_tests_that_are_there() -> None:
    found = SECTION.search((TESTS.parent / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert found is not None
    rows = [line for line in found[1].splitlines() if line.startswith("| **")]
    assert len(rows) == 7
    for row in rows:
        named = re.findall(r"`(\w+/test_[\w*]+)`", row.rsplit("|", 2)[1])
        assert named, row
        assert all(list(TESTS.glob(f"{name}.py")) for name in named), named
