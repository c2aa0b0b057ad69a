"""The CSV of what a screen shows: whose figures they are, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sparktui.ui.naming import file_stem
from sparktui.ui.table_shown import TableShown, csv_chunks
from sparktui.ui.whose import Whose
from tests.ui.fixture_store import NOW

DEMO = Whose("demo", 12, "simulated", "running", NOW - 60)
HOSTILE = ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\t=1", "a,=1+1", 'a"\r\n=1')


def cells(table: TableShown, *whose: Whose) -> list[list[str]]:
    raw = b"".join(csv_chunks(table, "sweep", whose or (DEMO,), NOW)).decode()
    return list(csv.reader(io.StringIO(raw)))


def test_whose_figures_they_are_stands_above_them() -> None:
    rows = cells(TableShown(("concurrency", "value"), ((1, 38.68), (2, None)), (("unit", "tok/s"),)))
    facts = dict(rows[: rows.index(["concurrency", "value"])])
    assert facts["# warning"].startswith("SIMULATED")
    assert facts["# campaign"] == "12 demo"
    assert facts["# screen"].startswith("sweep of sparktui")
    assert facts["# taken"] == "2025-11-24 16:00:00 UTC"
    assert facts["# unit"] == "tok/s"
    assert rows[-2:] == [["1", "38.68"], ["2", ""]]


def test_what_was_measured_bears_no_warning() -> None:
    measured = Whose("mine", 3, "measured", "done", NOW)
    assert "SIMULATED" not in str(cells(TableShown(("a",), ()), measured))


@given(st.text() | st.sampled_from(HOSTILE), st.text() | st.sampled_from(HOSTILE))
def test_no_text_is_a_formula_wherever_it_stands(name: str, value: str) -> None:
    hostile = Whose(value, 1, "measured", "done", NOW)
    for row in cells(TableShown((name,), ((value,),), ((name, value),)), hostile):
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_file_name_is_one_name_whatever_things_are_called(name: str, screen: str) -> None:
    stem = file_stem((Whose(name, 1, "measured"),), screen, NOW)
    assert Path(stem).name == stem
    assert stem.isascii()
