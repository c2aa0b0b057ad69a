"""Which process is hit by which signal, when: a pure function of a seed, so that what was found can be found again."""

from __future__ import annotations

import itertools
import random
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Target = Literal[
    "viewer",
    "screens",
    "runner",
    "worker",
    "agent",
    "engine",
    "router",
    "everything",
    "ssh-master",
    "ssh-link",
    "ssh-command",
    "sshd",
]
"""Over ssh: the connection that all share, the line to an agent, what looks at or does something, and the far end."""

TARGETS: tuple[Target, ...] = ("viewer", "screens", "runner", "worker", "agent", "engine", "router", "everything")
OVER_SSH: tuple[Target, ...] = (
    "ssh-master",
    "ssh-link",
    "ssh-command",
    "sshd",
    "agent",
    "engine",
    "runner",
    "everything",
)
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGSTOP)
LATEST_S = 1.2
"""After its process was seen: about as long as a level of the small campaign takes."""
LATEST_OVER_SSH_S = 3.0
"""A launch there takes longer."""
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
    return _faults(f"faults-{seed}", count, TARGETS, LATEST_S)


def faults_over_ssh(seed: int, count: int) -> tuple[Fault, ...]:
    """Return so many faults for campaigns on nodes that are reached by ssh."""
    return _faults(f"faults-over-ssh-{seed}", count, OVER_SSH, LATEST_OVER_SSH_S)


def _faults(seed: str, count: int, targets: Sequence[Target], latest_s: float) -> tuple[Fault, ...]:
    return tuple(itertools.islice(_endless(random.Random(seed), targets, latest_s), count))


def _endless(rng: random.Random, targets: Sequence[Target], latest_s: float) -> Iterator[Fault]:
    deck = list(itertools.product(targets, SIGNALS))
    while True:
        rng.shuffle(deck)
        for target, number in deck:
            yield Fault(
                target,
                number,
                after_s=rng.uniform(0, latest_s),
                hold_s=rng.uniform(0.05, LONGEST_HOLD_S),
                stop_first=rng.random() < 0.5,
                pick=rng.randrange(1000),
            )
