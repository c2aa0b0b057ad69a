"""An agent's talk with the runner: one runner at a time, the newest, and never a wait for it."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import deque
from collections.abc import Callable, Iterable

from sparktui.nodes.flight import Entry
from sparktui.nodes.peer import Order, Peer, listen

Greet = Callable[[], Iterable[Entry]]


class Conversation:
    """The socket in the current folder. Only the loop's thread waits on it; `tell` may be called from any."""

    def __init__(self, greet: Greet) -> None:
        """Listen; `greet` says what every new runner is told first."""
        self._greet = greet
        self._listening = listen()
        self._poll = select.poll()
        self._wake_in, self._wake_out = _wake_pipe()
        self._poll.register(self._listening, select.POLLIN)
        self._poll.register(self._wake_out, select.POLLIN)
        self._outbox: deque[tuple[Peer | None, Entry]] = deque()
        self.peer: Peer | None = None
        self._alone_since = time.monotonic()

    def alone_s(self) -> float:
        """Return for how long no runner has been connected."""
        return 0.0 if self.peer is not None else time.monotonic() - self._alone_since

    def tell(self, entry: Entry, peer: Peer | None = None) -> None:
        """Have a message sent to the runner that is connected; only if it is `peer`, where one is named."""
        self._outbox.append((peer, entry))
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_in, b".")

    def wait(self, due: float) -> list[Order]:
        """Send what is to be sent, and wait for something to happen until `due` (monotonic seconds).

        Return the orders that have arrived, which may be none before it is due.
        """
        self._send()
        self._watch_for_writing()
        wait_ms = max(0.0, due - time.monotonic()) * 1000
        return [order for fd, event in self._poll.poll(wait_ms) for order in self._attend(fd, event)]

    def close(self) -> None:
        """Send what can be sent, and end."""
        self._send()
        self._part()
        self._listening.close()

    def _attend(self, fd: int, event: int) -> list[Order]:
        if fd == self._wake_out:
            with contextlib.suppress(BlockingIOError):
                os.read(fd, 4096)
        elif fd == self._listening.fileno():
            self._accept()
        elif self.peer is not None and fd == self.peer.fileno():
            return self._hear(self.peer, event)
        return []

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except OSError:
            return
        self._part()
        self.peer = Peer(connection)
        self._poll.register(self.peer.fileno(), select.POLLIN)
        for entry in self._greet():
            self.peer.send(entry)

    def _hear(self, peer: Peer, event: int) -> list[Order]:
        if event & select.POLLOUT:
            peer.flush()
        if not event & ~select.POLLOUT:
            return []
        orders = peer.receive()
        if orders is None:
            self._part()
        return orders or []

    def _send(self) -> None:
        while self._outbox:
            only, entry = self._outbox.popleft()
            if self.peer is None or only not in (None, self.peer):
                continue
            if "replayed" in entry:
                self.peer.send_when_idle(entry)
            else:
                self.peer.send(entry)

    def _watch_for_writing(self) -> None:
        if self.peer is not None:
            self._poll.modify(self.peer.fileno(), select.POLLIN | (select.POLLOUT if self.peer.has_pending else 0))

    def _part(self) -> None:
        if self.peer is not None:
            self._poll.unregister(self.peer.fileno())
            self.peer.close()
            self.peer = None
            self._alone_since = time.monotonic()


def _wake_pipe() -> tuple[int, int]:
    """Return (in, out) of a pipe that neither blocks nor is handed on to commands."""
    out, into = os.pipe()
    os.set_blocking(out, False)
    os.set_blocking(into, False)
    return into, out
