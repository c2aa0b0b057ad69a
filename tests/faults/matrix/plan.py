"""Which process is hit by which signal, when: a pure function of a seed, so that what was found can be found again."""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Target = Literal["viewer", "screens", "runner", "worker", "agent", "engine", "router", "everything"]

TARGETS: tuple[Target, ...] = ("viewer", "screens", "runner", "worker", "agent", "engine", "router", "everything")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGSTOP)
LATEST_S = 1.2
"""After its process was seen: about as long as a level of the small campaign takes."""
LONGEST_HOLD_S = 0.8


@dataclass(frozen=True, slots=True)
class Fault:
    """One signal to one process, or to all of them at once."""

    target: Target
    signal: signal.Signals
    after_s: float
    """How long after the process was seen."""
    hold_s: float
    """Between SIGSTOP and SIGCONT."""
    stop_first: bool
    """Whether `sparktui stop` is typed before the campaign is resumed."""
    pick: int
    """Which of several, counted round."""

    @property
    def lethal(self) -> bool:
        """Whether it is meant to end the process."""
        return self.signal is not signal.SIGSTOP

    def __str__(self) -> str:
        end = f" for {self.hold_s:.2f} s" if not self.lethal else ", then stop" if self.stop_first else ""
        return f"{self.signal.name} to {self.target} after {self.after_s:.3f} s{end}"


def faults(seed: int, count: int) -> tuple[Fault, ...]:
    """Return so many faults: every pair of a process and a signal, in a shuffled order, again and again."""
    rng = random.Random(f"faults-{seed}")
    return tuple(itertools.islice(_endless(rng), count))


def _endless(rng: random.Random) -> Iterator[Fault]:
    deck = list(itertools.product(TARGETS, SIGNALS))
    while True:
        rng.shuffle(deck)
        for target, number in deck:
            yield Fault(
                target,
                number,
                after_s=rng.uniform(0, LATEST_S),
                hold_s=rng.uniform(0.05, LONGEST_HOLD_S),
                stop_first=rng.random() < 0.5,
                pick=rng.randrange(1000),
            )
