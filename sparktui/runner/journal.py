"""What a campaign says of itself: event rows, which every viewer prints or shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
    """What a sweep starts, kept so that it can be removed even after the runner was killed."""

    writer: Writer
    campaign: int
    sweep: int

    async def started(self, step: Step) -> int:
        """Note a step that is about to be started; return its number."""
        return await self.writer.add_launched(self.campaign, step.node, step.title, sweep=self.sweep, undo=step.undo)

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        """Note the process group that it has become."""
        await self.writer.set_launched_pid(number, pid, pid_started)

    async def gone(self, number: int) -> None:
        """Note that it was removed."""
        await self.writer.mark_gone(number)


class NoLedger:
    """For what is ended while the store cannot be written."""

    async def started(self, step: Step) -> int:
        """Note nothing."""
        del step
        return 0

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        """Note nothing."""

    async def gone(self, number: int) -> None:
        """Note nothing."""
