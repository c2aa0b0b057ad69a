"""Which of a node's samples have arrived, so that those that have not are fetched, and none is told twice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sparktui.nodes.sample import NodeSample

ANSWER_WITHIN = 100
"""Samples: an answer that has not come by then was lost, and is asked for again."""
NOTHING = -1
"""Before the first sample."""


@dataclass(slots=True)
class Received:
    """What has arrived of one node's samples, by their heartbeats: a node's clock may be set back at any time.

    An agent never waits for its runner: what it cannot send at once is only in its own file, and its heartbeat jumps.
    Methods that return a heartbeat ask for everything after it; None asks for nothing.
    """

    complete: int = NOTHING
    """Everything up to this heartbeat has arrived."""
    _newest: int = NOTHING
    _last: int | None = None
    """Of the last live sample of this connection; None before the first: until then nobody can tell what is missing."""
    _behind: bool = False
    """Something is missing after `complete`, and was asked for."""
    _again: bool = False
    """Something more is missing by now."""
    _waited: int = 0
    """Samples that were heard since something was asked for, and nothing of the answer with them."""
    _ahead: set[int] = field(default_factory=set)
    """What has arrived after `complete`, while something is missing."""

    @property
    def caught_up(self) -> bool:
        """Whether nothing that is known of is missing."""
        return not self._behind

    def connected(self, next_heartbeat: int) -> int:
        """Take in a new connection: whatever was sampled meanwhile is missing.

        `next_heartbeat` is that of the agent's next sample. One that has arrived before is another's: the node's file
        was lost, and its count begins anew.
        """
        if next_heartbeat <= self._newest:
            self.complete = self._newest = NOTHING
            self._ahead.clear()
        self._last, self._again, self._behind, self._waited = None, False, True, 0
        return self.complete

    def live(self, sample: NodeSample) -> tuple[bool, int | None]:
        """Take in a sample as it was taken; return whether it is new, and what to ask for."""
        jumped = self._last is None or sample.heartbeat != self._last + 1
        self._last = sample.heartbeat
        ask = None
        self._waited += 1
        if self._behind and self._waited > ANSWER_WITHIN:
            self._waited, ask = 0, self.complete
        elif jumped and self._behind:
            self._again = True
        elif jumped:
            self._behind, self._waited, ask = True, 0, self.complete
        new = self._take(sample)
        if not self._behind:
            self.complete = self._newest
        return new, ask

    def replayed(self, samples: Sequence[NodeSample], *, more: bool) -> tuple[list[NodeSample], int | None]:
        """Take in a part of an answer, oldest first; return what of it is new, and what to ask for next."""
        if not self._behind:
            return [], None
        self._waited = 0
        new = [sample for sample in samples if self._take(sample)]
        self.complete = max([self.complete, *(sample.heartbeat for sample in samples)])
        if more:
            return new, None
        if self._again:
            self._again = False
            return new, self.complete
        self.complete = max(self.complete, self._newest)
        self._behind = False
        self._ahead.clear()
        return new, None

    def _take(self, sample: NodeSample) -> bool:
        heartbeat = sample.heartbeat
        if heartbeat <= self.complete or heartbeat in self._ahead:
            return False
        if self._behind:
            self._ahead.add(heartbeat)
        self._newest = max(self._newest, heartbeat)
        return True
