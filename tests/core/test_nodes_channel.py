"""Tests of the line to another node's agent: what its end says of the agent, and what of the way there."""

from __future__ import annotations

import pytest

from sparktui.errors import HostError
from sparktui.nodes.channel import NoAgentError, open_relay


async def ended_by(script: str) -> HostError:
    """Return what a relay that does nothing but end raises."""
    channel = await open_relay(["sh", "-c", script], "gf1")
    with pytest.raises(HostError) as raised:
        await channel.receive()
    await channel.close()
    return raised.value


async def test_a_relay_that_finds_no_agent_says_so() -> None:
    error = await ended_by("echo 'nobody listens' >&2; exit 1")
    assert isinstance(error, NoAgentError)
    assert error.message == "no agent answers on gf1: nobody listens"


@pytest.mark.parametrize(
    ("script", "why"), [("kill -KILL $$", "was ended by SIGKILL"), ("exit 255", "the connection was lost")]
)
async def test_a_way_that_is_cut_says_nothing_of_the_agent(script: str, why: str) -> None:
    error = await ended_by(script)
    assert not isinstance(error, NoAgentError)
    assert error.message == f"ssh gf1: {why}"
