"""The course of an adaptive race: what was measured so far, which level comes next, when to stop, what that saved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Literal

from sparktui.measure.cell import cell_figures
from sparktui.measure.record import WaveRecord
from sparktui.profile.model import Workload
from sparktui.runner.adaptive import CONFIRMATION, RANKED, Rule, Samples, why_stop
from sparktui.runner.eta import GROWTH
from sparktui.runner.ladder import changes, coarse, halving, near_crossover

DEFAULT_PRECISION = 0.02
"""Where only the crossovers are asked for."""
NEAR_CROSSOVER = "near a crossover"
"""What a level that was planned to locate one is chosen for."""
MAX_ROUNDS = 1
"""Of new levels near crossovers: each may bring topologies up again, and the second seldom pays."""


@dataclass(slots=True)
class Measured:
    """One cell's waves, as the course sees them."""

    samples: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in RANKED})
    seconds: list[float] = field(default_factory=list)

    def add(self, record: WaveRecord) -> None:
        """Take in a wave."""
        figures = cell_figures((record,))
        for name in RANKED:
            self.samples[name] += figures.samples(name)
        self.seconds.append(record.duration_us / 1e6)


@dataclass(frozen=True, slots=True)
class Saving:
    """What was measured, against every level with all its waves."""

    waves: int
    fixed_waves: int
    seconds: float
    fixed_seconds: float
    """Estimated, by the waves that were measured."""

    def __str__(self) -> str:
        share = f"{self.seconds / self.fixed_seconds:.0%}" if self.fixed_seconds else "-"
        return (
            f"{self.waves} waves instead of {self.fixed_waves}, {self.seconds:.0f} s in waves instead of about "
            f"{self.fixed_seconds:.0f} s ({share})"
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """A level to measure next, and what for."""

    level: int
    why: str


@dataclass(slots=True)
class Course:
    """One race; a cell is told to it wave by wave, by topology and level."""

    ladder: tuple[int, ...]
    rule: Rule
    until: Literal["crossover"] | None
    cells: dict[str, dict[int, Measured]] = field(default_factory=dict)
    launch_s: dict[str, float] = field(default_factory=dict)
    """How long each topology took to serve, and so would take again."""
    relaunch_s: float = 0.0
    """Spent on bringing topologies up again."""
    pending: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """New levels near crossovers, by topology."""
    rounds: int = 0
    """How often such were planned."""

    @classmethod
    def of(cls, load: Workload, topologies: int) -> Course | None:
        """Return the course that a workload asks for; None where every level gets all its waves.

        One topology alone crosses nothing, so every level of it is measured.
        """
        if load.precision is None and load.until is None:
            return None
        precision = DEFAULT_PRECISION if load.precision is None else load.precision
        rule = Rule(precision, min(load.min_runs, load.runs), load.runs)
        return cls(load.concurrency, rule, load.until if topologies > 1 else None)

    def add(self, topology: str, level: int, record: WaveRecord) -> None:
        """Take in a measured wave."""
        self.cells.setdefault(topology, {}).setdefault(level, Measured()).add(record)

    def why_stop(self, topology: str, level: int) -> str | None:
        """Say why a cell needs no more waves; None where it does."""
        mine = self.cells.get(topology, {}).get(level)
        if mine is None:
            return None
        if self.until is None or any(level in levels for levels in self.pending.values()):
            return why_stop(mine.samples, self.rule)  # a crossover is located by how far apart two means are
        rivals = [cells[level].samples for name, cells in self.cells.items() if name != topology and level in cells]
        return why_stop(mine.samples, self.rule, rivals)

    def next_level(self, topology: str, *, last: bool) -> Choice | None:
        """Return the next level for the topology that is up; None where it is done, for now at least.

        Args:
            topology: Which is up.
            last: No other topology comes after it, so that what is to be refined can be planned while it is up.
        """
        done = self.cells.get(topology, {})
        planned = self.ladder if self.until is None else coarse(self.ladder)
        if missing := [level for level in planned if level not in done]:
            return Choice(missing[0], "planned" if self.until is None else "coarse ladder")
        if self.until is None:
            return None
        rest = [level for level in self.ladder if level not in done]
        if not last and not self.rounds and rest and self._cost_s(topology, rest) <= self.launch_s.get(topology, 0.0):
            return Choice(rest[0], "to come back for it would cost more than to stay")
        if (level := halving(self._curves()[topology], self._rivals(topology))) is not None:
            return Choice(level, "the lead changes hands around it")
        if last and not self.rounds:
            self.plan_refinement(up=topology)
        new = [level for level in self.pending.get(topology, ()) if level not in done]
        return Choice(new[0], NEAR_CROSSOVER) if new else None

    def plan_refinement(self, *, up: str | None = None) -> None:
        """Plan new levels, by topology, that locate the crossovers: those still to be measured are in `pending`.

        They are worth it while launching and measuring them should cost less than what has been saved so far.
        """
        self.pending = {}
        if self.until is None or self.rounds >= MAX_ROUNDS:
            return
        self.rounds += 1
        wanted: dict[str, set[int]] = {}
        curves = self._curves()
        for change in changes(curves):
            for level in near_crossover(change, curves):
                for name in (change.below, change.above):
                    wanted.setdefault(name, set()).update({level} - curves[name].keys())
        found = {name: tuple(sorted(levels)) for name, levels in wanted.items() if levels}
        launches_s = math.fsum(self.launch_s.get(name, 0.0) for name in found if name != up)
        cost_s = launches_s + math.fsum(self._cost_s(name, levels) for name, levels in found.items())
        saving = self.saving()
        if cost_s <= saving.fixed_seconds - saving.seconds - self.relaunch_s:
            self.pending = found

    def brought_up(self, topology: str, seconds: float) -> None:
        """Take in how long a topology took to serve, the first time or again."""
        if topology in self.launch_s:
            self.relaunch_s += seconds
        else:
            self.launch_s[topology] = seconds

    def leave(self, topology: str) -> None:
        """Ask for no more levels of a topology, measured or not."""
        self.pending = {name: levels for name, levels in self.pending.items() if name != topology}

    def to_bring_up_again(self) -> tuple[str, ...]:
        """Return the topologies that still have levels to refine; plans another round where none has."""
        if not self._behind():
            self.plan_refinement()
        return self._behind()

    def _behind(self) -> tuple[str, ...]:
        return tuple(name for name, levels in self.pending.items() if set(levels) - self.cells.get(name, {}).keys())

    def saving(self) -> Saving:
        """Return what was measured against the full ladder with every wave, for the topologies begun so far."""
        every = [cell for cells in self.cells.values() for cell in cells.values()]
        fixed_s = sum(self._wave_s(name, level) * self.rule.runs for name in self.cells for level in self.ladder)
        return Saving(
            waves=sum(len(cell.seconds) for cell in every),
            fixed_waves=len(self.cells) * len(self.ladder) * self.rule.runs,
            seconds=math.fsum(second for cell in every for second in cell.seconds),
            fixed_seconds=fixed_s,
        )

    def _curves(self) -> Mapping[str, Mapping[int, Samples]]:
        return {name: {level: c.samples for level, c in cells.items()} for name, cells in self.cells.items()}

    def _rivals(self, topology: str) -> Mapping[str, Mapping[int, Samples]]:
        return {name: curve for name, curve in self._curves().items() if name != topology}

    def _cost_s(self, topology: str, levels: Sequence[int]) -> float:
        return math.fsum(self._wave_s(topology, level) for level in levels) * self._expected_waves()

    def _expected_waves(self) -> float:
        taken = [len(cell.seconds) for cells in self.cells.values() for cell in cells.values()]
        return fmean(taken) if taken else self.rule.floor * (1 + CONFIRMATION)

    def _wave_s(self, topology: str, level: int) -> float:
        """Return how long a wave takes, by the nearest level of the same topology."""
        known = {at: median(cell.seconds) for at, cell in self.cells[topology].items() if cell.seconds}
        if not known:
            return 0.0
        nearest = min(known, key=lambda at: abs(math.log2(at) - math.log2(level)))
        return float(known[nearest] * (level / nearest) ** GROWTH)
