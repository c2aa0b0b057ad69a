"""A node's agent, noted just before one is started there: of a node that was never reached, nothing is to be ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from sparktui.nodes.channel import Channel
from sparktui.nodes.link import Place
from sparktui.runner.agent_homes import AGENT, AgentHome
from sparktui.runner.journal import Journal
from sparktui.runner.notes import Note, Notes
from sparktui.serving.plan import Step
from sparktui.serving.uncut import uncut
from sparktui.store.reader import Reader


@dataclass(slots=True)
class NotedAgent(Place):
    """Where an agent lives, and its rows among what was launched: those of a runner before this one, or one."""

    home: AgentHome
    journal: Journal
    rows: list[int]

    @classmethod
    async def of(cls, home: AgentHome, journal: Journal) -> Self:
        """Return the agent of a home, which a runner before this one may have left there."""
        rows = await asyncio.to_thread(_rows_left, journal, home.node)
        agent = cls(home, journal, rows)
        await agent._note_beside()
        return agent

    async def start(self) -> None:
        if not self.rows:
            await uncut(self._note())
        await self.home.start()

    async def open(self) -> Channel:
        return await self.home.open()

    async def kill(self) -> None:
        await self.home.kill()

    async def clear(self) -> None:
        await self.home.clear()
        for row in self.rows:
            await asyncio.to_thread(self._notes.strike, self.home.mark, row)
            await self.journal.writer.mark_gone(row)
        self.rows.clear()

    async def _note(self) -> None:
        self.rows.append(await self.journal.writer.add_launched(self.journal.campaign, self.home.node, AGENT))
        await self._note_beside()

    async def _note_beside(self) -> None:
        for row in self.rows:
            note = Note.of(self.home.mark, row, Step(self.home.node, AGENT, ()), self.home.host)
            await asyncio.to_thread(self._notes.add, note)

    @property
    def _notes(self) -> Notes:
        return Notes.of(self.journal.campaign, self.journal.writer.path.parent)


def _rows_left(journal: Journal, node: str) -> list[int]:
    with Reader(journal.writer.path) as reader:
        left = reader.launched_left(journal.campaign)
    return [item.id for item in left if item.title == AGENT and item.node == node]
