"""Tests of the line to another node's agent: what its end says of the agent, and what of the way there."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

from sparktui.errors import HostError
from sparktui.nodes.channel import LONGEST_SOCKET_PATH, NoAgentError, open_relay, open_socket
from sparktui.nodes.peer import listen


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


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder for temporary files: a disk is full, or a runner that is killed would leave them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux names open folders")
@pytest.mark.usefixtures("nowhere")
async def test_an_agent_in_a_deep_folder_is_reached_and_nothing_is_left_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * LONGEST_SOCKET_PATH)
    deep.mkdir()
    monkeypatch.chdir(deep)
    with listen() as listening:
        channel = await open_socket(deep)
        connection, _ = listening.accept()
        connection.close()
        assert await channel.receive() is None
        await channel.close()


@pytest.mark.usefixtures("nowhere")
async def test_a_relay_needs_no_temporary_folder() -> None:
    assert (await ended_by("echo 'nobody listens' >&2; exit 1")).message.endswith("nobody listens")


async def test_what_a_relay_leaves_running_does_not_hold_its_end_up() -> None:
    error = await ended_by("sleep 60 >/dev/null & echo $! >&2; exit 1")
    os.kill(int(error.message.rpartition(" ")[2]), signal.SIGKILL)
