"""Whatever stands in a profile, the answer is a profile or one ProfileError with readable problems."""

from __future__ import annotations

import itertools
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.errors import ProfileError
from sparktui.profile.catalog import shipped_folder
from sparktui.profile.loader import dump_profile, parse_profile, profile_from_data
from sparktui.serving.planner import assign_ports, plan
from sparktui.serving.render import render

SHIPPED = {path.name: path.read_text(encoding="utf-8") for path in sorted(shipped_folder().glob("*.yaml"))}
SINGLE = "[]{},|>%#'\"\\~=\té\x00\x85\ufeff\u2028\ud800"
WORDS = [
    "name",
    "nodes",
    "serving",
    "launcher",
    "topologies",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "&a",
    "*a",
    "<<",
    "!!int",
    "? ",
]
ODDITIES = ["!!binary ", "---", "...", "1e3", "0x", "on", "2026-13-45", "1:30", ".nan", "9" * 5000, "null", "\x1b[31m"]
YAML_PIECES = st.sampled_from([*SINGLE, *WORDS, *ODDITIES])
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just(()), st.just({}), st.just(({},))
)


def problems_in(text: str) -> tuple[str, ...]:
    try:
        parse_profile(text, "x.yaml")
    except ProfileError as error:
        return error.problems or ("no problem was named",)
    return ()


def check(text: str) -> None:
    for line in problems_in(text):
        assert line.startswith("x.yaml:")
        assert line.isprintable()


@settings(deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@settings(deadline=None)
@given(st.lists(YAML_PIECES, max_size=40).map("".join))
def test_anything_made_of_yaml(text: str) -> None:
    check(text)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_shipped_profiles_with_text_cut_doubled_or_put_in(data: st.DataObject) -> None:
    text = SHIPPED[data.draw(st.sampled_from(sorted(SHIPPED)))]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    put = data.draw(st.one_of(st.just(""), st.just(text[start:end] * 2), YAML_PIECES))
    check(text[:start] + put + text[end:])


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_shipped_profiles_with_a_value_of_another_type_plan_or_are_refused(data: st.DataObject) -> None:
    profile = parse_profile(SHIPPED[data.draw(st.sampled_from(sorted(SHIPPED)))], "x.yaml")
    values = profile.model_dump()
    at: object = values
    while isinstance(at, dict) and at:
        key = data.draw(st.sampled_from(sorted(at)))
        if not isinstance(at[key], dict) or not at[key] or data.draw(st.booleans()):
            at[data.draw(st.sampled_from([key, key[:-1], key + "s", ""]))] = data.draw(ODD)
            break
        at = at[key]
    try:
        changed = profile_from_data(values, "x.yaml")
    except ProfileError:
        return
    assert parse_profile(dump_profile(changed), "dump") == changed
    for name in changed.topologies:
        render(plan(changed, name, assign_ports(changed, name, itertools.count(18000)), Path("/state")))


def test_every_line_of_a_shipped_profile_can_be_lost() -> None:
    for text in SHIPPED.values():
        lines = text.splitlines(keepends=True)
        for index in range(len(lines)):
            check("".join(lines[:index] + lines[index + 1 :]))


def test_every_scalar_of_a_shipped_profile_can_be_nothing() -> None:
    for text in SHIPPED.values():
        for line in {line for line in text.splitlines() if ": " in line and "{" not in line and "#" not in line}:
            check(text.replace(line, line.partition(": ")[0] + ":"))


def test_a_dump_is_plain_yaml() -> None:
    for text in SHIPPED.values():
        assert isinstance(yaml.safe_load(dump_profile(parse_profile(text, "x.yaml"))), dict)


@settings(deadline=None)
@given(st.text(st.sampled_from("\0\ud800\udfff\n\x07a"), min_size=1, max_size=5))
def test_a_description_of_any_characters_survives_the_dump_or_is_refused(text: str) -> None:
    values = parse_profile(SHIPPED["demo.yaml"], "x.yaml").model_dump() | {"description": text}
    try:
        profile = profile_from_data(values, "x.yaml")
    except ProfileError:
        assert set(text) & set("\0\ud800\udfff")
        return
    assert parse_profile(dump_profile(profile), "dump").description == text
