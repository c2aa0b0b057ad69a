"""Which cell of a sweep comes next, and when it has been measured enough: every wave of every level, or adaptively."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sparktui.measure.record import WaveRecord
from sparktui.profile.model import Profile
from sparktui.runner.cell import Cell
from sparktui.runner.course import Course
from sparktui.runner.journal import Journal

NOT_NEEDED = "not needed: no lead seen to change hands around it"


@dataclass(frozen=True, slots=True)
class Steering:
    """One campaign's: without a course, all cells in their order and all their waves."""

    profile: Profile
    journal: Journal
    course: Course | None

    @classmethod
    def of(cls, profile: Profile, journal: Journal) -> Steering:
        """Return the steering that a profile's workload asks for."""
        return cls(profile, journal, Course.of(profile.workload, len(profile.topologies)))

    async def cells(self, sweep: int, topology: str, planned: tuple[Cell, ...]) -> AsyncIterator[Cell]:
        """Yield the cells of the topology that is up, each when the one before has been measured."""
        unfinished = [cell for cell in planned if not cell.over and (self.course is None or cell.begun)]
        for cell in unfinished:
            yield cell
        if self.course is None:
            return
        known = {cell.concurrency: cell for cell in planned}
        last = topology == list(self.profile.topologies)[-1]
        while (choice := self.course.next_level(topology, last=last)) is not None:
            if choice.level not in known:
                known[choice.level] = await self._new_cell(sweep, len(known), choice.level)
            text = f"{topology}: c{choice.level} next: {choice.why}"
            await self.journal.info(topology, "level-chosen", text, {"level": choice.level, "why": choice.why})
            yield known[choice.level]
        await self._skip(topology, known)

    def enough(self, topology: str, level: int) -> Callable[[WaveRecord], str | None]:
        """Return who is told of each wave of a cell, and says why it needs no more, or None."""
        course = self.course

        def judge(record: WaveRecord) -> str | None:
            if course is None:
                return None
            course.add(topology, level, record)
            return course.why_stop(topology, level)

        return judge

    def why_stop(self, topology: str, level: int) -> str | None:
        """Say why a cell needs no more waves than it has; None where it has to have them all."""
        return None if self.course is None else self.course.why_stop(topology, level)

    def has_work(self, topology: str, cells: tuple[Cell, ...]) -> bool:
        """Tell whether a topology has to be up: nothing is launched for cells that are all measured."""
        if self.course is None:
            return not all(cell.over for cell in cells)
        last = topology == list(self.profile.topologies)[-1]
        begun = any(cell.begun and not cell.over for cell in cells)
        return begun or self.course.next_level(topology, last=last) is not None

    def brought_up(self, topology: str, seconds: float) -> None:
        """Take in how long a topology took to serve."""
        if self.course is not None:
            self.course.brought_up(topology, seconds)

    def to_bring_up_again(self) -> tuple[str, ...]:
        """Return the topologies that have levels near a crossover left to measure."""
        return () if self.course is None else self.course.to_bring_up_again()

    def leave(self, topology: str) -> None:
        """Ask for no more of a topology."""
        if self.course is not None:
            self.course.leave(topology)

    async def report(self) -> None:
        """Tell what was saved."""
        if self.course is None or not self.course.cells:
            return
        saving, again_s = self.course.saving(), self.course.relaunch_s
        again = f"; bringing topologies up again took {again_s:.0f} s" if again_s else ""
        data: dict[str, object] = {
            "waves": saving.waves,
            "fixed_waves": saving.fixed_waves,
            "wave_seconds": saving.seconds,
            "fixed_wave_seconds": saving.fixed_seconds,
            "relaunch_seconds": again_s,
        }
        await self.journal.info("runner", "adaptive-saving", f"adaptive: {saving}{again}", data)

    async def _new_cell(self, sweep: int, seq: int, level: int) -> Cell:
        load = self.profile.workload
        number = await self.journal.writer.create_cell(
            sweep,
            seq=seq,
            concurrency=level,
            pp=load.pp,
            tg=load.tg,
            depth=load.depth,
            runs=load.runs,
            shape=load.shape,
        )
        return Cell(number, level)

    async def _skip(self, topology: str, known: dict[int, Cell]) -> None:
        assert self.course is not None
        done = self.course.cells.get(topology, {})
        for level, cell in known.items():
            if level not in done:
                await self.journal.writer.set_cell_state(cell.id, "skipped", ended_by=NOT_NEEDED)
