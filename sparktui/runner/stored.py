"""The sweeps of a campaign as the store has them: all made at its beginning, and found again where it goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sparktui.compare.fingerprint import Fingerprint
from sparktui.errors import LaunchError
from sparktui.profile.model import Profile
from sparktui.runner.cell import Cell
from sparktui.runner.earlier import finish
from sparktui.runner.journal import Journal
from sparktui.runner.left import is_open
from sparktui.runner.steering import Steering
from sparktui.runner.sweep import Sweep
from sparktui.serving.plan import Plan
from sparktui.store.reader import Reader
from sparktui.store.rows import CellRow, SweepRow
from sparktui.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Stored:
    """One sweep with its cells, as found."""

    row: SweepRow
    cells: tuple[CellRow, ...]
    waves: Mapping[int, int]
    """Measured, by cell; one without any is left out."""
    failed: frozenset[int]
    """The cells in which requests failed."""


async def stored_sweeps(journal: Journal, profile: Profile, plans: Mapping[str, Plan | LaunchError]) -> list[Sweep]:
    """Return a sweep for every plan, in their order; what the store does not have yet is made."""
    found = await asyncio.to_thread(_found, journal.writer.path, journal.campaign)
    sweeps = []
    for seq, (topology, plan) in enumerate(plans.items()):
        stored = found.get(topology)
        number = await _new_sweep(journal, seq, topology, profile) if stored is None else stored.row.id
        sweep = Sweep(number, topology, ()) if stored is None else _again(stored)
        if sweep.state == "waiting" and not isinstance(plan, LaunchError):
            await journal.writer.set_sweep_facts(number, commands=[asdict(step) for step in plan.steps])
        sweep.cells += await _new_cells(journal.writer, sweep, profile)
        sweeps.append(sweep)
    return sweeps


async def finish_measured(journal: Journal, sweeps: list[Sweep], steering: Steering) -> None:
    """Finish the cells that have all their waves, and the sweeps that have all their cells: nothing is launched."""
    found = await asyncio.to_thread(_found, journal.writer.path, journal.campaign)
    for sweep in sweeps:
        stored = found[sweep.topology]
        sweep.cells = tuple([await _finished(journal, sweep, cell, stored, steering) for cell in sweep.cells])
        if sweep.state == "waiting" and not steering.has_work(sweep.topology, sweep.cells):
            sweep.state = "done"
            await journal.writer.set_sweep_state(sweep.id, "done")


async def _finished(journal: Journal, sweep: Sweep, cell: Cell, stored: Stored, steering: Steering) -> Cell:
    row = next(row for row in stored.cells if row.id == cell.id)
    why = steering.why_stop(sweep.topology, cell.concurrency) if cell.begun else None
    if not cell.begun or (stored.waves.get(cell.id, 0) < row.runs and why is None):
        return cell
    await finish(journal, sweep.topology, row, sweep.earlier or Fingerprint(), why)
    sweep.measured += 1
    return replace(cell, begun=False, over=True)


def _again(stored: Stored) -> Sweep:
    """Return a sweep as it was left; the state of one that waits for cells is `waiting`."""
    cells = tuple(
        Cell(row.id, row.concurrency, over=not is_open(row), begun=is_open(row) and row.started is not None)
        for row in stored.cells
    )
    return Sweep(
        stored.row.id,
        stored.row.topology,
        cells,
        state=stored.row.state,
        error=stored.row.error,
        failed_cells=len(stored.failed),
        measured=sum(row.state == "done" for row in stored.cells),
        earlier=Fingerprint.from_json(stored.row.fingerprint) if stored.waves else None,
    )


async def _new_sweep(journal: Journal, seq: int, topology: str, profile: Profile) -> int:
    fingerprint = Fingerprint.of(profile).to_json()
    return await journal.writer.create_sweep(journal.campaign, seq=seq, topology=topology, fingerprint=fingerprint)


async def _new_cells(writer: Writer, sweep: Sweep, profile: Profile) -> tuple[Cell, ...]:
    load, there = profile.workload, {cell.concurrency for cell in sweep.cells}
    shape = {"pp": load.pp, "tg": load.tg, "depth": load.depth, "runs": load.runs}
    return tuple(
        [
            Cell(await writer.create_cell(sweep.id, seq=seq, concurrency=level, shape=load.shape, **shape), level)
            for seq, level in enumerate(load.concurrency)
            if level not in there
        ]
    )


def _found(path: Path, campaign: int) -> dict[str, Stored]:
    with Reader(path) as reader:
        return {
            row.topology: Stored(
                row, tuple(reader.cells(row.id)), reader.wave_counts(row.id), reader.failed_cells(row.id)
            )
            for row in reader.sweeps(campaign)
        }
