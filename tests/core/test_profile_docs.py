"""docs/profile.md names every key of a profile with its default, and every example in it is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sparktui.errors import ProfileError
from sparktui.profile.expected import launchers
from sparktui.profile.loader import EVERY_KEY, parse_profile
from sparktui.profile.model import (
    Floors,
    Memory,
    Model,
    Node,
    OwnFloors,
    Profile,
    Router,
    Sampling,
    Topology,
    Workload,
)

TEXT = (Path(__file__).parents[2] / "docs" / "profile.md").read_text(encoding="utf-8")
SECTIONS = dict(zip(*[iter(re.split(r"^#{2,3} (.+)$", TEXT, flags=re.MULTILINE)[1:])] * 2, strict=True))
"""What stands under each heading."""
EXAMPLES = {title: text for title, text in SECTIONS.items() if "```yaml" in text}
PLACES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The whole", Profile),
    ("nodes", Node),
    ("model", Model),
    ("topologies", Topology),
    ("topologies", Router),
    ("workload", Workload),
    ("workload", Sampling),
    ("memory", Memory),
    ("memory", Floors),
    *launchers().items(),
)


def default(field: FieldInfo) -> str:
    """Return a default as the page writes it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel) and not isinstance(value, OwnFloors):
        return "as below"
    if value in (None, "", {}, (), OwnFloors()):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{list(value) if isinstance(value, tuple) else value}`"


@pytest.mark.parametrize(("title", "model"), PLACES, ids=lambda part: getattr(part, "__name__", part))
def test_every_key_is_named_under_its_heading_with_its_default(title: str, model: type[BaseModel]) -> None:
    rows = [line for line in SECTIONS[title].splitlines() if line.startswith("| `")]
    for name, field in model.model_fields.items():
        if name != "launcher":
            assert [row for row in rows if row.startswith(f"| `{name}` | {default(field)} | ")], f"{title}: {name}"


def test_no_key_is_named_that_there_is_not() -> None:
    for title, text in SECTIONS.items():
        known = {name for place, model in PLACES if place == title for name in model.model_fields}
        assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) <= known, title


def test_every_launcher_has_an_example() -> None:
    assert set(EXAMPLES) == set(launchers())


@pytest.mark.parametrize("title", EXAMPLES)
def test_every_example_can_be_used(title: str) -> None:
    for text in re.findall(r"```yaml\n(.*?)```", EXAMPLES[title], re.DOTALL):
        assert parse_profile(text, title).serving.launcher == title


def test_what_is_wrong_with_a_key_leads_to_the_page() -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile("name: x\nnods: {}\n", "mine.yaml")
    assert caught.value.hint == EVERY_KEY
    with pytest.raises(ProfileError) as caught:
        parse_profile("a: [", "mine.yaml")
    assert caught.value.hint == ""
