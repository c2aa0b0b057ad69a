"""What a check found: one line each, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "problem", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at on one node."""

    node: str
    subject: str
    verdict: Verdict
    text: str
    hint: str = ""
    """What to do; empty where there is nothing to do."""
    certain: bool = False
    """Nothing that needs it can come up there."""


def ok(node: str, subject: str, text: str) -> Finding:
    """Return a finding that needs no attention."""
    return Finding(node, subject, "ok", text)


def unknown(node: str, subject: str, text: str) -> Finding:
    """Return a finding that could not be made."""
    return Finding(node, subject, "unknown", text)
