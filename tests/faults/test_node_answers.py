"""What a node answers to what is typed there, whatever it is: a typed error, or an answer that can be shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparktui.doctor.judge import Wanted, judge, unlike_versions
from sparktui.doctor.look import Answers, look, parsed
from sparktui.doctor.readings import sample_of
from sparktui.errors import SparktuiError
from sparktui.runner.node_facts import facts_of
from sparktui.serving import ssh
from sparktui.serving.host import Completed
from sparktui.serving.leftovers import containers_left, marked_pids, processes_left
from sparktui.serving.litellm_version import look_at
from sparktui.serving.recipe import known_flags
from sparktui.serving.ssh import SshHost
from sparktui.serving.whole import END
from sparktui.store.storable import storable
from tests.faults import tried

NUMBERS = ("0", "-1", "²", "٣", "9" * 5000, "1e999", "nan", "-inf", "0x1", "1_0", " 7 ", "", "100000")
SINGLE = ("time", "MemTotal", "MemAvailable", "addresses", "ray", "docker", "cache", "kernel", "gpu", "gpu_memory")
MANY = ("disk", "port", "interface", "rdma", "program", "image", "path", "hub", "reach")
ODD = (*NUMBERS, "up", "-", "ACTIVE", "/proc/", "yes ", "vllm", "\x1b[2J")
WORDS = st.one_of(st.sampled_from(ODD), st.text(max_size=8))
LINES = st.one_of(
    st.text(max_size=60),
    st.builds("{}\t{}".format, st.sampled_from((*SINGLE, *MANY)), st.lists(WORDS, max_size=4).map(" ".join)),
    st.builds("/proc/{}/{}".format, WORDS, st.sampled_from(["environ", "", "environ/x"])),
    st.builds("{} {}".format, WORDS, WORDS),
    st.builds("litellm-{}.{}.{}.dist-info".format, WORDS, WORDS, WORDS),
)
TEXTS = st.one_of(st.lists(LINES, max_size=8).map("\n".join), st.text())
WHOLE = st.one_of(TEXTS, TEXTS.map(f"{{}}\n{END}\n".format))
WANTED = Wanted(
    address="10.0.0.1",
    ports=(8000,),
    interfaces=("up", "vllm"),
    image="vllm",
    programs=("vllm",),
    ray="ray",
    model="m",
    docker=True,
    clustered=True,
    others={"gf2": "10.0.0.2"},
)


@dataclass(frozen=True, slots=True)
class Babbler:
    """A node that answers whatever it likes to whatever is typed."""

    answer: Completed

    async def run(self, argv: Sequence[str], **_: Any) -> Completed:
        assert argv
        return self.answer

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"asked for {name}")


BABBLERS = st.builds(Babbler, st.builds(Completed, st.sampled_from([0, 1, 3, 127]), WHOLE, TEXTS))


def asked(question: Awaitable[object]) -> object:
    """Return the answer; None for a typed error."""

    async def ask() -> object:
        return await question

    with tried.bad_input(), suppress(SparktuiError):
        return asyncio.run(ask())
    return None


@given(BABBLERS)
def test_what_is_left_on_a_node_is_what_can_be_left_there(node: Babbler) -> None:
    whole = node.answer.stdout.rstrip("\n").endswith(f"\n{END}")
    for found in (asked(processes_left(node, "gf1", "mark")), asked(containers_left(node, "gf1", "vllm"))):
        if not whole:
            assert found is None, "what is cut off proves nothing"
            continue
        assert isinstance(found, list)
        assert all(str(left).isprintable() for left in found), "it is told on a terminal"
    pids = asked(marked_pids(node, "mark"))
    assert isinstance(pids, tuple) is whole
    assert isinstance(pids, tuple | None)
    assert all(isinstance(pid, int) and 0 < pid < 2**31 for pid in pids or ()), "they are signalled"


def test_a_command_line_and_a_containers_state_are_told_without_what_a_terminal_would_obey() -> None:
    said = "/proc/17/environ\n17 vllm \x1b]0;owned\x07\x1b[2J\n0123456789ab Up \x1b[2J\n" + END
    node = Babbler(Completed(0, said, ""))
    for found in (asked(processes_left(node, "gf1", "mark")), asked(containers_left(node, "gf1", "vllm"))):
        assert isinstance(found, list)
        assert [str(left).isprintable() for left in found] == [True]


@given(BABBLERS)
def test_a_version_of_litellm_is_told_or_refused(node: Babbler) -> None:
    version = asked(look_at(node, "litellm", "gf1"))
    assert version is None or (isinstance(version, tuple) and version >= (1, 84, 0))


@given(TEXTS)
def test_flags_of_a_script_are_flags(text: str) -> None:
    with tried.bad_input():
        assert all(flag.startswith("-") for flag in known_flags(text))


@given(BABBLERS)
def test_every_finding_and_fact_is_made_of_what_a_node_says(node: Babbler) -> None:
    said = asked(look(node, ()))
    if isinstance(said, Answers):
        judged(said)


@given(
    st.dictionaries(st.sampled_from(SINGLE), st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=1)),
    st.dictionaries(st.sampled_from(MANY), st.lists(st.lists(WORDS, max_size=4).map(" ".join), max_size=3)),
)
def test_every_finding_and_fact_is_made_of_odd_answers(
    single: dict[str, list[str]], many: dict[str, list[str]]
) -> None:
    judged(Answers(single | many, asked_at=1000.0, took_s=0.1))


def judged(said: Answers) -> None:
    """Judge what was said; what comes of it can be stored."""
    with tried.bad_input():
        found = judge("gf1", WANTED, said)
        unlike_versions(found, "ray")
        facts, sample = facts_of(said), sample_of("gf1", said)
    assert len(found) > 5
    assert storable([sample]) == [sample]
    assert isinstance(total := facts.get("mem_total_bytes", 0), int)
    assert 0 <= total < 2**63


@given(TEXTS)
def test_lines_of_a_script_are_taken_apart(text: str) -> None:
    with tried.bad_input():
        assert all(isinstance(value, str) for values in parsed(text).values() for value in values)


@given(st.builds(Completed, st.sampled_from([0, 1]), TEXTS, TEXTS))
def test_a_process_that_was_started_on_a_node_has_a_number_or_there_is_none(answer: Completed) -> None:
    async def run(_: SshHost, argv: Sequence[str], **__: Any) -> Completed:
        assert argv
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SshHost, "run", run)
        started = asked(SshHost("gf1", Path("/nowhere")).spawn(["vllm"], log=Path("log")))
    assert started is None or (isinstance(started, ssh.SshProcess) and 0 < started.pid < 2**31)
