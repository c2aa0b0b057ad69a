"""What `make check` looks for by itself: known vulnerabilities, and lint rules that nobody has quietly switched off."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.security.audit import judge

ROOT = Path(__file__).parents[2]
NOQA = re.compile(r"#\s*(?:ruff:\s*)?noqa\b(?P<rest>.*)")
WITH_REASON = re.compile(r"^: [A-Z]+\d+(?:, ?[A-Z]+\d+)* - \S.+$")


def package(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [], **more}


@pytest.mark.parametrize("required", [False, True])
def test_a_known_vulnerability_fails(required: bool) -> None:
    bad = package("bad", vulns=[{"id": "CVE-1", "fix_versions": ["1.1"]}])
    status, said = judge({"dependencies": [bad, package("good")]}, required=required)
    assert status == 1
    assert said == ["audit: bad 1.0: CVE-1, mended in 1.1"]


@pytest.mark.parametrize("packages", [[], [package("good"), {"name": "unknown", "skip_reason": "not found"}]])
def test_an_index_that_does_not_know_is_never_taken_for_none_found(packages: list[dict[str, Any]]) -> None:
    status, said = judge({"dependencies": packages}, required=False)
    assert status == 0
    assert "NOT AUDITED" in said[0]
    assert judge({"dependencies": packages}, required=True)[0] == 1


def test_all_good_is_said() -> None:
    status, said = judge(
        {"dependencies": [package("good"), package("sparktui", skip_reason="editable")]}, required=True
    )
    assert (status, said) == (0, ["audit: 1 packages, no known vulnerability"])


def test_the_security_rules_are_on_and_a_shell_stays_forbidden() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert {rule for rule in lint["ignore"] if rule.startswith("S")} == {"S101", "S603", "S607"}
    in_package = {path: rules for path, rules in lint["per-file-ignores"].items() if path.startswith("sparktui")}
    assert [rule for rules in in_package.values() for rule in rules if rule.startswith("S")] == ["S105"]


def test_every_exception_to_a_rule_has_its_reason() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "sparktui").rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (noqa := NOQA.search(line)) and not WITH_REASON.match(noqa["rest"])
    ]
    assert found == []
