"""Obeys what viewers ask for: rows in `control`, read four times a second."""

from __future__ import annotations

import asyncio

from sparktui.runner.interrupt import Interrupt
from sparktui.runner.journal import Journal
from sparktui.store.rows import ControlRow
from sparktui.store.writer import Writer
from sparktui.visible import printable

POLL_S = 0.25
LONGEST = 100
"""Of a command that is none, as it is told."""


async def obey(writer: Writer, campaign: int, interrupt: Interrupt, journal: Journal) -> None:
    """Carry out commands until cancelled."""
    while True:
        await heed(writer, campaign, interrupt, journal)
        await asyncio.sleep(POLL_S)


async def heed(writer: Writer, campaign: int, interrupt: Interrupt, journal: Journal) -> None:
    """Carry out the commands that are there."""
    async with interrupt.heeding:
        for control in await writer.pending_controls(campaign):
            await _carry_out(control, interrupt, journal)
            await writer.finish_control(control.id)


async def _carry_out(control: ControlRow, interrupt: Interrupt, journal: Journal) -> None:
    if control.command == "stop":
        interrupt.request("stop", "asked to stop")
    elif control.command == "end-topology":
        await _end_topology(control, interrupt, journal)
    else:
        named = repr(control.command[:LONGEST])
        await journal.warning("runner", "unknown-command", f"unknown command {named}: ignored")


async def _end_topology(control: ControlRow, interrupt: Interrupt, journal: Journal) -> None:
    """End the topology that was meant; by now it may be over, and the one in flight another."""
    if control.topology in (None, interrupt.topology):
        interrupt.request("end-topology", "asked to go on with the next topology")
    else:
        text = f"asked to end {printable((control.topology or '')[:LONGEST])}, which is not up: nothing is ended"
        await journal.info("runner", "not-up", text)
