"""What topologies took of their nodes: the least that was left, and the most that GPU processes held."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sparktui.nodes.sample import NodeSample


@dataclass(slots=True)
class Taken:
    """Of one node under one topology, in bytes; None where unknown."""

    least_left_bytes: int | None = None
    most_gpu_bytes: int | None = None

    def take(self, sample: NodeSample) -> None:
        """Take in one sample."""
        self.least_left_bytes = _either(min, self.least_left_bytes, sample.mem_available_bytes)
        self.most_gpu_bytes = _either(max, self.most_gpu_bytes, sample.gpu_procs_bytes)


@dataclass(slots=True)
class Extremes:
    """Of one campaign."""

    _of: dict[tuple[int, str], Taken] = field(default_factory=dict)
    _now: dict[str, Taken] = field(default_factory=dict)

    def begin(self, sweep: int, nodes: Iterable[str]) -> None:
        """Take in samples of these nodes for a sweep from now on; one that was up before goes on where it was."""
        self._now = {node: self._of.setdefault((sweep, node), Taken()) for node in nodes}

    def take(self, sample: NodeSample) -> None:
        """Take in a sample of any node."""
        if (taken := self._now.get(sample.node)) is not None:
            taken.take(sample)

    def end(self) -> dict[str, Taken]:
        """Take in no more; return what the sweep took of each node."""
        taken, self._now = self._now, {}
        return taken


def _either(choose: Callable[[int, int], int], known: int | None, new: int | None) -> int | None:
    return known if new is None else new if known is None else choose(known, new)
