from __future__ import annotations

import csv
import io
import re
from itertools import pairwise
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.exporting.csv_lines import csv_line
from sparktui.exporting.labels import spread_out
from sparktui.exporting.markup import element, html, xml
from sparktui.exporting.scale import figure_axis, level_axis
from sparktui.exporting.text import markdown, markdown_line, moment, one_line, unguarded, visible
from sparktui.visible import visible_json


@given(st.text())
def test_visible_text_holds_no_character_that_acts(text: str) -> None:
    shown = visible(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", shown)
    shown.encode()
    assert visible(shown) == shown


@given(st.text(alphabet=st.characters(codec="utf-8", min_codepoint=32, exclude_categories=("C", "Z"))))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert visible(text) == text
    assert one_line(text) == text


@given(st.text())
def test_markdown_text_has_no_markup_left(text: str) -> None:
    shown = markdown_line(text)
    assert "\n" not in shown
    assert not re.search(r"<|>|(?<!\\)(?:\\\\)*[`*_\[\]|]", shown)
    assert not re.match(r"[-+#=>]|\d+[.)]", shown)
    assert "://" not in shown.replace("\\:", "")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cluster-tp2 (+46 %)", "cluster-tp2 (+46 %)"),
        ("a|b", "a\\|b"),
        ("<b>", "&lt;b&gt;"),
        ("http://x", "http\\://x"),
        ("a\nb", "a b"),
    ],
)
def test_markdown_escapes_no_more_than_it_must(text: str, shown: str) -> None:
    assert markdown(text) == shown


ACTS = st.text(alphabet="=+-@＝＋－＠;,\t\r\n'\" a")


@given(st.lists(st.one_of(ACTS, st.text(), st.floats(allow_nan=False), st.integers(), st.none()), min_size=2))
def test_a_csv_line_reads_back_and_holds_no_formula(values: list[object]) -> None:
    (row,) = csv.reader(io.StringIO(csv_line(values).decode(), newline=""), strict=True)
    assert len(row) == len(values)
    for value, field in zip(values, row, strict=True):
        if isinstance(value, float):
            assert float(field) == value
        if isinstance(value, str):
            assert not field.startswith(("\t", "\r", "\n"))
            assert not any(cell.startswith(tuple("=+-@＝＋－＠")) for cell in re.split("[;\t\r\n]", field))
            assert unguarded(field) == visible(value)


@pytest.mark.parametrize("text", ["a;=1+1", "a\t=1+1", "a\n=1+1", 'say "=1"', "a,=1"])
def test_a_text_that_could_end_a_cell_is_quoted(text: str) -> None:
    assert csv_line(("x", text, 1.5)).startswith(b'x,"')


def test_a_plain_text_is_not_quoted() -> None:
    assert (
        csv_line(("org/model-7B", "pp2048 @ d4096 (c4)", 1.5, None, 3))
        == b"org/model-7B,pp2048 @ d4096 (c4),1.5,,3\r\n"
    )


@given(st.text())
def test_visible_json_says_the_same_and_holds_no_character_that_acts(text: str) -> None:
    document = visible_json(msgspec.json.encode([text]))
    assert msgspec.json.decode(document) == [text]
    assert visible(document.decode()) == document.decode()


@given(st.text(), st.text())
def test_text_in_an_element_is_text_in_the_document(inside: str, attribute: str) -> None:
    made = element("p", inside, element("b", "x"), inside, title=attribute)
    read = ElementTree.fromstring(xml(made))
    assert [child.tag for child in read] == ["b"]
    assert "".join(read.itertext()).replace("\r", "\n") == f"{visible(inside)}x{visible(inside)}"
    assert html(made).count(b"<b>") == 1


@given(st.floats(1e-3, 1e9), st.floats(1e-3, 1e9), st.booleans())
def test_an_axis_holds_its_values_and_has_few_ticks_in_order(low: float, high: float, latency: bool) -> None:
    low, high = sorted((low, high))
    axis, ticks = figure_axis([low, high], 300.0, 0.0, latency=latency)
    assert 0 - 1e-6 <= axis.at(high) <= axis.at(low) <= 300 + 1e-6
    assert all(a < b for a, b in pairwise(ticks))
    assert 2 <= len(ticks) <= 9


@given(st.lists(st.integers(1, 4096), min_size=1, unique=True))
def test_levels_stand_in_order_between_the_edges(levels: list[int]) -> None:
    axis = level_axis(levels, 10.0, 100.0)
    places = [axis.at(level) for level in sorted(levels)]
    assert all(10 - 1e-6 <= place <= 100 + 1e-6 for place in places)
    assert all(a < b for a, b in pairwise(places))


@given(st.lists(st.floats(0, 300), max_size=12))
def test_labels_keep_their_order_and_do_not_cover_each_other(wanted: list[float]) -> None:
    places = spread_out(wanted, 15.0, 0.0, 300.0)
    ordered = [place for _, place in sorted(zip(wanted, places, strict=True))]
    assert all(b - a >= 15 - 1e-6 for a, b in pairwise(ordered))
    assert min(places, default=0) >= 0


def test_a_moment_out_of_any_calendar_is_unknown() -> None:
    assert (moment(0), moment(None), moment(1e300)) == ("1970-01-01 00:00:00 UTC", "-", "-")
