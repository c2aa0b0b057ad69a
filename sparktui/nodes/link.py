"""The runner's side of an agent: starts it, hands on what it says, reaches it again after a broken link, ends it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from sparktui.errors import HostError
from sparktui.nodes.broken_off import once_more
from sparktui.nodes.channel import Channel, NoAgentError
from sparktui.nodes.messages import (
    Acted,
    Arm,
    Disarm,
    End,
    GuardNews,
    Hello,
    Note,
    Order,
    Replay,
    Replayed,
    Said,
    SetPhase,
)
from sparktui.nodes.news import Found, How, Lost, Merged, News
from sparktui.nodes.phase import Phase
from sparktui.nodes.received import Received
from sparktui.nodes.sample import NodeSample

HELLO_S = 8.0
"""An agent that has a connection and does not say so much as hello for so long hangs."""
END_S = 3.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 10.0
"""Between attempts to reach an agent; twice as long each time."""
STEADY_S = 10.0
"""A connection that lasted so long was none of a row of failures."""


class Place(Protocol):
    """Where a node's agent lives."""

    async def start(self) -> None:
        """Start an agent.

        Raises:
            HostError: It cannot be started there; the message says why.
        """

    async def open(self) -> Channel:
        """Open a line to it.

        Raises:
            NoAgentError: None listens; where a relay finds that out, the line's first `receive` raises it.
            HostError: The node cannot be reached; likewise.
        """

    async def kill(self) -> None:
        """End an agent that does not answer, by force; what it has written stays.

        Raises:
            HostError: The node cannot be reached, or it does not end.
        """

    async def clear(self) -> None:
        """End what is still there, and remove its folder.

        Raises:
            HostError: The node cannot be reached, or something does not end.
        """


class HungAgentError(HostError):
    """An agent is there, and says nothing."""


class AgentLink:
    """One node's agent, for as long as a campaign lives."""

    def __init__(self, node: str, place: Place) -> None:
        self.node = node
        self.phase: Phase = "idle"
        self._place = place
        self._received = Received()
        self._channel: Channel | None = None
        self._hello: Hello | None = None
        self._pending: deque[News] = deque()
        self._arming: Arm | None = None
        self._armed = asyncio.Event()
        self._what = ""
        self._wait_s = 0.0
        self._connected_at = 0.0
        self._hung = False
        """An agent that hung was killed, and no other has been met since."""
        self._unarmed_since: float | None = None
        """Since when the guard is to be armed and has not said that it is."""

    async def next(self) -> News:
        """Wait for the next news; where the agent cannot be reached, that is news too."""
        while not self._pending:
            if self._channel is None:
                await self._connect()
            else:
                await self._receive(self._channel)
        return self._pending.popleft()

    def tell(self, phase: Phase) -> None:
        """Tell the agent what is going on there: it samples faster while a model loads."""
        self.phase = phase
        self._send(SetPhase(phase))

    def note(self, what: str) -> None:
        """Tell the agent what is being measured, for the node's own file."""
        self._what = what
        self._send(Note(what))

    async def arm(self, order: Arm, timeout_s: float) -> None:
        """Let the guard stop what is about to be launched; `next` has to be awaited meanwhile.

        Raises:
            HostError: The agent has not said in time that it will.
        """
        self._arming = order
        self._disarmed()
        self._send(order)
        try:
            async with asyncio.timeout(timeout_s):
                await self._armed.wait()
        except TimeoutError:
            self.disarm()
            raise HostError(f"the agent on {self.node} has not armed its guard within {timeout_s:.0f} s") from None

    def disarm(self) -> None:
        """Let the guard stop nothing any more."""
        self._arming = None
        self._disarmed()
        self._send(Disarm())

    def _disarmed(self) -> None:
        self._armed.clear()
        self._unarmed_since = None if self._arming is None else asyncio.get_running_loop().time()

    def unarmed_s(self) -> float:
        """Return for how long the guard is to be armed and is not; 0 where it is, or is not to be."""
        since = self._unarmed_since
        return 0.0 if since is None else asyncio.get_running_loop().time() - since

    async def drop(self) -> None:
        """Give up a line on which nothing comes: the agent is reached anew, and replaced where it hangs."""
        if self._channel is not None:
            await self._channel.close()

    def arming(self) -> str | None:
        """Return the mark that the guard is armed for, or is to be."""
        return None if self._arming is None else self._arming.mark

    async def end(self) -> None:
        """End the agent, and leave nothing on the node.

        Raises:
            HostError: The node cannot be reached, or something is left there.
        """
        if (channel := self._channel) is not None:
            channel.send(End())
            try:
                async with asyncio.timeout(END_S):
                    while await channel.receive() is not None:
                        pass
            except (TimeoutError, HostError):
                pass  # what is left there is looked for below
            self._channel = None
            await channel.close()
        await self._place.clear()

    def _send(self, order: Order) -> None:
        if self._channel is not None:
            self._channel.send(order)

    async def _connect(self) -> None:
        await asyncio.sleep(self._wait_s)
        self._wait_s = min(max(2 * self._wait_s, FIRST_WAIT_S), LONGEST_WAIT_S)
        try:
            channel, hello = await once_more(self._reach)
        except HostError as error:
            self._pending.append(Lost(error.message, error.hint))
            return
        self._channel, self._connected_at = channel, asyncio.get_running_loop().time()
        how = self._how(hello)
        self._hello, self._hung = hello, False
        if how != "same":
            self._disarmed()
        self._pending.append(Found(hello, how))
        self._say_again()
        self._ask(self._received.connected(hello.heartbeat))

    async def _reach(self) -> tuple[Channel, Hello]:
        try:
            return await self._open()
        except NoAgentError:
            pass
        except HungAgentError:
            await self._place.kill()
            self._hung = True
        await self._place.start()
        return await self._open()

    async def _open(self) -> tuple[Channel, Hello]:
        channel = await self._place.open()
        try:
            async with asyncio.timeout(HELLO_S):
                while (said := await channel.receive()) is not None:
                    if said.hello is not None:
                        return channel, said.hello
        except TimeoutError:
            await channel.close()
            kind = HungAgentError if channel.reached else HostError
            raise kind(f"the agent on {self.node} does not answer") from None
        except BaseException:
            await channel.close()
            raise
        await channel.close()
        raise NoAgentError(f"the agent on {self.node} has ended")

    def _how(self, hello: Hello) -> How:
        before = self._hello
        if before is None:
            return "first"
        if (before.pid, before.started, before.boot_id) == (hello.pid, hello.started, hello.boot_id):
            return "same"
        if self._hung:
            return "replaced"
        return "restarted" if before.boot_id == hello.boot_id else "rebooted"

    def _say_again(self) -> None:
        """Tell an agent that was just reached everything that it may not know."""
        self._send(SetPhase(self.phase))
        if self._what:
            self._send(Note(self._what))
        self._send(self._arming or Disarm())

    def _ask(self, after: int | None) -> None:
        if after is not None:
            self._send(Replay(after))

    async def _receive(self, channel: Channel) -> None:
        try:
            said = await channel.receive()
        except HostError as error:
            said, lost = None, Lost(error.message, error.hint)
        else:
            lost = Lost(f"the connection to the agent on {self.node} has ended")
        if said is not None:
            self._take(said)
            return
        self._channel = None
        await channel.close()
        if asyncio.get_running_loop().time() - self._connected_at > STEADY_S:
            self._wait_s = 0.0
        self._pending.append(lost)

    def _take(self, said: Said) -> None:
        if said.sample is not None:
            self._take_sample(said.sample)
        elif said.replayed is not None:
            self._take_replayed(said.replayed)
        elif said.armed is not None:
            if self._arming is not None and said.armed.mark == self._arming.mark:
                self._armed.set()
                self._unarmed_since = None
        elif said.trouble is not None:
            self._pending.append(said.trouble)
        else:
            self._pending += [news for news in (said.guard, said.acted) if news is not None]

    def _take_sample(self, sample: NodeSample) -> None:
        new, ask = self._received.live(sample)
        self._ask(ask)
        if new and sample.node == self.node:
            self._pending.append(sample)

    def _take_replayed(self, replayed: Replayed) -> None:
        new, ask = self._received.replayed(replayed.samples, more=replayed.more)
        self._ask(ask)
        guard: list[GuardNews | Acted] = [*replayed.guard, *replayed.acted]
        guard.sort(key=lambda each: each.t)
        self._pending += guard
        mine = tuple(sample for sample in new if sample.node == self.node)
        self._pending.append(Merged(mine, self._received.caught_up))
