"""Names from models, logs and imported files as text: shown, never obeyed, in whatever format they end up in."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import msgspec

from sparktui.units import UNKNOWN
from sparktui.visible import visible as visible

SIMULATED = "SIMULATED: made by the embedded engine, not a measurement"
"""What every file says that holds figures of the embedded engine."""

_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\\t\\r\\n"
"""What begins one, or is skipped before it; in full width too, as keyboards of East Asia have it."""
_GUARDED = re.compile(rf"(?:^|(?<=[;\t\r\n]))(?='*[{_FORMULA}])")
"""Also inside of a text: where a semicolon ends a cell, one that follows a comma is no longer within quotes."""
_GUARD = re.compile(rf"(?:^|(?<=[;\t\r\n]))'(?='*[{_FORMULA}])")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$@]|(?<=www)\.|:(?=//))", re.IGNORECASE)
_LINE_START = re.compile(r"^([-+#=>]|\d+(?=[.)]))")


def one_line(text: str) -> str:
    """Return `visible` text with every run of white space as one space."""
    return " ".join(visible(text).split())


def markdown(text: str) -> str:
    """Return text that Markdown shows as it is within a line: no markup, no HTML, no link, no end of a table's cell."""
    plain = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", plain)


def markdown_line(text: str) -> str:
    """Return `markdown` text that may also begin a line: no heading, and no item of a list."""
    return _LINE_START.sub(lambda start: f"&#{ord(start[0][0])};{start[0][1:]}", markdown(text))


def ascii_json(value: object) -> str:
    """Return JSON in ASCII alone: it stays JSON wherever `visible` text may stand."""
    return json.dumps(msgspec.to_builtins(value))


def spreadsheet(value: object) -> object:
    """Keep spreadsheets from taking a text for a formula, and terminals from obeying one; floats read back the same."""
    if isinstance(value, float):
        return repr(value)
    if not isinstance(value, str):
        return value
    return _GUARDED.sub("'", visible(value))


def unguarded(text: str) -> str:
    """Return what `spreadsheet` was given, as `visible` text."""
    return _GUARD.sub("", text)


def moment(t: float | None) -> str:
    """Format seconds since the epoch: `2026-11-24 01:35:00 UTC`; `-` where unknown or out of any calendar."""
    if t is None:
        return UNKNOWN
    try:
        return f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def iso_moment(t: float) -> str:
    """Format seconds since the epoch as ISO 8601; empty where out of any calendar."""
    try:
        return datetime.fromtimestamp(t, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return ""
