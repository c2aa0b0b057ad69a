"""Names from models, logs and imported files as text: shown, never obeyed, in whatever format they end up in."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, datetime

import msgspec

from sparktui.units import UNKNOWN

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$@]|(?<=www)\.|:(?=//))", re.IGNORECASE)
_LINE_START = re.compile(r"^([-+#=>]|\d+(?=[.)]))")
_KEPT = "\n\t"


def visible(text: str) -> str:
    """Return text without a character that a terminal, a browser or a reader's eye could take for something else.

    Control and format characters, such as escape sequences and the ones that turn the direction of writing, are
    written as `\\x1b`; line ends and tabs stay.
    """
    return "".join(c if c in _KEPT or _is_plain(c) else f"\\x{ord(c):02x}" for c in text)


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
    """Keep a spreadsheet from taking a text for a formula; floats are written so that they read back the same."""
    if isinstance(value, float):
        return repr(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def moment(t: float | None) -> str:
    """Format seconds since the epoch: `2026-11-24 01:35:00 UTC`; `-` where unknown or out of any calendar."""
    if t is None:
        return UNKNOWN
    try:
        return f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def _is_plain(c: str) -> bool:
    return c.isprintable() or unicodedata.category(c) == "Zs"
