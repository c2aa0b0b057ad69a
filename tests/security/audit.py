"""`make audit`: whether anything that sparktui depends on has a known vulnerability, as far as that can be asked.

A vulnerability fails. An index that cannot be reached, or that knows no vulnerabilities because it is a mirror, fails
only with AUDIT=required: work goes on without a network, but "none found" is never said where nobody was asked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ARGV = (str(Path(sys.executable).parent / "pip-audit"), "--local", "--skip-editable", "--progress-spinner", "off")
TIMEOUT_S = 60
OURS = "sparktui"


def main() -> int:
    """Ask, say what was found, and return the exit status."""
    try:
        done = subprocess.run(
            [*ARGV, "--timeout", "5", "--format", "json"], capture_output=True, text=True, timeout=TIMEOUT_S
        )
        document = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        document = {"why": f"pip-audit did not answer ({type(error).__name__})"}
    status, lines = judge(document, required=os.environ.get("AUDIT") == "required")
    print("\n".join(lines), file=sys.stderr)
    return status


def judge(document: dict[str, Any], *, required: bool) -> tuple[int, list[str]]:
    """Return the exit status for what pip-audit wrote, and what to say."""
    packages = [package for package in document.get("dependencies", ()) if package["name"] != OURS]
    asked = [package for package in packages if "skip_reason" not in package]
    found = [
        f"audit: {package['name']} {package['version']}: {known['id']}, mended in {_versions(known)}"
        for package in asked
        for known in package["vulns"]
    ]
    if found:
        return 1, found
    if not packages or len(asked) < len(packages):
        why = document.get("why", "their index knows no vulnerabilities, as a mirror does not")
        told = f"{len(packages) - len(asked)} of {len(packages)} packages" if packages else "everything"
        return int(required), [f"audit: {told} NOT AUDITED: {why}; AUDIT=required makes this fail"]
    return 0, [f"audit: {len(asked)} packages, no known vulnerability"]


def _versions(known: dict[str, Any]) -> str:
    return ", ".join(known["fix_versions"]) or "no version yet"


if __name__ == "__main__":
    sys.exit(main())
