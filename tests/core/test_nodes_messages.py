"""What an agent says is taken as it is meant, and a moment that no clock shows as nothing said."""

from __future__ import annotations

import json

import pytest

from sparktui.moments import local_time
from sparktui.nodes.messages import parse, parse_lines


@pytest.mark.parametrize("t", ["1e20", "1e308", "-5", "1e999", "NaN"])
@pytest.mark.parametrize(
    "line",
    [
        '{"sample": {"t": T, "node": "gf1"}}',
        '{"guard": {"t": T, "level": "warn"}}',
        '{"acted": {"t": T}}',
        '{"replayed": {"samples": [{"t": 5, "node": "gf1"}], "acted": [{"t": T}]}}',
    ],
)
def test_a_moment_that_is_none_is_nothing_said(line: str, t: str) -> None:
    assert parse(line.replace("T", "5")) is not None
    assert parse(line.replace("T", t)) is None


def test_nesting_without_an_end_is_nothing_said() -> None:
    assert parse('{"sample": ' + "[" * 200_000) is None


def test_the_lines_of_a_file_are_taken_one_by_one() -> None:
    lines = [json.dumps({"note": {"t": 5, "what": "solo c4"}}), "torn", json.dumps({"acted": {"t": 6, "done": True}})]
    note, acted = parse_lines("\n".join(lines))
    assert note.note is not None
    assert note.note.what == "solo c4"
    assert acted.acted is not None
    assert acted.acted.done


def test_a_moment_beyond_every_calendar_is_a_dash() -> None:
    assert (local_time(1e20, "%Y"), local_time(float("nan"), "%Y")) == ("-", "-")
    assert local_time(1e9, "%Y") == "2001"
