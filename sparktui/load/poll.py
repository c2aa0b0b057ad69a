"""Reads many sockets off one epoll of their own, which the event loop sees as a single file.

The loop's own way costs a selector key, a handle and a queue entry for every readable socket of every step: more than
the read itself.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

_ROUNDS = 8
"""Looks at what has become readable meanwhile, before the loop gets its turn."""

_polls: WeakKeyDictionary[asyncio.AbstractEventLoop, ReadPoll] = WeakKeyDictionary()


class ReadPoll:
    """The sockets of one event loop that wait to be read; Linux only."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self.looked_before_ns = 0
        """When it had looked the last time before: what is read now was not there then."""
        self._looked_ns = 0
        loop.add_reader(self._epoll.fileno(), self._poll)

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> ReadPoll:
        """Return the poll of a loop."""
        poll = _polls.get(loop)
        if poll is None:
            poll = _polls[loop] = cls(loop)
        return poll

    def watch(self, fd: int, readable: Callable[[], None]) -> None:
        """Call `readable` whenever there is something to read."""
        self._readers[fd] = readable
        self._epoll.register(fd, select.EPOLLIN)

    def forget(self, fd: int) -> None:
        """Watch a file no longer; the last one takes the poll with it."""
        del self._readers[fd]
        self._epoll.unregister(fd)
        if not self._readers:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
            del _polls[self._loop]

    def _poll(self) -> None:
        for _ in range(_ROUNDS):
            if self._epoll.closed:
                return
            self.looked_before_ns, self._looked_ns = self._looked_ns, time.monotonic_ns()
            if not (ready := self._epoll.poll(0)):
                return
            for fd, _ in ready:
                # One read may close the connection of another.
                readable = self._readers.get(fd)
                if readable is not None:
                    readable()
