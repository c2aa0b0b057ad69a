"""Which of a node's samples have arrived, so that those that have not are fetched, and none is kept twice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sparktui.nodes.sample import NodeSample


@dataclass(slots=True)
class Received:
    """What has arrived of one node's samples.

    An agent never waits for its runner: what it cannot send at once is only in its own file, and its heartbeat jumps.
    Methods that return a moment ask for everything after it; None asks for nothing.
    """

    complete: float | None = None
    """Everything up to this moment of the node's clock has arrived; None: nothing has."""
    _newest: float | None = None
    _heartbeat: int | None = None
    """Of the last live sample of this connection; None before the first: until then nobody can tell what is missing."""
    _behind: bool = False
    """Something is missing after `complete`, and was asked for."""
    _again: bool = False
    """Something more is missing by now."""
    _ahead: set[float] = field(default_factory=set)
    """The moments that have arrived after `complete`, while something is missing."""

    @property
    def caught_up(self) -> bool:
        """Whether nothing that is known of is missing."""
        return not self._behind

    def connected(self) -> float | None:
        """Take in a new connection: whatever was sampled meanwhile is missing."""
        self._heartbeat = None
        self._again = False
        self._behind = self.complete is not None
        return self.complete

    def live(self, sample: NodeSample) -> tuple[bool, float | None]:
        """Take in a sample as it was taken; return whether it is new, and what to ask for."""
        jumped = self._heartbeat is None or sample.heartbeat != self._heartbeat + 1
        self._heartbeat = sample.heartbeat
        ask = None
        if jumped and self._behind:
            self._again = True
        elif jumped and self.complete is not None:
            self._behind, ask = True, self.complete
        new = self._take(sample)
        if not self._behind:
            self.complete = self._newest
        return new, ask

    def replayed(self, samples: Sequence[NodeSample], *, more: bool) -> tuple[list[NodeSample], float | None]:
        """Take in a part of an answer, oldest first; return what of it is new, and what to ask for next."""
        if not self._behind or self.complete is None:
            return [], None
        before = self.complete
        new = [sample for sample in samples if sample.t > before and self._take(sample)]
        self.complete = max([before, *(sample.t for sample in samples)])
        if more:
            return new, None
        if self._again:
            self._again = False
            return new, self.complete
        self.complete = max(self.complete, self._newest or self.complete)
        self._behind = False
        self._ahead.clear()
        return new, None

    def _take(self, sample: NodeSample) -> bool:
        if sample.t in self._ahead or sample.t == self._newest:
            return False
        if self._behind:
            self._ahead.add(sample.t)
        self._newest = sample.t if self._newest is None else max(self._newest, sample.t)
        return True
