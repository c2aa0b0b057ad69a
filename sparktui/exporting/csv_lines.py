"""Rows of a CSV as bytes, one at a time, so that a large campaign streams."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sparktui.exporting.text import spreadsheet

_NOT_PLAIN = re.compile(r'[",;\t\r\n]')
"""A comma is not what every spreadsheet ends a cell at: where decimals have one, it is a semicolon."""


def csv_line(values: Iterable[object]) -> bytes:
    """Return one row; no text in it can be taken for a formula, and None is an empty field."""
    return (",".join(map(_field, values)) + "\r\n").encode(errors="backslashreplace")


def _field(value: object) -> str:
    text = "" if value is None else str(spreadsheet(value))
    return '"' + text.replace('"', '""') + '"' if _NOT_PLAIN.search(text) else text
