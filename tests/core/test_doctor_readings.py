from __future__ import annotations

import os
from pathlib import Path

import pytest

from sparktui.doctor.look import Answers, look
from sparktui.doctor.readings import MEMORY_ONLY, gpu_bytes, read_nodes, sample_of, verdict_findings, verdicts
from sparktui.nodes.guard import GIB
from sparktui.nodes.sample import NodeSample
from sparktui.profile.catalog import find_profile
from sparktui.profile.external import profile_for_url
from sparktui.profile.loader import load_profile
from sparktui.serving.local import LocalHost

GIB_IN_KIB = 1024**2
SPARK = {"MemTotal": ["127600748"], "MemAvailable": [str(118 * GIB_IN_KIB)]}


def said(**values: str) -> Answers:
    return Answers({**SPARK, **{name: [value] for name, value in values.items()}}, asked_at=0, took_s=0)


@pytest.mark.parametrize(
    ("told", "unified"),
    [
        ("[N/A]", True),
        ("[Not Supported]", True),
        ("124610 MiB", True),
        ("0 MiB", True),
        ("81559 MiB", False),
        ("?", None),
    ],
)
def test_a_gpu_that_shares_the_nodes_memory_is_told_from_one_with_its_own(told: str, unified: bool | None) -> None:
    assert sample_of("gf1", said(gpu_memory=told)).unified is unified


def test_a_node_without_a_gpu_is_not_said_to_share_its_memory_with_one() -> None:
    sample = sample_of("gf1", said())
    assert (sample.unified, sample.mem_available_bytes) == (None, 118 * GIB)


def test_what_a_node_does_not_say_is_none() -> None:
    sample = sample_of("gf1", Answers({}, asked_at=0, took_s=0))
    assert (sample.mem_total_bytes, sample.mem_available_bytes) == (None, None)


def fake_nvidia_smi(folder: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = --query-gpu=name,memory.total ] && echo '{says}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize(
    ("says", "name", "own_bytes"),
    [
        ("NVIDIA GB10, [N/A]", "NVIDIA GB10", 0),
        ("NVIDIA H100 80GB HBM3, 81559 MiB", "NVIDIA H100 80GB HBM3", 81559 * 1024**2),
    ],
)
async def test_the_gpu_is_asked_its_name_and_memory_at_once(
    says: str, name: str, own_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvidia_smi(tmp_path, monkeypatch, says)
    answers = await look(LocalHost(), MEMORY_ONLY)
    assert (answers.one("gpu"), gpu_bytes(answers)) == (name, own_bytes)


async def test_a_driver_that_fails_is_told_and_says_nothing_of_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_nvidia_smi(tmp_path, monkeypatch, "NVIDIA-SMI has failed: no driver")
    answers = await look(LocalHost(), MEMORY_ONLY)
    assert (answers.one("gpu"), answers.one("gpu_memory")) == ("NVIDIA-SMI has failed: no driver", None)


async def test_a_question_about_memory_alone_asks_nothing_else() -> None:
    answers = await look(LocalHost(), MEMORY_ONLY)
    assert {"MemTotal", "MemAvailable"} <= answers.values.keys()
    assert answers.values.keys().isdisjoint({"disk", "port", "docker", "cache"})


async def test_nodes_are_read_wherever_they_are_and_one_that_does_not_answer_is_left_out() -> None:
    demo = await read_nodes(load_profile(find_profile("demo")))
    assert {name: sample.unified for name, sample in demo.items()} == {"gf1": True, "gf2": True}
    pair = await read_nodes(load_profile(find_profile("two-vllm")), timeout_s=5)
    assert list(pair) == ["one"]
    assert pair["one"].mem_available_bytes


def test_every_verdict_is_a_finding_on_its_node_with_its_arithmetic(tmp_path: Path) -> None:
    profile = load_profile(find_profile("gemma4-26b-a4b"))
    sample = sample_of("gf1", said(gpu_memory="[N/A]"))
    judged = verdicts(profile, tmp_path / "none.db", {"gf1": sample})
    found = [(f.node, f.verdict, f.text) for f in verdict_findings(judged) if f.text.startswith("cluster-tp2 ")]
    assert found == [
        (
            "gf1",
            "ok",
            "cluster-tp2 safe: 118.0 left - 88.2 needed = 29.8 GiB, over the 20 GiB a launch must leave "
            "(0.70 of 121.7 GiB is 85.2 and 3 GiB beside the GPU's)",
        ),
    ]


def test_a_refusal_is_a_problem_with_what_to_do(tmp_path: Path) -> None:
    profile = load_profile(find_profile("gemma4-26b-a4b"))
    short = NodeSample(t=0, node="gf1", mem_total_bytes=121 * GIB, mem_available_bytes=60 * GIB, unified=True)
    judged = verdicts(profile, tmp_path / "none.db", {"gf1": short})
    refused = [finding for finding in verdict_findings(judged) if finding.node == "gf1"]
    assert {finding.verdict for finding in refused} == {"problem"}
    assert all("free memory on gf1" in finding.hint for finding in refused)


def test_of_a_server_that_is_up_already_there_is_no_verdict(tmp_path: Path) -> None:
    profile = profile_for_url("http://127.0.0.1:1", "m")
    assert list(verdict_findings(verdicts(profile, tmp_path / "none.db", {}))) == []
