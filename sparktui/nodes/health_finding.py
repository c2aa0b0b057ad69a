"""What is said of a node that is not well: one finding, with its evidence and where it is explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "zombie",
    "stuck-clock",
    "throttled",
    "swapping",
    "hot",
    "slow-link",
    "nccl-on-sockets",
    "rdma-errors",
    "nvml-hung",
    "fragmented",
]
UNFAIR: frozenset[Kind] = frozenset({"zombie", "stuck-clock", "throttled", "swapping", "slow-link"})
"""What is measured under these says less of the topology than of the node's trouble."""

Evidence = Mapping[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not well."""

    kind: Kind
    node: str
    text: str
    """A sentence, with the numbers that say so."""
    brief: str
    """The same in a few words, to stand beside the node's name."""
    evidence: Evidence = field(default_factory=dict)

    @property
    def key(self) -> tuple[Kind, str]:
        """What makes it the same finding a second later."""
        return self.kind, self.node

    @property
    def doc(self) -> str:
        """Where it is explained."""
        return f"docs/health.md#{self.kind}"

    @property
    def unfair(self) -> bool:
        """Whether a cell that was measured meanwhile cannot win."""
        return self.kind in UNFAIR
