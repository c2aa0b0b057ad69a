"""No text of a profile becomes syntax: not in an argv, not in what is printed, not in the router's config."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sparktui.errors import ProfileError
from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import Profile
from sparktui.serving.plan import Step
from sparktui.serving.planner import assign_ports, plan
from sparktui.serving.render import command_line, render

HOSTILE = (
    "$(touch owned)",
    "`touch owned`",
    "; touch owned",
    "a && touch owned",
    'it\'s "quoted"',
    "two\nlines\n",
    "back\\slash\\n",
    "tab\tand \x1b[31mred\x1b[0m",
    "$HOME ${IFS} *?[a] {x,y} ~ !1",
    "é 漢 \u202e right to left",
    " leading and trailing ",
    "# no comment",
    "{unknown} {} {0}",
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


def profile_of(text: str, launcher: dict[str, object]) -> Profile:
    own = {} if launcher["launcher"] == "recipe" else {"env": {"OWN": text}}
    return profile_from_data(
        {
            "name": "hostile",
            "description": text,
            "nodes": {
                "a": {"address": "10.0.0.1", "workdir": f"/tmp/{text}"} | own,
                "b": {"host": "b", "workdir": f"~/{text}"},
            },
            "model": {"id": f"m{text}", "path": f"/{text}"},
            "serving": launcher,
            "topologies": {
                "solo": {"kind": "solo", "nodes": ("b",), "description": text},
                "pair": {"kind": "cluster", "nodes": ("a", "b")},
                "each": {
                    "kind": "replicas",
                    "nodes": ("a", "b"),
                    "router": {"executable": "/r" + text.replace("=", "")},
                },
            },
            "workload": {"sampling": {"extra_body": {text: text}}},
        },
        "hostile",
    )


def steps_of(profile: Profile) -> list[Step]:
    ports = {name: assign_ports(profile, name, itertools.count(18000)) for name in profile.topologies}
    return [step for name in profile.topologies for step in plan(profile, name, ports[name], Path("/state")).steps]


def shell_sees(line: str, cwd: Path) -> list[str]:
    """Return the words that a shell makes of a printed command, without running it."""
    done = subprocess.run(
        ["bash", "-c", f"show() {{ printf '%s\\0' \"$@\"; }}; show {line}"],
        cwd=cwd,
        capture_output=True,
        timeout=10,
        check=True,
    )
    assert not done.stderr
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.parametrize("text", HOSTILE)
def test_vllm_gets_every_word_as_it_stands(text: str) -> None:
    profile = profile_of(text, {"launcher": "vllm", "env": {"X": text}, "extra_args": (text, f"--flag={text}")})
    for step in steps_of(profile):
        if "serve" in step.argv:
            assert step.argv[2] == f"/{text}"
            assert step.argv[-2:] == (text, f"--flag={text}")
            assert step.argv[step.argv.index("--served-model-name") + 1] == f"m{text}"
            assert step.env["X"] == text
            assert step.cwd in (f"/tmp/{text}", f"~/{text}")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_command_gets_every_word_as_it_stands(text: str) -> None:
    profile = profile_of(text, {"launcher": "command", "argv": ("./serve", text, "{model}"), "env": {"X": text}})
    engines = [step for step in steps_of(profile) if step.title.startswith("engine")]
    assert {step.argv for step in engines} == {("./serve", text, f"m{text}")}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_recipe_gets_every_word_as_it_stands(text: str) -> None:
    profile = profile_of(text, {"launcher": "recipe", "recipe": f"r{text}", "image": "i", "extra_args": (text,)})
    launches = [step for step in steps_of(profile) if "run-recipe" in step.argv[0]]
    assert len(launches) == 4
    assert all(step.argv[1] == f"r{text}" and step.argv[-2:] == ("--", text) for step in launches)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_printed_is_read_back_by_a_shell_as_the_same_words(text: str, tmp_path: Path) -> None:
    profile = profile_of(text, {"launcher": "vllm", "env": {"X": text}, "extra_args": (text,)})
    for step in steps_of(profile):
        line = command_line(Step(step.node, step.title, step.argv, env=step.env))
        names = [f"{name}={value}" for name, value in step.env.items()]
        assert shell_sees(line, tmp_path) == [*names, *step.argv]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_printed_holds_nothing_a_terminal_acts_on(text: str) -> None:
    profile = profile_of(text, {"launcher": "vllm", "env": {"X": text}, "extra_args": (text,)})
    for name in profile.topologies:
        printed = render(plan(profile, name, assign_ports(profile, name, itertools.count(18000)), Path("/state")))
        assert printed.replace("\n", "").isprintable()
        assert all(line.startswith(("#", "a $ ", "b $ ")) for line in printed.splitlines() if line)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_routers_config_says_the_name_as_it_stands(text: str) -> None:
    profile = profile_of(text, {"launcher": "vllm"})
    router = steps_of(profile)[-1]
    config = yaml.safe_load(next(iter(router.files.values())))
    assert {entry["model_name"] for entry in config["model_list"]} == {f"m{text}"}


@settings(deadline=None, max_examples=40)
@given(TEXT)
def test_any_text_is_read_back_by_a_shell(text: str) -> None:
    step = Step("a", "t", ("x", text), env={"X": text})
    assert shell_sees(command_line(step), Path("/")) == [f"X={text}", "x", text]


def test_a_home_folder_is_left_to_the_nodes_shell_and_the_rest_of_it_is_not() -> None:
    step = Step("a", "t", ("true",), cwd="~/a; touch owned")
    assert command_line(step) == "cd ~/'a; touch owned' && true"


@pytest.mark.parametrize("text", ["-oProxyCommand=touch owned", "a;b", "$(x)", "a b", "a\nb", "a,b"])
def test_a_host_or_address_that_is_more_than_a_name_is_refused(text: str) -> None:
    for key in ("host", "address"):
        with pytest.raises(ProfileError):
            profile_from_data(
                {
                    "name": "x",
                    "nodes": {"n": {key: text}},
                    "model": {"id": "m"},
                    "serving": {"launcher": "vllm"},
                    "topologies": {"t": {"kind": "solo", "nodes": ("n",)}},
                },
                "x",
            )
