"""How a cell ends: what all its waves were measured under, those from before a break too, and whether it can win."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sparktui.measure.record import WaveRecord
from sparktui.measure.taint import taint
from sparktui.nodes.stretch import Conditions, Part, Stretch, conditions, whole
from sparktui.runner.health_feed import samples_of
from sparktui.runner.journal import Journal
from sparktui.store.reader import Reader


@dataclass(frozen=True, slots=True)
class Asked:
    """What every request of a cell was to be."""

    pp: int
    tg: int
    depth: int
    exact_tg: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """A cell that has all its waves."""

    id: int
    name: str
    """What it is called in the campaign's log."""
    asked: Asked
    ended_by: str | None
    """Why it has fewer waves than planned."""
    stretch: Stretch | None = None
    """What is known of its last part only now: it was up to its last wave when that was stored."""
    server_tokens: float | None = None
    server_prompt_tokens: float | None = None


async def end_cell(journal: Journal, topology: str, cell: Measured) -> list[WaveRecord]:
    """Give a cell its final state, by all that is stored of it, and return its measured waves.

    They are read now instead of being kept while it goes on: at 64 users they are 80 KB each.
    """
    writer = journal.writer
    records, found = await asyncio.to_thread(_found, writer.path, journal.campaign, cell)
    if found is not None:
        await writer.set_cell_health(cell.id, found.stamps)
    why_not = _why_not(records, cell.asked, found)
    await writer.set_cell_state(
        cell.id,
        "done",
        taint=why_not,
        ended_by=cell.ended_by,
        server_tokens=cell.server_tokens,
        server_prompt_tokens=cell.server_prompt_tokens,
    )
    if why_not is not None:
        await journal.warning(topology, "tainted", f"{cell.name} cannot win: {why_not}")
    return records


def _why_not(records: list[WaveRecord], asked: Asked, found: Conditions | None) -> str | None:
    own = taint(
        records,
        pp=asked.pp,
        tg=asked.tg,
        depth=asked.depth,
        exact_tg=asked.exact_tg,
        prefix=found.prefix if found else None,
        health=found.unfair if found else (),
    )
    return "; ".join(reason for reason in (*(found.mixed if found else ()), own) if reason) or None


def _found(path: Path, campaign: int, cell: Measured) -> tuple[list[WaveRecord], Conditions | None]:
    with Reader(path) as reader:
        newest = () if cell.stretch is None else (cell.stretch,)
        parts = [_part(reader, campaign, stretch) for stretch in whole((*reader.stretches(cell.id), *newest))]
        records = [wave.record for wave in reader.waves(cell.id, events=True, warmup=False)]
    return records, conditions(parts) if parts else None


def _part(reader: Reader, campaign: int, stretch: Stretch) -> Part:
    return stretch, samples_of(reader, campaign, stretch)
