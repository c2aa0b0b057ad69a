"""Reading a profile: what a good one becomes, and that every problem of a bad one is told at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from sparktui.errors import ExitCode, ProfileError
from sparktui.profile.expected import describe, hint_at, keys_at, launchers
from sparktui.profile.loader import MAX_BYTES, dump_profile, load_profile, parse_profile, profile_from_data
from sparktui.profile.model import FRAGILE_FLOORS, Floors, Profile, Vllm
from tests.core.good_profile import GOOD


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ProfileError) as caught:
        parse_profile(text, "x.yaml")
    assert caught.value.exit_code == ExitCode.USAGE
    return caught.value.problems


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def test_a_good_profile_keeps_what_it_says_and_fills_in_the_rest() -> None:
    profile = parse_profile(GOOD, "x.yaml")
    assert profile.name == "two"
    assert isinstance(profile.serving, Vllm)
    assert (profile.serving.port, profile.serving.master_port) == (8001, 29501)
    assert profile.topologies["pair"].nodes == ("gf2", "gf1")
    assert profile.workload.concurrency == (1, 2, 4)
    assert profile.workload.sampling.extra_body["top_k"] == 5
    assert profile.floors("gf1") == FRAGILE_FLOORS
    assert profile.floors("gf2") == Floors()
    assert not profile.simulated


def test_a_profile_does_not_change_after_loading() -> None:
    profile = parse_profile(GOOD, "x.yaml")
    with pytest.raises(ValidationError):
        profile.name = "other"


def test_a_dumped_profile_reads_back_the_same() -> None:
    profile = parse_profile(GOOD, "x.yaml")
    assert parse_profile(dump_profile(profile), "dump") == profile


def mistakes() -> list[tuple[str, str, str]]:
    text = (Path(__file__).parent / "data" / "bad_profiles.txt").read_text(encoding="utf-8")
    records = [block.splitlines() for block in text.split("\n\n")[1:]]
    return [(old[2:].replace("⏎", "\n"), new[2:].replace("⏎", "\n"), told[2:]) for old, new, told in records]


@pytest.mark.parametrize(("old", "new", "told"), mistakes(), ids=lambda text: text.strip()[:30])
def test_one_mistake_is_told_as_one_line(old: str, new: str, told: str) -> None:
    assert problems_of(changed(old, new)) == (f"x.yaml:{told}",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "x.yaml:1: the file is empty; expected a mapping with keys such as name, nodes, model"),
        ("# only a comment\n", "x.yaml:1: the file is empty; expected a mapping with keys such as name, nodes, model"),
        ("- a\n- b\n", "x.yaml:1: expected a mapping with keys such as name, nodes, model"),
        ("just text", "x.yaml:1: expected a mapping with keys such as name, nodes, model"),
        (
            "name: [1,\n",
            "x.yaml:2:1: broken YAML: expected a value, but found the end of the file "
            "while parsing a value that begins in line 2",
        ),
        (
            "name: two\n\tnodes: x\n",
            "x.yaml:2:1: broken YAML: found character '\\t' that cannot start any token "
            "(YAML indents with spaces, never with tabs)",
        ),
        (
            "name: 'two\n",
            "x.yaml:2:1: broken YAML: found unexpected end of stream "
            "while scanning text in quotes that begins in line 1",
        ),
        (
            "nodes:\n  gf1: {}\n   gf2: {}\n",
            "x.yaml:3:4: broken YAML: expected the end of it (look at the indentation), but found a mapping further in "
            "while parsing a mapping that begins in line 2",
        ),
        ("name two\nnodes: x\n", "x.yaml:2:6: broken YAML: mapping values are not allowed here"),
        ("a: &x 1\nb: *x\n", "x.yaml:2: aliases (*name) are not read: write the value out"),
        ("a: &a [*a]\n", "x.yaml:1: aliases (*name) are not read: write the value out"),
        ("a: " + "[" * 40 + "]" * 40, "x.yaml:1: nested more than 32 deep"),
        ("a: [" + "1," * 10_000 + "]", "x.yaml:1: more than 10000 values; expected a profile of some dozens"),
        (
            "a: 1\n---\nb: 2\n",
            "x.yaml:2:1: broken YAML: expected a single document in the stream, but found another document",
        ),
        ("name: a\x07b\n", "x.yaml:1:8: not a text file: it holds the character U+0007, which YAML does not allow"),
    ],
)
def test_what_is_no_profile_at_all_is_told_with_its_place(text: str, expected: str) -> None:
    assert problems_of(text) == (expected,)


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("fragile", "fragil")
        .replace("port: 8001", "prot: 8001")
        .replace("[gf2]}", "[gf3], max_model_len: lots}")
        .replace("[1, 2, 4]", "[2, 1]")
    )
    assert [line.split(" ")[:2] for line in problems_of(text)] == [
        ["x.yaml:4:", "nodes.gf1.fragil:"],
        ["x.yaml:10:", "serving.prot:"],
        ["x.yaml:13:", "topologies.solo.max_model_len:"],
        ["x.yaml:13:", "topologies.solo.nodes.0:"],
        ["x.yaml:16:", "workload.concurrency:"],
    ]


def test_a_flood_of_problems_is_cut_short() -> None:
    told = problems_of(GOOD + "".join(f"k{number}: 1\n" for number in range(150)))
    assert len(told) == 101
    assert told[-1] == "x.yaml: and 50 more"


def test_a_rule_of_a_whole_mapping_is_told_beside_a_wrong_key_in_it() -> None:
    told = problems_of(changed("[gf2]}", "[gf2, gf1], max_model_len: lots}"))
    assert [line.split(": ", 2)[1:] for line in told] == [
        ["topologies.solo", "kind solo takes exactly one node in nodes"],
        ["topologies.solo.max_model_len", "expected an integer from 1 to 2147483648, got 'lots'"],
    ]


@pytest.mark.parametrize("launcher", ["simulated", "external", "recipe", "vllm", "command"])
def test_the_launchers_union_never_shows_in_a_key(launcher: str) -> None:
    told = problems_of(changed("launcher: vllm", f"launcher: {launcher}\n  port: x"))
    assert told
    assert not any(f"serving.{launcher}." in line for line in told)


def test_pydantics_own_words_never_show() -> None:
    serving = "serving: {launcher: recipe, recipe: '', image: a b}"
    text = f"name: 3\nnodes: []\nmodel: {{}}\n{serving}\ntopologies: {{a: 1}}\nworkload: x\n"
    told = " ".join(problems_of(text)).lower()
    assert not any(
        word in told for word in ("input", "valid ", "validation", "pydantic", "dictionary", "instance", "tuple")
    )


def test_external_measures_one_solo_topology() -> None:
    text = changed("launcher: vllm\n  port: 8001\n  env: {NCCL_DEBUG: INFO}", "launcher: external\n  url: http://x:1")
    told = problems_of(text)
    assert [line.split(": ")[1] for line in told] == ["topologies", "topologies.pair.kind"]


def test_the_simulated_launcher_needs_simulated_nodes_and_weights() -> None:
    text = changed("launcher: vllm\n  port: 8001\n  env: {NCCL_DEBUG: INFO}", "launcher: simulated")
    assert [line.split(": ")[1] for line in problems_of(text)] == [
        "nodes.gf1.host",
        "nodes.gf2.host",
        "model.weights_gib",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8000",
        "ftp://x",
        "http://",
        "http://x:99999",
        "http://u:p@x",
        "http://x/?a=b",
        "http://a b",
        "http://[",
    ],
)
def test_only_a_base_address_without_secrets_is_a_url(url: str) -> None:
    data = {
        "name": "a",
        "nodes": {"n": {}},
        "model": {"id": "m"},
        "serving": {"launcher": "external", "url": url},
        "topologies": {"t": {"kind": "solo", "nodes": ("n",)}},
    }
    with pytest.raises(ProfileError) as caught:
        profile_from_data(data, "here")
    assert [line.split(": ")[:2] for line in caught.value.problems] == [["here", "serving.url"]]


def test_what_a_shell_of_spark_vllm_docker_would_read_is_refused() -> None:
    text = changed("launcher: vllm", "launcher: recipe\n  recipe: x\n  image: $(reboot)").replace("INFO", "'a; reboot'")
    told = problems_of(text.replace("10.0.0.2}", "10.0.0.2, env: {A: $(reboot)}}"))
    assert [line.split(": ")[1] for line in told] == ["nodes.gf2.env", "serving.image", "serving.env.NCCL_DEBUG"]
    assert all("hand it to a shell unquoted" in line for line in told[1:])


def test_a_missing_file_names_near_ones(tmp_path: Path) -> None:
    (tmp_path / "gemma.yaml").write_text(GOOD)
    with pytest.raises(ProfileError) as caught:
        load_profile(tmp_path / "gema.yaml")
    assert caught.value.problems == (
        f"{tmp_path}/gema.yaml: there is no such file; did you mean {tmp_path}/gemma.yaml?",
    )


def test_files_that_cannot_be_profiles_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "large.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    (tmp_path / "binary.yaml").write_bytes(b"name: x\n\xff\xfe\x00")
    (tmp_path / "nul.yaml").write_bytes(b"name: \x00\n")
    reasons = {}
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(ProfileError) as caught:
            load_profile(path)
        reasons[path.stem] = caught.value.problems[0].removeprefix(str(path))
    assert reasons == {
        "binary": ":2: not a text file: the byte 0xff is not UTF-8",
        "fifo": ": expected an ordinary file",
        "folder": ": expected a file, got a folder",
        "large": ": larger than 1 MiB; expected a profile of a few kilobytes",
        "nul": ":1:7: not a text file: it holds the character U+0000, which YAML does not allow",
    }


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_profile(path) == parse_profile(GOOD, "x.yaml")


def test_every_key_of_every_launcher_has_a_description() -> None:
    def walk(model: type[BaseModel], at: tuple[str, ...], data: object) -> None:
        assert keys_at(at, data) == tuple(model.model_fields)
        for name in model.model_fields:
            assert describe(hint_at((*at, name), data)) != "a value", (*at, name)

    walk(Profile, (), {})
    for name, arm in launchers().items():
        walk(arm, ("serving",), {"serving": {"launcher": name}})


def test_what_the_verdict_goes_by_is_checked_like_every_key() -> None:
    text = changed("workload:", "memory: {horizon_s: 0, host_gib: -1, margin_gib: many, unwatched: perhaps}\nworkload:")
    told = [line.split(": ", 2)[1:] for line in problems_of(text)]
    assert [key for key, _ in told] == ["memory.horizon_s", "memory.host_gib", "memory.margin_gib", "memory.unwatched"]
    assert "one of refuse, allow" in told[3][1]
