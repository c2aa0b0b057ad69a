"""What a break has left in a campaign that is over: a wave that was in flight and was kept, a figure bent by it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from statistics import median

from tests.faults.matrix.plan import Fault
from tests.faults.matrix.witness import Wave, stored_waves
from tests.runner.campaigns import Owner

RUNS = {0: 4, 1: 1}
"""Waves of a cell, and warm-up waves."""
GENTLE_S = 0.3
"""A process that is asked to end may finish what takes no longer than that."""
SLACK_S = 0.02
TIMES, PLUS_S = 3.0, 0.5
"""How much longer than its cell's median a wave that nothing hit may take: this machine is shared."""
ENDS_WHAT_SERVES = ("engine", "router", "everything")
ENDS_A_WAVE = ("runner", "worker", "engine", "router", "everything")


@dataclass(frozen=True, slots=True)
class Break:
    """A fault as it was carried out: from when to when."""

    fault: Fault
    begun: float
    over: float

    @property
    def ends_a_wave(self) -> bool:
        """Whether the wave in flight cannot be the wave that is stored."""
        survived = self.fault.signal is signal.SIGHUP and self.fault.target == "runner"
        return self.fault.lethal and self.fault.target in ENDS_A_WAVE and not survived

    def hits(self, wave: Wave) -> bool:
        """Tell whether it came while that wave was in flight."""
        return wave.started < self.over and wave.ended > self.begun

    def kept(self, wave: Wave) -> bool:
        """Tell whether that wave was in flight when it came, and is stored all the same."""
        gentle = self.fault.signal is not signal.SIGKILL
        return wave.started < self.begun - SLACK_S and wave.ended > self.begun + (GENTLE_S if gentle else SLACK_S)


def traces(owner: Owner, campaign: int, breaks: list[Break]) -> list[str]:
    """Return what is not as it would be without any break, in words."""
    waves = [wave for wave in stored_waves(owner.home / "data" / "sparktui.db") if wave.key[0] == campaign]
    found = [
        f"{wave} was in flight at {hit.fault} and was kept"
        for hit in breaks
        if hit.ends_a_wave
        for wave in waves
        if hit.kept(wave)
    ]
    found += [*_cells(waves), *_requests(owner, campaign), *_states(owner, campaign), *_slow(waves, breaks)]
    return found + _untrue(owner, campaign, breaks)


def _cells(waves: list[Wave]) -> list[str]:
    cells: dict[tuple[str, int, int], list[int]] = {}
    for wave in waves:
        _, topology, concurrency, warmup, seq = wave.key
        cells.setdefault((topology, concurrency, warmup), []).append(seq)
    wanted = {(t, c, w): list(range(n)) for t in ("solo", "shuffle") for c in (1, 2) for w, n in RUNS.items()}
    return [] if {key: sorted(seqs) for key, seqs in cells.items()} == wanted else [f"its waves are {cells}"]


def _requests(owner: Owner, campaign: int) -> list[str]:
    rows = owner.rows(
        f"""SELECT DISTINCT topology, concurrency, prompt_tokens, completion_tokens, finish, request.error FROM request
        JOIN wave ON wave.id = wave JOIN cell ON cell.id = cell JOIN sweep ON sweep.id = sweep
        WHERE campaign = {campaign}"""
    )
    return [f"a request of {row[:2]} has {row[2:]}" for row in rows if row[2:] != (64, 8, "length", None)]


def _states(owner: Owner, campaign: int) -> list[str]:
    rows = owner.rows(f"SELECT topology, state, error FROM sweep WHERE campaign = {campaign}")
    rows += owner.rows(
        f"""SELECT topology || ' c' || concurrency, cell.state, cell.ended_by FROM cell JOIN sweep ON sweep.id = sweep
        WHERE campaign = {campaign}"""
    )
    return [f"{name} is {state}, {why}" for name, state, why in rows if (state, why) != ("done", None)]


def _slow(waves: list[Wave], breaks: list[Break]) -> list[str]:
    found = []
    for wave in waves:
        usual = median(other.duration_us for other in waves if other.key[:4] == wave.key[:4]) / 1e6
        if wave.duration_us / 1e6 > TIMES * usual + PLUS_S and not any(hit.hits(wave) for hit in breaks):
            found.append(f"{wave} took {wave.duration_us / 1e6:.2f} s instead of {usual:.2f}")
    return found


def _untrue(owner: Owner, campaign: int, breaks: list[Break]) -> list[str]:
    """Return what was said to have ended though nothing had ended it: a way to it that broke is not its end."""
    told = owner.rows(
        f"""SELECT t, text FROM event WHERE campaign = {campaign} AND kind = 'failed'
        AND (text LIKE '% ended while it was serving%' OR text LIKE '% ended before it was ready%')"""
    )
    ends = [hit.begun for hit in breaks if hit.fault.target in ENDS_WHAT_SERVES]
    return [f"untrue: {text}" for t, text in told if not any(begun < t for begun in ends)]
