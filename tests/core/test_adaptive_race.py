"""The adaptive race against the fixed one, on the embedded engine's own model, played without waiting."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

import pytest

from sparktui.compare.crossover import leader_changes
from sparktui.compare.winners import METRICS, Metric, Row, Standing, decide
from sparktui.measure.record import WaveRecord
from sparktui.runner.adaptive import Rule
from sparktui.runner.course import Course
from sparktui.sim.model import MODELS, Drift
from sparktui.sim.offline import play_wave, record_of

PP, TG = 1024, 128
LADDER = (1, 2, 4, 8, 16, 32, 64)
RUNS = 50
SEED = 1
TOPOLOGIES = ("solo", "cluster-tp2", "shuffle")
ROUTER_S = 0.026
BETWEEN_WAVES_S = 60.0
MEASURED = [metric for metric in METRICS.values() if metric.measured]


@cache
def play(topology: str, level: int, number: int, seed: int) -> WaveRecord:
    """Return one wave; a router at random, as simple-shuffle, makes some waves uneven."""
    now = BETWEEN_WAVES_S * number
    noises = Drift(f"{seed}-{topology}"), Drift(f"{seed}-{topology}-2")
    if topology != "shuffle":
        return record_of(play_wave(MODELS[topology], level, pp=PP, tg=TG, noise=noises[0], start=now), now)
    rng = random.Random(f"{seed}-{level}-{number}")
    first = sum(rng.random() < 0.5 for _ in range(level))
    sides = [
        play_wave(MODELS["solo"], size, pp=PP, tg=TG, noise=noise, start=now + ROUTER_S)
        for size, noise in zip((first, level - first), noises, strict=True)
    ]
    return record_of([generation for side in sides for generation in side], now)


def measure(course: Course, topology: str, level: int, seed: int, *, stop: bool = True) -> None:
    for number in range(RUNS):
        course.add(topology, level, play(topology, level, number, seed))
        if stop and course.why_stop(topology, level):
            return


def adaptive_race(launch_s: float, seed: int) -> Course:
    """Race as the runner does: each topology once, then those that have levels to refine."""
    course = Course(LADDER, Rule(0.02, 5, RUNS), "crossover")
    for topology in TOPOLOGIES:
        course.launch_s[topology] = launch_s
        for level in next_levels(course, topology, last=topology == TOPOLOGIES[-1]):
            measure(course, topology, level, seed)
    while again := course.to_bring_up_again():
        for topology in again:
            course.relaunch_s += launch_s
            for level in next_levels(course, topology, last=False):
                measure(course, topology, level, seed)
    return course


def next_levels(course: Course, topology: str, *, last: bool) -> Iterator[int]:
    while (choice := course.next_level(topology, last=last)) is not None:
        yield choice.level


@pytest.fixture(scope="module")
def fixed() -> Course:
    """Every level of every topology with all its waves."""
    course = Course(LADDER, Rule(0.02, 5, RUNS), None)
    for topology in TOPOLOGIES:
        for level in LADDER:
            measure(course, topology, level, SEED, stop=False)
    return course


def rows(course: Course, metric: Metric) -> list[Row]:
    levels = sorted({level for cells in course.cells.values() for level in cells})
    return [decide(metric, level, [standing(course, metric, name, level) for name in TOPOLOGIES]) for level in levels]


def standing(course: Course, metric: Metric, topology: str, level: int) -> Standing:
    cell = course.cells.get(topology, {}).get(level)
    return Standing(topology, () if cell is None else tuple(cell.samples[metric.figure]))


def leader(course: Course, metric: Metric, level: int) -> str | None:
    """Return who leads at a level, measured there or not: whoever led last at or before it, ties left out."""
    decided = [row for row in rows(course, metric) if row.winner is not None and not row.tie]
    flips = leader_changes(metric, rows(course, metric))
    return next((flip.below for flip in flips if level < flip.concurrency), decided[-1].winner)


@pytest.mark.parametrize("launch_s", [3.0, 240.0], ids=["cheap launches", "launches of minutes"])
def test_an_adaptive_race_finds_what_the_fixed_one_finds_in_a_third_of_its_wave_time(
    fixed: Course, launch_s: float
) -> None:
    adaptive = adaptive_race(launch_s, seed=SEED)
    spent, whole = adaptive.saving(), fixed.saving()
    assert spent.seconds <= whole.seconds / 3
    assert adaptive.relaunch_s < whole.seconds - spent.seconds
    for metric in MEASURED:
        for row in rows(fixed, metric):
            if not row.tie:
                assert leader(adaptive, metric, row.concurrency) == row.winner, (metric.name, row.concurrency)
    known, found = (leader_changes(METRICS["decode"], rows(race, METRICS["decode"])) for race in (fixed, adaptive))
    assert [(flip.below, flip.above) for flip in found] == [("cluster-tp2", "shuffle")]
    assert found[0].concurrency == pytest.approx(known[0].concurrency, rel=0.10)


def test_the_estimate_of_the_fixed_race_is_what_the_fixed_race_takes(fixed: Course) -> None:
    assert fixed.saving().waves == fixed.saving().fixed_waves == 3 * 7 * RUNS
    assert fixed.saving().seconds == pytest.approx(fixed.saving().fixed_seconds, rel=0.01)
    assert adaptive_race(3.0, SEED).saving().fixed_seconds == pytest.approx(fixed.saving().seconds, rel=0.05)
