"""Print what adaptive measuring finds and costs: the coverage of its intervals, and whole races against fixed ones.

`python tests/bench/adaptive.py` takes some minutes; nothing is measured in real time. The races are of the embedded
engine's own model, played without waiting.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

sys.path.insert(0, str(Path(__file__).parents[2]))

from sparktui.compare.crossover import leader_changes
from sparktui.compare.interval import estimate, t_quantile
from sparktui.compare.winners import METRICS
from sparktui.runner.adaptive import RANKED, Rule, why_stop
from sparktui.runner.course import Course
from tests.core.test_adaptive_race import LADDER, RUNS, TOPOLOGIES, adaptive_race, measure, rows

RULE = Rule(precision=0.02, floor=5, runs=RUNS)
SPREADS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07)
LAUNCHES_S = (3.0, 240.0)


def cell(rng: random.Random, spread: float) -> list[float]:
    """Return the waves of one cell of mean 100 and normal spread, ended by the rule."""
    values: list[float] = []
    while len(values) < RULE.runs and why_stop(dict.fromkeys(RANKED, values), RULE) is None:
        values.append(100 * (1 + spread * rng.gauss(0, 1)))
    return values


def covers(values: Sequence[float]) -> bool:
    """Tell whether the 95 % interval of a cell holds 100."""
    found = estimate(values)
    assert found is not None
    return abs(math.log(found.mean / 100)) <= t_quantile(found.freedom, 0.95) * math.sqrt(found.variance)


def print_coverage(trials: int) -> None:
    """Print how often intervals hold the truth, and after how many waves cells end."""
    print("| spread of waves, % | covered, % | waves |\n|---:|---:|---:|")
    for spread in SPREADS:
        rng = random.Random(1)
        cells = [cell(rng, spread) for _ in range(trials)]
        print(
            f"| {100 * spread:g} | {100 * fmean(map(covers, cells)):.1f} | {fmean(map(len, cells)):.1f} |", flush=True
        )


def fixed_race(seed: int) -> Course:
    """Return a race with every wave of every level."""
    course = Course(LADDER, RULE, None)
    for topology in TOPOLOGIES:
        for level in LADDER:
            measure(course, topology, level, seed, stop=False)
    return course


def crossover(course: Course) -> str:
    """Return where the lead in decode changes."""
    metric = METRICS["decode"]
    return ", ".join(f"{flip.concurrency:.1f}" for flip in leader_changes(metric, rows(course, metric))) or "-"


def print_races(seeds: int) -> None:
    """Print decode's crossover and the wave time of fixed and adaptive races of the same engines."""
    print("| seed | fixed | launch 3 s | wave time, % | launch 240 s | wave time, % |\n|---:|---:|---:|---:|---:|---:|")
    for seed in range(1, seeds + 1):
        fixed = fixed_race(seed)
        cells = [f"{seed}", crossover(fixed)]
        for launch_s in LAUNCHES_S:
            adaptive = adaptive_race(launch_s, seed)
            cells += [crossover(adaptive), f"{100 * adaptive.saving().seconds / fixed.saving().seconds:.0f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    """Print both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=6)
    options = parser.parse_args()
    print_coverage(options.trials)
    print_races(options.seeds)


if __name__ == "__main__":
    main()
