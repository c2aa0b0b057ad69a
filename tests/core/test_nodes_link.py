"""A runner's link to an agent outlives broken connections, dead agents and reboots, and loses no sample to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sparktui.errors import ConnectionLostError, HostError
from sparktui.nodes import link as link_module
from sparktui.nodes.guard import Limits
from sparktui.nodes.link import AgentLink
from sparktui.nodes.messages import Acted, Arm, GuardNews
from sparktui.nodes.news import Found, Lost, Merged, News
from sparktui.nodes.sample import NodeSample

from .fake_agent import FakeAgent, news_until

ARM = Arm("mark-1", (("docker", "kill", "vllm"),), Limits(12, 16, 6), "cluster-tp2")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(link_module, "LONGEST_WAIT_S", 0.001)


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[FakeAgent]:
    fake = FakeAgent(tmp_path)
    yield fake
    await fake.die()


@pytest.fixture
async def link(agent: FakeAgent) -> AsyncIterator[AgentLink]:
    made = AgentLink("gf1", agent)
    yield made
    await made.end()


async def found(link: AgentLink) -> AgentLink:
    """Wait until a link is up and has nothing more to ask for."""
    await news_until(link, Merged)
    return link


def arrived(news: list[News]) -> list[float]:
    """Return the moments of all samples, live or fetched, in the order of their arrival."""
    times: list[float] = []
    for each in news:
        times += [each.t] if isinstance(each, NodeSample) else []
        times += [sample.t for sample in each.samples] if isinstance(each, Merged) else []
    return times


async def test_an_agent_is_started_where_there_is_none_and_its_samples_are_handed_on(
    agent: FakeAgent, link: AgentLink
) -> None:
    await found(link)
    sample = agent.sample(101.0)
    assert await link.next() == sample
    assert agent.starts == 1


async def test_an_agent_that_is_there_is_not_started_again(agent: FakeAgent, link: AgentLink) -> None:
    await agent.start()
    await found(link)
    assert agent.starts == 1


async def test_what_was_sampled_before_the_first_connection_is_fetched(agent: FakeAgent, link: AgentLink) -> None:
    await agent.start()
    agent.sample(100.5)
    assert arrived(await news_until(link, Merged)) == [100.5]


async def test_a_clock_that_was_set_back_while_the_link_was_broken_loses_nothing(
    agent: FakeAgent, link: AgentLink
) -> None:
    await found(link)
    agent.sample(5000.0)
    await news_until(link, Merged)
    agent.hang_up()
    missed = [agent.sample(t).t for t in (101.0, 102.0, 103.0)]
    agent.written.append({"guard": {"t": 103.5, "level": "warn", "text": "gf1 has 11.0 GiB left"}})
    heard = await news_until(link, Merged, 2)
    assert arrived(heard) == missed
    assert [each.text for each in heard if isinstance(each, GuardNews)] == ["gf1 has 11.0 GiB left"]


async def test_a_node_whose_file_was_lost_is_heard_from_its_new_beginning(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    for t in (100.0, 101.0, 102.0):
        agent.sample(t)
    await news_until(link, Merged)
    await agent.die()
    agent.lose_file()
    again = [agent.sample(t).t for t in (103.0, 104.0)]
    assert arrived(await news_until(link, Merged)) == again


async def test_samples_taken_while_the_link_was_broken_arrive_once(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    agent.sample(101.0)
    await news_until(link, NodeSample)
    agent.hang_up()
    missed = [agent.sample(t).t for t in (102.0, 103.0, 104.0, 105.0, 106.0)]
    heard = await news_until(link, Merged, 2)
    agent.sample(107.0)
    heard += await news_until(link, NodeSample)
    assert sorted(arrived(heard)) == [*missed, 107.0]
    assert [each.how for each in heard if isinstance(each, Found)] == ["same"]


async def test_samples_that_the_agent_could_not_send_are_fetched_when_the_heartbeat_jumps(
    agent: FakeAgent, link: AgentLink
) -> None:
    await found(link)
    agent.sample(101.0)
    for t in (102.0, 103.0):
        agent.sample(t, live=False)
    agent.sample(104.0)
    assert sorted(arrived(await news_until(link, Merged))) == [101.0, 102.0, 103.0, 104.0]


async def test_an_agent_that_died_is_started_again_and_what_it_had_written_is_fetched(
    agent: FakeAgent, link: AgentLink
) -> None:
    await found(link)
    await agent.die()
    agent.sample(101.0)
    heard = await news_until(link, Merged)
    assert [each.how for each in heard if isinstance(each, Found)] == ["restarted"]
    assert arrived(heard) == [101.0]


async def test_a_node_that_has_rebooted_is_told_from_one_whose_agent_died(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    await agent.die()
    agent.boot = "boot-2"
    heard = await news_until(link, Found)
    assert [each.how for each in heard if isinstance(each, Found)] == ["rebooted"]


async def test_an_agent_that_hangs_is_killed_and_replaced_and_guards_again(
    agent: FakeAgent, link: AgentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "HELLO_S", 0.05)
    await found(link)
    async with listening(link):
        await link.arm(ARM, 10)
    agent.hangs = True
    await link.drop()
    heard = await news_until(link, Merged)
    assert [each.how for each in heard if isinstance(each, Found)] == ["replaced"]
    assert (agent.killed, agent.starts) == (1, 2)
    assert (await agent.told("arm", 2))["mark"] == "mark-1"


async def test_an_agent_that_was_not_reached_in_time_is_not_killed(
    agent: FakeAgent, link: AgentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "HELLO_S", 0.05)
    await found(link)
    agent.hangs = agent.far = True
    await link.drop()
    heard = await news_until(link, Lost, 2)
    assert heard[-1] == Lost("the agent on gf1 does not answer")
    assert (agent.killed, agent.starts) == (0, 1)
    agent.hangs = agent.far = False
    await news_until(link, Found)


async def test_what_a_node_says_of_another_is_not_taken(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    agent.say({"sample": {"t": 101.0, "node": "gf2", "heartbeat": 0}})
    agent.say({"sample": {"t": 102.0, "node": "gf1", "heartbeat": 1}})
    (mine,) = [each for each in await news_until(link, NodeSample) if isinstance(each, NodeSample)]
    assert mine.t == 102.0


async def test_an_agent_that_hangs_on_a_node_that_cannot_be_reached_is_tried_again(
    agent: FakeAgent, link: AgentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "HELLO_S", 0.05)
    await found(link)
    agent.hangs, agent.reachable = True, False
    await link.drop()
    await news_until(link, Lost, 2)
    agent.reachable = True
    await news_until(link, Found)
    assert (agent.killed, agent.starts) == (1, 2)


async def test_a_node_that_cannot_be_reached_is_news_and_is_tried_again(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    agent.reachable = False
    agent.hang_up()
    heard = await news_until(link, Lost, 2)
    assert heard[-1] == Lost("ssh gf1: no route to host")
    agent.reachable = True
    await news_until(link, Found)
    assert agent.starts == 1


async def test_a_connection_that_is_lost_while_an_agent_is_first_reached_is_no_news(
    agent: FakeAgent, link: AgentLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = agent.start

    async def lost_once() -> None:
        await start()
        monkeypatch.setattr(agent, "start", start)
        raise ConnectionLostError("ssh gf1: was ended by SIGKILL")

    monkeypatch.setattr(agent, "start", lost_once)
    assert isinstance(await link.next(), Found)
    assert agent.starts == 1


async def test_an_agent_that_cannot_be_started_says_why_and_what_to_do(agent: FakeAgent, link: AgentLink) -> None:
    agent.can_start = False
    assert await link.next() == Lost("gf1 has no python3 for its agent", "install one")


@asynccontextmanager
async def listening(link: AgentLink) -> AsyncIterator[None]:
    """Have what a link says taken in, as a runner does all the time."""

    async def listen() -> None:
        while True:
            await link.next()

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_arming_ends_when_the_agent_has_said_so(agent: FakeAgent, link: AgentLink) -> None:
    async with listening(link):
        await link.arm(ARM, 10)
        assert link.arming() == "mark-1"
        order = await agent.told("arm")
        assert order["stop"] == [["docker", "kill", "vllm"]]
        assert order["limits"]["loading_stop_bytes"] == 16


async def test_an_agent_that_does_not_arm_is_told_by_when_and_is_left_disarmed(
    agent: FakeAgent, link: AgentLink
) -> None:
    agent.arms = False
    async with listening(link):
        await agent.told("disarm")
        with pytest.raises(HostError, match="has not armed its guard within"):
            await link.arm(ARM, 0.05)
        await agent.told("disarm", 2)
        assert link.arming() is None


async def test_an_agent_started_again_is_armed_again_and_told_what_goes_on(agent: FakeAgent, link: AgentLink) -> None:
    async with listening(link):
        link.tell("loading")
        link.note("cluster-tp2 c16")
        await link.arm(ARM, 10)
        await agent.die()
        await agent.told("arm", 2)
        assert (await agent.told("phase", 2))["phase"] == "loading"
        assert (await agent.told("note", 2))["what"] == "cluster-tp2 c16"


async def test_an_agent_that_was_disarmed_while_the_link_was_broken_is_disarmed(
    agent: FakeAgent, link: AgentLink
) -> None:
    async with listening(link):
        await link.arm(ARM, 10)
        agent.hang_up()
        link.disarm()
        await agent.told("disarm")
        assert [order["do"] for order in agent.orders].count("arm") == 1


async def test_what_the_guard_did_while_nobody_was_connected_is_told(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    agent.hang_up()
    stop: dict[str, Any] = {"t": 102.0, "level": "stop", "text": "gf1 has 9.0 GiB left"}
    ran = [[["docker", "kill", "v"], None]]
    acted: dict[str, Any] = {"t": 102.0, "text": "", "ms": 12.0, "killed": [7], "ran": ran}
    agent.written += [{"guard": stop}, {"acted": acted}]
    heard = await news_until(link, Merged)
    assert [each.text for each in heard if isinstance(each, GuardNews)] == ["gf1 has 9.0 GiB left"]
    (told,) = (each for each in heard if isinstance(each, Acted))
    assert (told.killed, told.ran) == ((7,), ((("docker", "kill", "v"), None),))


async def test_the_end_of_a_link_is_the_end_of_its_agent(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    await link.end()
    assert agent.ended
    assert agent.cleared == 1


async def test_a_line_that_says_nothing_known_is_passed_over(agent: FakeAgent, link: AgentLink) -> None:
    await found(link)
    agent.say({"from a later version": {}})
    agent.say({"sample": {"t": "no number", "node": "gf1"}})
    sample = agent.sample(101.0)
    assert (await news_until(link, NodeSample))[-1] == sample
