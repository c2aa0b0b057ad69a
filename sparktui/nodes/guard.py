"""When to stop a node, as a pure decision over its samples: floors by phase, and never on one sample alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparktui.nodes.sample import NodeSample
from sparktui.profile.model import GIB, Floors

Level = Literal["ok", "warn", "stop"]

CONFIRMING_SAMPLES = 2
"""One wild reading is not a collapse."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a node now."""

    level: Level
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """The decision's memory: how many samples in a row were under the stop floor."""

    floors: Floors
    below: int = 0

    def observe(self, sample: NodeSample) -> tuple[Guard, Decision]:
        """Return the guard after this sample, and what it says. A sample without MemAvailable changes nothing."""
        if sample.mem_available_bytes is None:
            return self, Decision("ok")
        left_gib = sample.mem_available_bytes / GIB
        floor = stop_floor_gib(self.floors, sample)
        below = self.below + 1 if left_gib < floor else 0
        return Guard(self.floors, below), self._decide(sample, left_gib, floor, below)

    def _decide(self, sample: NodeSample, left_gib: float, floor: float, below: int) -> Decision:
        where = f"{sample.node} has {left_gib:.1f} GiB left while {sample.phase}"
        if below >= CONFIRMING_SAMPLES:
            return Decision("stop", f"{where}, under its stop floor of {floor:.0f} GiB")
        if left_gib < max(floor, self.floors.warn_gib):
            return Decision(
                "warn", f"{where}; it warns under {self.floors.warn_gib:.0f} GiB and stops under {floor:.0f}"
            )
        return Decision("ok")


def stop_floor_gib(floors: Floors, sample: NodeSample) -> float:
    """Return the stop floor for the sample's phase: loading takes memory fastest, so it has the higher one."""
    return floors.loading_stop_gib if sample.phase in ("loading", "warming") else floors.serving_stop_gib
