"""What a campaign says of itself: event rows, which every viewer prints or shows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from sparktui.runner.notes import Note, Notes
from sparktui.serving.host import Host
from sparktui.serving.plan import Step
from sparktui.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Journal:
    """One campaign's events."""

    writer: Writer
    campaign: int

    async def info(self, source: str, kind: str, text: str, data: Mapping[str, object] | None = None) -> None:
        """Note something that went as planned."""
        await self.writer.add_event(self.campaign, "info", source, kind, text, dict(data or {}))

    async def warning(self, source: str, kind: str, text: str, data: Mapping[str, object] | None = None) -> None:
        """Note something an owner should look at."""
        await self.writer.add_event(self.campaign, "warning", source, kind, text, dict(data or {}))

    async def error(self, source: str, kind: str, text: str, data: Mapping[str, object] | None = None) -> None:
        """Note something that failed."""
        await self.writer.add_event(self.campaign, "error", source, kind, text, dict(data or {}))


@dataclass(frozen=True, slots=True)
class StoreLedger:
    """What a sweep starts, kept so that it can be removed after the runner was killed, or the store damaged."""

    writer: Writer
    campaign: int
    sweep: int
    topology: str
    mark: str
    hosts: Mapping[str, Host]

    async def started(self, step: Step) -> int:
        """Note a step that is about to be started; return its number."""
        number = await self.writer.add_launched(self.campaign, step.node, step.title, sweep=self.sweep, undo=step.undo)
        note = Note.of(self.mark, number, step, self.hosts[step.node], self.topology)
        await asyncio.to_thread(self._notes.add, note)
        return number

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        """Note the process group that it has become."""
        await asyncio.to_thread(self._notes.add, Note(self.mark, number, pid=pid, pid_started=pid_started))
        await self.writer.set_launched_pid(number, pid, pid_started)

    async def gone(self, number: int) -> None:
        """Note that it was removed."""
        await asyncio.to_thread(self._notes.strike, self.mark, number)
        await self.writer.mark_gone(number)

    @property
    def _notes(self) -> Notes:
        return Notes.of(self.campaign, self.writer.path.parent)
