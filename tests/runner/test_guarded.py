"""What goes on around a launch: whose guard is armed with what, what a node took, what is said of a silent one."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from sparktui.nodes.messages import Acted, GuardNews
from sparktui.nodes.sample import NodeSample
from sparktui.profile.loader import profile_from_data
from sparktui.profile.model import GIB, Profile
from sparktui.runner.extremes import Extremes
from sparktui.runner.guard_words import GuardWords, acted_text
from sparktui.runner.guarded import serves_on, stop_commands
from sparktui.runner.interrupt import Interrupt
from sparktui.runner.journal import Journal
from sparktui.runner.last_seen import in_words, last_seen
from sparktui.runner.watch import NodeWatch
from sparktui.serving.plan import Plan, Step
from sparktui.store.writer import Writer


def external(url: str) -> Profile:
    return profile_from_data(
        {
            "name": "up-already",
            "nodes": {"here": {"host": "local"}, "gf1": {"host": "gf1.lan", "address": "10.0.0.1"}},
            "model": {"id": "m"},
            "serving": {"launcher": "external", "url": url},
            "topologies": {"solo": {"kind": "solo", "nodes": ["gf1"]}},
        },
        "test",
    )


@pytest.mark.parametrize(
    ("url", "on"),
    [
        ("http://127.0.0.1:8000", ["here"]),
        ("http://localhost:8000/v1", ["here"]),
        ("http://10.0.0.1:8000", ["gf1"]),
        ("http://somewhere.else:8000", []),
    ],
)
def test_the_load_is_only_ended_for_a_node_that_the_server_is_on(url: str, on: list[str]) -> None:
    profile = external(url)
    assert [node for node in profile.nodes if serves_on(profile, node)] == on


def test_a_guard_is_given_the_containers_of_its_own_node_once() -> None:
    steps = (
        Step("gf1", "image on gf1", ("docker", "image", "inspect"), container="vllm_node"),
        Step("gf2", "image on gf2", ("docker", "image", "inspect"), container="vllm_node"),
        Step("gf2", "cluster from gf2", ("./run-recipe.sh",), container="vllm_node", starts_container=True),
        Step("gf2", "router", ("litellm",)),
    )
    plan = Plan("cluster-tp2", "m", "", (), steps)
    assert stop_commands(plan, "gf1") == (("docker", "kill", "vllm_node"),)
    assert stop_commands(plan, "gf2") == (("docker", "kill", "vllm_node"),)


def sample(t: float, left_gib: float | None, *, gpu_gib: float | None = None) -> NodeSample:
    left, gpu = (None if size is None else int(size * GIB) for size in (left_gib, gpu_gib))
    return NodeSample(t=t, node="gf1", phase="loading", mem_available_bytes=left, gpu_procs_bytes=gpu)


def test_what_a_topology_took_is_kept_apart_from_others_and_over_its_launches() -> None:
    extremes = Extremes()
    extremes.take(sample(0, 5))
    extremes.begin(1, ["gf1", "gf2"])
    for each in (sample(1, 90, gpu_gib=1), sample(2, None), sample(3, 40, gpu_gib=50), sample(4, 60)):
        extremes.take(each)
    first = extremes.end()
    extremes.take(sample(5, 1))
    extremes.begin(1, ["gf1"])
    extremes.take(sample(6, 70, gpu_gib=51))
    again = extremes.end()
    assert first["gf2"].least_left_bytes is None
    assert (again["gf1"].least_left_bytes, again["gf1"].most_gpu_bytes) == (40 * GIB, 51 * GIB)


def test_the_last_words_of_a_node_have_its_numbers() -> None:
    at = time.strftime("%H:%M:%S", time.localtime(1_000_005.0))
    falling = [sample(1_000_000.0 + second, 28.3 - 4.4 * second) for second in range(6)]
    assert last_seen(falling, "cluster-tp2 c16") == (
        f"gf1 last seen {at}, 6.3 GiB left, falling 4.4 GiB/s, loading cluster-tp2 c16"
    )
    steady = [sample(1_000_000.0 + second, 40.0) for second in range(6)]
    assert last_seen(steady, "solo") == f"gf1 last seen {at}, 40.0 GiB left, loading solo"
    assert "- GiB left" in last_seen([sample(1_000_000.0, None)], "")


@pytest.mark.parametrize(
    ("answers", "meaning"),
    [
        ({"ping": True, "ssh": True}, "ssh answers, only its agent is silent"),
        (
            {"ping": True, "ssh": False},
            "it answers ping, but neither ssh nor its agent: the kernel is up, userspace may be gone",
        ),
        ({"ping": False, "ssh": False}, "it answers neither ping nor ssh"),
        ({"ping": None, "ssh": False}, "ssh does not answer"),
        ({}, ""),
    ],
)
def test_what_still_answers_of_a_silent_node_is_told_apart(answers: dict[str, bool | None], meaning: str) -> None:
    assert in_words(answers) == meaning


def test_what_a_guard_did_is_one_sentence_with_its_reason() -> None:
    stop = GuardNews(t=1.0, level="stop", text="gf1 has 9.0 GiB left")
    acted = Acted(t=1.0, text="other words", ms=12.3, killed=(7, 8), ran=((("docker", "kill", "v"), None),))
    said = acted_text(acted, stop)
    assert said == "gf1 has 9.0 GiB left: 2 processes killed and `docker kill v` run 12 ms after the reading"
    nothing = acted_text(Acted(t=1.0, text="gf1 has 9.0 GiB left"), None)
    assert nothing == "gf1 has 9.0 GiB left: nothing of the launch was there to end"


async def test_a_guards_word_is_waited_for_but_not_for_ever() -> None:
    interrupt = Interrupt()
    assert not await interrupt.comes("guard", 0.01)
    waiting = asyncio.create_task(interrupt.comes("guard", 30))
    await asyncio.sleep(0)
    interrupt.request("guard", "gf1 has 9.0 GiB left")
    assert await waiting


async def test_a_stop_of_an_earlier_topology_that_is_heard_late_does_not_end_the_one_that_is_up(tmp_path: Path) -> None:
    ended: list[str] = []
    async with await Writer.open(tmp_path / "store.db") as writer:
        await writer.create_campaign(name="c", profile_yaml="", source="simulated", host="h", version="0")
        watch = NodeWatch(Journal(writer, 1), lambda _, text: ended.append(text), None)
        await watch.arm({}, required=True)
        watch._mark = "launch-b"
        guard = await GuardWords.of("gf1", watch.journal, watch._acted)
        await guard.acted(Acted(t=1.0, text="gf1 had 9 GiB", mark="launch-a"), "solo")
        assert (len(watch.acted), ended) == (1, [])
        await guard.acted(Acted(t=2.0, text="gf1 has 9 GiB", mark="launch-b"), "shuffle")
    assert len(ended) == 1
