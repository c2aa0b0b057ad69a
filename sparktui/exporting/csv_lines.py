"""Rows of a CSV as bytes, one at a time, so that a large campaign streams."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from sparktui.exporting.text import spreadsheet


def csv_line(values: Iterable[object]) -> bytes:
    """Return one row; no text in it can be taken for a formula, and None is an empty field."""
    line = io.StringIO()
    csv.writer(line).writerow([spreadsheet(value) for value in values])
    return line.getvalue().encode(errors="backslashreplace")
