"""An adaptive race that was broken off knows again what it had found out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sparktui.measure.record import WaveRecord
from sparktui.runner.adaptive import Rule
from sparktui.runner.course import NEAR_CROSSOVER, Course
from sparktui.runner.recall import recall
from sparktui.store.writer import Writer
from tests.core.measured import stream_at, wave

LADDER = (1, 2, 4, 8, 16)
RULE = Rule(0.02, 3, 50)
SECONDS = {"solo": 4.0, "cluster": 6.0}


def course() -> Course:
    return Course(LADDER, RULE, "crossover")


def waves(topology: str, level: int) -> list[WaveRecord]:
    """Return waves in which solo is ahead up to c8 and the cluster from there on."""
    base = {"solo": 100.0 - level, "cluster": 84.0 + level}[topology]
    return [wave(stream_at(base + number / 10), duration_us=1_000_000 * level) for number in range(4)]


def told(levels: Mapping[str, tuple[int, ...]]) -> Course:
    found = course()
    for topology, seconds in SECONDS.items():
        found.brought_up(topology, seconds)
        for level in levels[topology]:
            for record in waves(topology, level):
                found.add(topology, level, record)
    return found


async def stored(path: Path, levels: Mapping[str, tuple[int, ...]], refined: tuple[tuple[str, int], ...] = ()) -> int:
    async with await Writer.open(path) as writer:
        campaign = await writer.create_campaign(name="race", profile_yaml="", source="measured", host="h", version="0")
        for seq, (topology, seconds) in enumerate(SECONDS.items()):
            sweep = await writer.create_sweep(campaign, seq, topology, fingerprint="{}")
            await writer.add_event(campaign, "info", topology, "ready", "ready", {"seconds": seconds})
            for index, level in enumerate(levels[topology]):
                cell = await writer.create_cell(sweep, index, concurrency=level, pp=100, tg=11, depth=0, runs=5)
                await writer.commit_wave(cell, 0, True, wave(stream_at(1.0)))
                for number, record in enumerate(waves(topology, level)):
                    await writer.commit_wave(cell, number, False, record)
        for topology, level in refined:
            await writer.add_event(
                campaign, "info", topology, "level-chosen", "next", {"level": level, "why": NEAR_CROSSOVER}
            )
    return campaign


async def test_levels_samples_and_launches_are_those_of_the_race_that_was_not_broken_off(tmp_path: Path) -> None:
    levels = {"solo": (1, 4, 16), "cluster": (1, 4)}
    campaign = await stored(tmp_path / "s.db", levels)
    found, expected = course(), told(levels)
    recall(found, tmp_path / "s.db", campaign)
    assert found.cells == expected.cells
    assert (found.launch_s, found.relaunch_s, found.rounds) == (SECONDS, 0.0, 0)
    assert found.next_level("cluster", last=True) == expected.next_level("cluster", last=True)


async def test_what_was_planned_near_a_crossover_is_planned_again_and_not_twice(tmp_path: Path) -> None:
    measured = {"solo": (1, 4, 8, 16), "cluster": (1, 4, 8, 16)}
    planned = told(measured)
    planned.plan_refinement()
    assert planned.pending
    first = next(iter(planned.pending))
    level = planned.pending[first][0]
    levels = {**measured, first: (*measured[first], level)}
    campaign = await stored(tmp_path / "s.db", levels, ((first, level),))
    found = course()
    recall(found, tmp_path / "s.db", campaign)
    assert (found.rounds, found.pending) == (1, planned.pending)
    choice = found.next_level(first, last=False)
    assert choice is None or choice.level in planned.pending[first][1:]


async def test_a_campaign_that_only_begins_has_nothing_to_tell(tmp_path: Path) -> None:
    campaign = await stored(tmp_path / "s.db", {"solo": (), "cluster": ()})
    found = course()
    recall(found, tmp_path / "s.db", campaign)
    assert (found.cells, found.launch_s) == ({}, SECONDS)
