"""A CSV with a header and facts above it, row by row: a wrong value is named with its line and column."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

from sparktui.errors import ImportFileError
from sparktui.store.rows import MOST_AT_ONCE


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row of a CSV with a header: its values by column, and its line."""

    name: str
    line: int
    values: dict[str, str]

    def text(self, column: str) -> str:
        """Return a value without the spaces around it; empty where there is none."""
        return self.values.get(column, "").strip()

    def number(self, column: str) -> float | None:
        """Return a finite number not below zero; None where the value is blank or `-`."""
        text = self.text(column)
        if text in ("", "-"):
            return None
        try:
            value = float(text)
        except ValueError:
            raise self.wrong(column, "is not a number") from None
        if not math.isfinite(value) or value < 0:
            raise self.wrong(column, "is no finite number from 0 on")
        return value

    def count(self, column: str, at_least: int = 0, at_most: int = 2**31 - 1) -> int | None:
        """Return a whole number; None where the value is blank or `-`."""
        value = self.number(column)
        if value is None:
            return None
        if value != int(value) or not at_least <= value <= at_most:
            raise self.wrong(column, f"is no whole number from {at_least} to {at_most}")
        return int(value)

    def level(self, column: str) -> int | None:
        """Return how many requests at once; None where the value is blank or `-`."""
        return self.count(column, 1, MOST_AT_ONCE)

    def wrong(self, column: str, what: str) -> ImportFileError:
        """Return the error that names file, line, column and value."""
        return ImportFileError(f"{self.name}, line {self.line}: {column} {_short(self.text(column))!r} {what}")


def csv_rows(text: str, name: str) -> tuple[dict[str, str], tuple[str, ...], list[CsvRow]]:
    """Return a CSV's `# key: value` comments above its header, the header, and its rows.

    Raises:
        ImportFileError: A column twice, a row of another length than the header, or no row at all.
    """
    comments, skipped, body = _split_comments(text)
    reader = csv.reader(io.StringIO(body, newline=""), strict=True)
    try:
        header = tuple(column.strip() for column in next(reader, []))
        twice = next((column for index, column in enumerate(header) if column in header[:index]), None)
        if twice is not None:
            raise ImportFileError(f"{name}, line {skipped + 1}: two columns are called {_short(twice)!r}")
        rows = list(_rows(reader, header, name, skipped))
    except csv.Error as error:
        raise ImportFileError(f"{name}, line {skipped + reader.line_num}: {error}") from error
    if not rows:
        raise ImportFileError(f"{name}: no row below the header")
    return comments, header, rows


def _rows(reader: Iterator[list[str]], header: tuple[str, ...], name: str, skipped: int) -> Iterator[CsvRow]:
    for values in reader:
        line = skipped + reader.line_num  # type: ignore[attr-defined]
        if not any(value.strip() for value in values):
            continue
        if len(values) != len(header):
            raise ImportFileError(f"{name}, line {line}: {len(values)} values below {len(header)} columns")
        yield CsvRow(name, line, dict(zip(header, values, strict=True)))


def _split_comments(text: str) -> tuple[dict[str, str], int, str]:
    """Return the comments above the header, how many lines they take, and the rest."""
    comments: dict[str, str] = {}
    lines = io.StringIO(text, newline="")
    skipped = position = 0
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        key, colon, value = line.lstrip("# \t").partition(":")
        if colon and value.strip() and key.strip().replace("_", "").isalnum():
            comments[key.strip().lower()] = value.strip()
        skipped += 1
        position += len(line)
    return comments, skipped, text[position:]


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"
