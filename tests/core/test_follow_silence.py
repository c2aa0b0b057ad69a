"""A node that has gone silent: told once, its agent replaced where it hangs, and what is unguarded is said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sparktui.nodes import link as link_module
from sparktui.nodes.guard import Limits
from sparktui.nodes.link import AgentLink
from sparktui.nodes.messages import Arm
from sparktui.profile.model import Node
from sparktui.runner import follow
from sparktui.runner.follow import Follower
from sparktui.runner.guard_words import GuardWords
from sparktui.runner.journal import Journal
from sparktui.serving.local import LocalHost
from sparktui.store.reader import Reader
from sparktui.store.writer import Writer

from .fake_agent import DEADLINE_S, FakeAgent

ARM = Arm("mark-1", (), Limits(12, 16, 6), "solo")


@dataclass
class Watched:
    """A node that is followed, its agent, and what its follower has said."""

    agent: FakeAgent
    path: Path
    follower: Follower
    unguarded: list[str]

    def kinds(self) -> list[str]:
        with Reader(self.path) as reader:
            return [event.kind for event in reader.events_since(1)]

    async def until(self, kind: str) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while kind not in self.kinds():  # noqa: ASYNC110 - what is awaited is a row in the store
                await asyncio.sleep(0.01)


@pytest.fixture
async def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    for module, name, value in (
        (link_module, "FIRST_WAIT_S", 0.01),
        (link_module, "LONGEST_WAIT_S", 0.01),
        (link_module, "HELLO_S", 0.1),
        (follow, "LOOK_S", 0.02),
        (follow, "SILENT_S", 0.3),
        (follow, "UNGUARDED_S", 0.8),
    ):
        monkeypatch.setattr(module, name, value)
    path, agent = tmp_path / "store.db", FakeAgent(tmp_path)
    unguarded: list[str] = []
    async with await Writer.open(path) as writer:
        await writer.create_campaign(name="c", profile_yaml="", source="simulated", host="h", version="0")
        follower = Follower(
            node=Node(host="simulated"),
            host=LocalHost(),
            link=AgentLink("gf1", agent),
            journal=Journal(writer, 1),
            guard=await GuardWords.of("gf1", Journal(writer, 1), lambda *_: None),
            on_sample=lambda _: None,
            on_unguarded=lambda _, text: unguarded.append(text),
            new=True,
        )
        task = asyncio.create_task(follower.run())
        await agent.told("replay")
        agent.sample(time.time())
        await follower.tried.wait()
        yield Watched(agent, path, follower, unguarded)
        task.cancel()
        await asyncio.wait([task])
        await follower.link.end()


async def test_an_agent_that_hangs_is_replaced_and_heard_again(watched: Watched) -> None:
    watched.agent.hangs = True
    await watched.until("agent-restarted")
    assert watched.agent.killed == 1
    with Reader(watched.path) as reader:
        texts = {event.kind: event.text for event in reader.events_since(1)}
    assert texts["agent-restarted"].startswith("gf1: its agent hung, was killed, and was started again: gf1 last seen")
    assert watched.kinds()[:3] == ["agent-lost", "agent-back", "agent-restarted"]
    assert not watched.unguarded


async def test_a_node_whose_agent_cannot_be_replaced_is_unguarded(watched: Watched) -> None:
    watched.agent.hangs, watched.agent.can_start = True, False
    async with asyncio.timeout(DEADLINE_S):
        while not watched.unguarded:  # noqa: ASYNC110 - what is awaited is a call
            await asyncio.sleep(0.01)
    (text,) = watched.unguarded
    assert text.startswith("gf1 is not guarded any more: its agent has not answered for 1 s: gf1 has no python3")


async def test_a_node_whose_agent_samples_and_does_not_arm_is_unguarded(watched: Watched) -> None:
    watched.agent.arms = False
    arming = asyncio.create_task(watched.follower.link.arm(ARM, 30))
    async with asyncio.timeout(DEADLINE_S):
        while not watched.unguarded:
            watched.agent.sample(time.time())
            await asyncio.sleep(0.05)
    arming.cancel()
    assert watched.unguarded[0].startswith("gf1 is not guarded any more: its agent has not answered for 1 s")


async def test_an_agent_that_says_hello_and_nothing_more_is_told(watched: Watched) -> None:
    await watched.agent.die()
    await watched.until("agent-restarted")
    await watched.until("agent-lost")


async def test_a_runner_that_did_not_run_itself_calls_nobody_silent(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "OVERSLEPT_S", 0.2)
    for _ in range(3):
        time.sleep(0.5)  # noqa: ASYNC251 - what a stopped runner looks like to itself
        await asyncio.sleep(0.05)
    assert watched.kinds() == []
