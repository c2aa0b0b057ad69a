"""Where the agents of a campaign live: a private folder each, on this machine or on the node that it watches."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sparktui.errors import HostError, StoreError
from sparktui.nodes.broken_off import once_more
from sparktui.nodes.carry import DAMAGED, FILE, OLD, OLDEST_PYTHON, agent_file, unpack_argv
from sparktui.nodes.channel import Channel, open_relay, open_socket
from sparktui.nodes.link import Place
from sparktui.nodes.messages import Said, parse_lines
from sparktui.paths import ensure_private
from sparktui.profile.model import Profile
from sparktui.runner.plans import NODES
from sparktui.serving.host import Completed, Host
from sparktui.serving.leftovers import marked_pids, signal_all
from sparktui.serving.local import LocalHost
from sparktui.serving.ssh import SshHost
from sparktui.serving.whole import END, whole
from sparktui.store.rows import CampaignRow

AGENT = "agent"
"""What the store calls one among what was launched."""
AGENT_ENV = "SPARKTUI_AGENT"
"""An agent's own mark, not a launch's: what takes a launch down must not take its guard."""
ORPHAN_ENV = "SPARKTUI_ORPHAN_S"
"""For how many seconds an agent goes on without its runner; what the agent says where it is not set."""
CACHE = ".cache/sparktui/agents"
"""Under the login folder of another node."""
START_TIMEOUT_S = 30.0
LOOK_TIMEOUT_S = 20.0
TERM_S, KILL_S = 3.0, 3.0
POLL_S = 0.1
NOT_FOUND = 127
FLIGHT = f"""
for part in samples.1.jsonl samples.jsonl; do
    [ ! -e "$1/$part" ] || cat -- "$1/$part" || exit
done
printf '\\n%s\\n' "{END}"
"""
"""The last line of an agent that was killed may be half of one."""
REMOVE = 'rm -rf -- "$1" && { rmdir -- "$2" "$3" 2>/dev/null; true; }'
"""The folder, and those above it where they are empty then."""


def agent_mark(campaign: CampaignRow, node: str) -> str:
    """Return the mark of one node's agent: the same for whoever cleans up later, another in every store."""
    return f"{campaign.id}-{campaign.created:.6f}-{node}"


def homes_of(profile: Profile, campaign: CampaignRow, hosts: Mapping[str, Host], folder: Path) -> dict[str, AgentHome]:
    """Return where the agent of every node lives.

    Args:
        profile: The campaign's.
        campaign: Its row.
        hosts: By node.
        folder: The campaign's own, on this machine.
    """
    return {name: _place(profile, campaign, name, hosts[name], folder) for name in profile.nodes}


def _place(profile: Profile, campaign: CampaignRow, node: str, host: Host, folder: Path) -> AgentHome:
    simulated = folder / NODES if profile.nodes[node].host == "simulated" else None
    return home_of(node, agent_mark(campaign, node), host, folder, simulated)


def home_of(node: str, mark: str, host: Host, folder: Path, simulated: Path | None = None) -> AgentHome:
    """Return where the agent of one node lives.

    Args:
        node: Its name.
        mark: The agent's.
        host: The node.
        folder: The campaign's own, on this machine.
        simulated: Where simulated nodes keep their state, for one of those.
    """
    if isinstance(host, SshHost):
        return SshHome(node, mark, f"{CACHE}/{mark}", host)
    return LocalHome(node, mark, str(folder / "agents" / node), host, simulated)


@dataclass(frozen=True, slots=True)
class AgentHome(Place):
    """What the homes of agents have in common, wherever they are."""

    node: str
    mark: str
    folder: str
    """On another node it is under the login folder."""
    host: Host

    async def flight(self) -> list[Said]:
        """Return what agents have written into their file, oldest first.

        Raises:
            HostError: The node cannot be reached, or does not give all of it.
        """
        words = ["sh", "-c", FLIGHT, "sh", self.folder]
        done = await once_more(partial(self.host.run, words, timeout_s=LOOK_TIMEOUT_S))
        return parse_lines("\n".join(whole(done, f"what its agent wrote into {self.folder}", self.node)))

    async def kill(self) -> None:
        """End the agents that are left, by force.

        Raises:
            HostError: The node cannot be reached, or one does not end.
        """
        await self._signal(signal.SIGKILL, KILL_S)
        await self._must_be_gone()

    async def clear(self) -> None:
        """End the agents that are left, and remove their folder.

        Raises:
            HostError: The node cannot be reached, or something does not end.
        """
        await once_more(self._clear)

    async def _clear(self) -> None:
        if await self._signal(signal.SIGTERM, TERM_S) and await self._signal(signal.SIGKILL, KILL_S):
            await self._must_be_gone()
        words = (self.folder, above := os.path.dirname(self.folder), os.path.dirname(above))
        await self.host.run(["sh", "-c", REMOVE, "sh", *words], timeout_s=LOOK_TIMEOUT_S)

    async def _signal(self, number: signal.Signals, wait_s: float) -> bool:
        """Send a signal to all that are there, and wait for their end; return whether there were any."""
        if pids := await self._pids():
            await signal_all(self.host, pids, number)
            await self._gone_within(wait_s)
        return bool(pids)

    async def _must_be_gone(self) -> None:
        if pids := await self._pids():
            raise HostError(f"the agent on {self.node} does not end: process {pids[0]}", f"kill -9 {pids[0]}")

    async def _pids(self) -> tuple[int, ...]:
        return await marked_pids(self.host, self.mark, AGENT_ENV)

    async def _gone_within(self, seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while await self._pids() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - other processes
            await asyncio.sleep(POLL_S)

    def _words(self) -> list[str]:
        return ["--node", self.node, "--detach", *_orphan_words(os.environ.get(ORPHAN_ENV))]


@dataclass(frozen=True, slots=True)
class LocalHome(AgentHome):
    """On this machine."""

    simulated: Path | None = None
    """Where simulated nodes keep their state; None for the machine itself."""

    async def start(self) -> None:
        try:
            await asyncio.to_thread(ensure_private, Path(self.folder))
        except StoreError as error:
            raise HostError(error.message, error.hint) from error
        argv = [sys.executable, "-m", "sparktui.nodes.agent", *self._words(), "--folder", self.folder]
        argv += ["--simulated", str(self.simulated)] if self.simulated else []
        done = await LocalHost().run(argv, env={AGENT_ENV: self.mark}, cwd="/", timeout_s=START_TIMEOUT_S)
        if done.returncode != 0:
            raise HostError(f"the agent of {self.node} does not start: {_last_line(done)}")

    async def open(self) -> Channel:
        return await open_socket(Path(self.folder))


@dataclass(frozen=True, slots=True)
class SshHome(AgentHome):
    """On another node, to which the agent is carried."""

    host: SshHost

    async def start(self) -> None:
        argv = unpack_argv(self.folder, tuple(self._words()))
        done = await self.host.run(argv, env={AGENT_ENV: self.mark}, timeout_s=START_TIMEOUT_S, stdin=agent_file().data)
        if done.returncode != 0:
            raise _not_started(self.node, done)

    async def open(self) -> Channel:
        argv = self.host.command(["python3", f"{self.folder}/{FILE}", "connect"])
        return await open_relay(argv, self.host.destination)


def _orphan_words(seconds: str | None) -> tuple[str, ...]:
    try:
        return ("--orphan-s", str(float(seconds))) if seconds else ()
    except ValueError:
        raise HostError(f"{ORPHAN_ENV} is {seconds!r}", "it must be a number of seconds, such as 600") from None


def _not_started(node: str, done: Completed) -> HostError:
    oldest = ".".join(map(str, OLDEST_PYTHON))
    install = f"install Python {oldest} or newer there as python3; `memory: {{unwatched: allow}}` goes without a guard"
    if done.returncode == NOT_FOUND:
        return HostError(f"{node} has no python3 for its agent", install)
    if done.returncode == OLD:
        return HostError(f"python3 on {node} is {_last_line(done)}; its agent needs {oldest}", install)
    if done.returncode == DAMAGED:
        return HostError(f"the agent did not arrive on {node} as it was sent", "see whether ssh there prints anything")
    return HostError(f"the agent does not start on {node}: {_last_line(done)}")


def _last_line(done: Completed) -> str:
    lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"
