"""What an adaptive race had found out before it was broken off, found out again from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from sparktui.runner.course import NEAR_CROSSOVER, Course
from sparktui.runner.steering import Steering
from sparktui.store.reader import Reader
from sparktui.store.rows import EventRow

LONGEST_S = 30 * 86_400.0
"""No launch takes as long."""


async def recalled(steering: Steering) -> Steering:
    """Return the steering, its course told everything that is stored; a campaign that only begins has nothing."""
    if steering.course is not None:
        journal = steering.journal
        await asyncio.to_thread(recall, steering.course, journal.writer.path, journal.campaign)
    return steering


def recall(course: Course, path: Path, campaign: int) -> None:
    """Tell a course every launch and wave of a campaign, and have it plan again what it had planned near crossovers.

    Waves are told without their token events, which the figures a course goes by do not need.
    """
    with Reader(path) as reader:
        events = reader.events_since(campaign)
        for topology, seconds in _launches(events):
            course.brought_up(topology, seconds)
        refined = set(_refined(events))
        later = []
        for sweep in reader.sweeps(campaign):
            for cell in reader.cells(sweep.id):
                records = [wave.record for wave in reader.waves(cell.id, warmup=False)]
                told = [(sweep.topology, cell.concurrency, record) for record in records]
                if (sweep.topology, cell.concurrency) in refined:
                    later += told
                    continue
                for one in told:
                    course.add(*one)
    if refined:
        course.plan_refinement()
    for one in later:
        course.add(*one)


def _launches(events: Iterable[EventRow]) -> Iterable[tuple[str, float]]:
    for event in events:
        seconds = event.data.get("seconds") if event.kind == "ready" else None
        if isinstance(seconds, int | float) and 0 <= seconds < LONGEST_S:
            yield event.source, float(seconds)


def _refined(events: Iterable[EventRow]) -> Iterable[tuple[str, int]]:
    for event in events:
        if event.kind == "level-chosen" and event.data.get("why") == NEAR_CROSSOVER:
            level = event.data.get("level")
            if isinstance(level, int):
                yield event.source, level
