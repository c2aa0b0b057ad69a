from __future__ import annotations

import os
from pathlib import Path

import pytest

from sparktui.doctor.command import check
from sparktui.doctor.findings import Finding, Verdict
from sparktui.doctor.judge import Wanted, judge, unlike_versions
from sparktui.doctor.look import Answers, look, parsed
from sparktui.doctor.wanted import questions_for, wanted_of
from sparktui.errors import HostError
from sparktui.profile.catalog import shipped_folder
from sparktui.profile.loader import load_profile, profile_from_data
from sparktui.serving.local import LocalHost
from sparktui.serving.ssh import SshHost

GIB_IN_KIB = 1024**2


def answers(took_s: float = 0.1, **values: str | list[str]) -> Answers:
    said = {name: [value] if isinstance(value, str) else value for name, value in values.items()}
    return Answers(said, asked_at=1000.0, took_s=took_s)


def verdict(subject: str, wanted: Wanted, said: Answers) -> tuple[Verdict, str]:
    (found,) = [finding for finding in judge("gf1", wanted, said) if finding.subject == subject]
    assert found.hint or found.verdict in ("ok", "unknown")
    return found.verdict, found.text


def test_this_machine_answers_every_usual_question() -> None:
    found = {finding.subject: finding.verdict for finding in _checked()}
    assert {"clock", "system", "memory", "disk", "permissions"} <= found.keys()
    assert found["clock"] == "ok"


def _checked() -> list[Finding]:
    import asyncio

    return asyncio.run(check(None))


async def test_looking_changes_nothing_and_takes_no_word_for_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    hostile = "$(touch pwned); `touch pwned` '\"\n"
    monkeypatch.chdir(tmp_path)
    said = await look(LocalHost(), [("program", hostile), ("path", hostile), ("image", hostile), ("hub", hostile)])
    assert not (tmp_path / "pwned").exists()
    assert not (tmp_path / ".cache" / "sparktui").exists()
    assert said.values["path"][0].startswith("no ")


async def test_a_path_under_the_login_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "run me").write_text("#!/bin/sh\n")
    (tmp_path / "run me").chmod(0o755)
    said = await look(LocalHost(), [("program", "~/run me"), ("path", "~/run me"), ("program", "~/not there")])
    assert said.values["path"] == ["yes ~/run me"]
    assert said.values["program"] == [f"~/run me {(tmp_path / 'run me').resolve()}", "~/not there -"]


@pytest.mark.parametrize(
    ("there", "took_s", "expected"),
    [("1000.0", 0.1, "ok"), ("1000.9", 0.1, "ok"), ("1003.0", 0.1, "warning"), ("997.0", 0.1, "warning")],
)
def test_a_clock_is_judged_by_how_far_off_it_must_be(there: str, took_s: float, expected: str) -> None:
    assert verdict("clock", Wanted(), answers(took_s, time=there))[0] == expected


def test_a_slow_answer_is_not_taken_for_a_wrong_clock() -> None:
    assert verdict("clock", Wanted(), answers(10.0, time="1004.0"))[0] == "ok"


def test_memory_under_the_floor_is_a_problem() -> None:
    said = answers(MemTotal=str(121 * GIB_IN_KIB), MemAvailable=str(12 * GIB_IN_KIB))
    assert verdict("memory", Wanted(refuse_gib=20.0), said) == (
        "problem",
        "12.0 GiB left of 121.0, under the 20 it takes to launch",
    )
    assert verdict("memory", Wanted(refuse_gib=8.0), said)[0] == "ok"


def test_what_a_node_does_not_say_is_unknown_and_never_fine() -> None:
    wanted = Wanted(ports=(8000,), image="x", docker=True, programs=("vllm",), model="m", clustered=True)
    found = judge("gf1", wanted, answers())
    assert {f.subject for f in found if f.verdict == "ok"} == set()
    assert all(f.verdict == "unknown" or f.hint for f in found)


@pytest.mark.parametrize(
    ("subject", "wanted", "said", "expected"),
    [
        ("ports", Wanted(ports=(8000, 4000)), answers(port=["22", "8000"]), "problem"),
        ("ports", Wanted(ports=(8000,)), answers(port=["22"]), "ok"),
        ("address", Wanted(address="10.0.0.1"), answers(addresses="10.0.0.2 172.17.0.1"), "problem"),
        ("address", Wanted(address="10.0.0.2"), answers(addresses="10.0.0.2"), "ok"),
        ("address", Wanted(address="127.0.0.1"), answers(addresses="10.0.0.2"), "ok"),
        ("address", Wanted(address="127.0.0.1", clustered=True), answers(addresses="10.0.0.2"), "problem"),
        ("interface", Wanted(interfaces=("enp1",)), answers(interface=["eth0 up 1500 -"]), "problem"),
        ("interface", Wanted(interfaces=("enp1",)), answers(interface=["enp1 down 9000 -"]), "problem"),
        ("interface", Wanted(interfaces=("enp1",)), answers(interface=["enp1 up 1500 200000"]), "warning"),
        ("interface", Wanted(interfaces=("enp1",)), answers(interface=["enp1 up 9000 200000"]), "ok"),
        ("RDMA", Wanted(clustered=True), answers(rdma=["rocep1s0f0 ACTIVE 200"]), "ok"),
        ("RDMA", Wanted(clustered=True), answers(rdma=["rocep1s0f0 ACTIVE 25"]), "warning"),
        ("RDMA", Wanted(clustered=True), answers(rdma=["rocep1s0f0 DOWN 40"]), "warning"),
        ("program", Wanted(programs=("vllm",)), answers(program=["vllm -"]), "problem"),
        ("program", Wanted(programs=("vllm",)), answers(program=["vllm /opt/bin/vllm"]), "ok"),
        ("ray", Wanted(ray="ray"), answers(), "problem"),
        ("ray", Wanted(ray="ray"), answers(ray="2.60.0"), "ok"),
        ("docker", Wanted(docker=True), answers(), "problem"),
        ("docker", Wanted(docker=True), answers(docker="permission denied while trying"), "problem"),
        ("docker", Wanted(docker=True), answers(docker="28.2.2"), "ok"),
        ("image", Wanted(image="vllm:1"), answers(image=["vllm:1 -"]), "problem"),
        ("image", Wanted(image="vllm:1"), answers(image=["vllm:1 sha256:0123456789abcdef"]), "ok"),
        ("model", Wanted(model="/m"), answers(path=["no /m"]), "problem"),
        ("model", Wanted(model="a/b"), answers(hub=["no a--b"]), "warning"),
        ("model", Wanted(model="a/b"), answers(hub=["yes a--b"]), "ok"),
        ("reach", Wanted(others={"gf2": "10.0.0.2"}), answers(reach=["10.0.0.2|22 124"]), "problem"),
        ("reach", Wanted(others={"gf2": "10.0.0.2"}), answers(reach=["10.0.0.2|22 0"]), "ok"),
    ],
)
def test_each_subject_has_its_verdicts_and_what_to_do(
    subject: str, wanted: Wanted, said: Answers, expected: str
) -> None:
    assert verdict(subject, wanted, said)[0] == expected


def test_ranks_with_unlike_versions_are_a_problem() -> None:
    found = [Finding("gf1", "ray", "ok", "version 2.60.0"), Finding("gf2", "ray", "ok", "version 2.59.0")]
    (unlike,) = unlike_versions(found, "ray")
    assert (unlike.node, unlike.verdict) == ("gf2", "problem")
    assert unlike_versions(found[:1] * 2, "ray") == []


def test_a_profile_asks_its_nodes_for_what_it_needs_of_each() -> None:
    profile = load_profile(shipped_folder() / "two-vllm.yaml")
    one, two = wanted_of(profile, "one"), wanted_of(profile, "two")
    assert one.ports == (4000, 6379, 8000, 29501)
    assert two.ports == (8000,)
    assert one.interfaces == ("enp1s0f0np0",)
    assert one.others == {"two": "10.0.0.2"}
    assert one.ray == two.ray == "ray"
    assert ("reach", "10.0.0.1|22") in questions_for(two, profile, "two")
    assert ("hub", "Qwen--Qwen3-30B-A3B-Instruct-2507-FP8") in questions_for(one, profile, "one")


def test_the_published_profile_asks_for_its_image_and_recipe_script() -> None:
    profile = load_profile(shipped_folder() / "gemma4-26b-a4b.yaml")
    node = next(iter(profile.nodes))
    asked = questions_for(wanted_of(profile, node), profile, node)
    assert any(kind == "image" for kind, _ in asked)
    assert any(kind == "program" and what.endswith("/run-recipe.sh") for kind, what in asked)


def test_a_relative_program_is_looked_for_in_the_folder_it_is_run_in() -> None:
    profile = load_profile(shipped_folder() / "two-vllm.yaml")
    serving = profile.serving.model_copy(update={"executable": "venv/bin/vllm"})
    node = profile.nodes["one"].model_copy(update={"workdir": "~/work"})
    wanted = wanted_of(profile.model_copy(update={"serving": serving, "nodes": {**profile.nodes, "one": node}}), "one")
    assert wanted.programs == ("~/work/venv/bin/vllm",)
    assert wanted.ray == "~/work/venv/bin/ray"


async def test_a_login_shell_that_prints_for_every_command_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "ssh"
    fake.write_text('#!/bin/bash\necho "Welcome to spark"\nexec bash -c "${@: -1}"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    nodes = {"far": {"host": "far"}}
    topologies = {"solo": {"kind": "solo", "nodes": ("far",)}}
    data = {
        "name": "x",
        "nodes": nodes,
        "model": {"id": "m"},
        "serving": {"launcher": "vllm"},
        "topologies": topologies,
    }
    found = await check(profile_from_data(data, "x"))
    (said,) = [finding for finding in found if finding.subject == "ssh"]
    assert said.verdict == "warning"
    assert "Welcome to spark" in said.text


async def test_a_login_shell_that_cannot_run_the_questions_is_told_and_nothing_is_taken_for_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "ssh"
    fake.write_text("#!/bin/sh\necho \"Unmatched ''.\" >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(HostError, match="its shell cannot run what is asked: Unmatched"):
        await look(SshHost("far", tmp_path), ())


async def test_a_node_that_cannot_be_reached_is_one_problem_with_what_to_do(tmp_path: Path) -> None:
    profile = profile_from_data(
        {
            "name": "x",
            "nodes": {"far": {"host": "no-such-host.invalid"}},
            "model": {"id": "m"},
            "serving": {"launcher": "vllm"},
            "topologies": {"solo": {"kind": "solo", "nodes": ("far",)}},
        },
        "x",
    )
    (found,) = await check(profile)
    assert (found.node, found.subject, found.verdict) == ("far", "ssh", "problem")
    assert "BatchMode" in found.hint or "PATH" in found.hint


def test_lines_that_are_no_answers_are_left_out() -> None:
    assert parsed("hello\na\t1\na\t2\n\tx\n") == {"a": ["1", "2"], "": ["x"]}
