"""What a race would be, before anything is started: who can take it, what would be typed, how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparktui.nodes.sample import NodeSample
    from sparktui.nodes.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Prospect:
    """Of every topology of a profile, by name."""

    samples: Mapping[str, NodeSample] = field(default_factory=dict)
    """By node; one that did not answer is not there."""
    verdicts: Mapping[str, Mapping[str, Verdict]] = field(default_factory=dict)
    """By topology and node."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """What `run --dry-run` prints."""
    problems: Mapping[str, str] = field(default_factory=dict)
    """Why a topology cannot be launched at all."""
    expected_s: Mapping[str, float | None] = field(default_factory=dict)
    """From its launch to its last wave."""

    def refusal(self, topology: str) -> str:
        """Say why a topology cannot be started; empty where it can."""
        if topology in self.problems:
            return self.problems[topology]
        refused = (v for v in self.verdicts.get(topology, {}).values() if v.level == "refuse")
        return "; ".join(f"{verdict.text} ({verdict.hint})" for verdict in refused)

    def expected(self, topologies: Iterable[str]) -> float | None:
        """Return how long several topologies take one after another; None where it is not known of every one."""
        each = [self.expected_s.get(name) for name in topologies]
        known = [seconds for seconds in each if seconds is not None]
        return sum(known) if len(known) == len(each) else None


NOTHING_KNOWN = Prospect()
