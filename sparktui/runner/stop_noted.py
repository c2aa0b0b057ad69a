"""The end of what a campaign has launched, by its notes alone: for a store that cannot be read, or is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from itertools import groupby

from sparktui.errors import HostError, StoreError
from sparktui.paths import data_dir
from sparktui.runner.agent_homes import AGENT, home_of
from sparktui.runner.hosts import control_dir, let_go
from sparktui.runner.notes import Note, Notes
from sparktui.runner.plans import forget_simulated
from sparktui.serving.host import Host
from sparktui.serving.launch import Deployment, Launched, log_path
from sparktui.serving.local import LocalHost
from sparktui.serving.plan import Plan, Step
from sparktui.serving.ssh import SshHost


async def end_noted(notes: Notes, spared: Collection[str] = ()) -> list[str]:
    """End what is noted and not gone; return what is left all the same, with the command for it.

    What agents have written stays where it is: it has no other place until the store can be read.

    Args:
        notes: A campaign's.
        spared: Marks of what is somebody else's to end.
    """
    kept = [note for note in await asyncio.to_thread(notes.left) if note.mark not in spared]
    launched = sorted((note for note in kept if note.title != AGENT), key=lambda note: note.mark)
    left = [
        line for mark, found in groupby(launched, lambda note: note.mark) for line in await _end(mark, found, notes)
    ]
    for note in kept:
        if note.title == AGENT:
            left += await _end_agent(note, notes)
    await let_go({note.node: _host(note) for note in kept})
    if not left:
        forget_simulated(notes.path.parent)
    return left


async def _end(mark: str, found: Iterable[Note], notes: Notes) -> list[str]:
    """End what carries one mark, by the code that ends every deployment."""
    noted = list(found)
    hosts = {note.node: _host(note) for note in noted}
    launched = [_launched(note, hosts[note.node], notes) for note in noted]
    plan = Plan(noted[0].topology, "", "", ())
    ledger = Strikes(notes, mark)
    return list((await Deployment(plan, hosts, notes.path.parent, ledger, mark=mark, launched=launched).stop()).left)


def _launched(note: Note, host: Host, notes: Notes) -> Launched:
    log = log_path(notes.path.parent, note.topology, note.title)
    running = None if note.pid is None else host.adopt(note.pid, note.pid_started, log)
    return Launched(note.step, host, running, note.number)


async def _end_agent(note: Note, notes: Notes) -> list[str]:
    home = home_of(note.node, note.mark, _host(note), notes.path.parent)
    try:
        await home.kill()
    except HostError as error:
        return [f"the agent of {note.node}: {error.message}" + (f" ({error.hint})" if error.hint else "")]
    await Strikes(notes, note.mark).gone(note.number)
    return []


def _host(note: Note) -> Host:
    return LocalHost() if note.host is None else SshHost(note.host, control_dir(data_dir()))


class Strikes:
    """The ledger of what is only ended."""

    def __init__(self, notes: Notes, mark: str) -> None:
        self._notes, self._mark = notes, mark

    async def started(self, step: Step) -> int:
        """Refuse: nothing is started by what ends things."""
        raise NotImplementedError(step.title)

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        """Refuse likewise."""
        raise NotImplementedError(number)

    async def gone(self, number: int) -> None:
        """Strike off what is gone; where that cannot be written, another stop looks for it again."""
        try:
            await asyncio.to_thread(self._notes.strike, self._mark, number)
        except StoreError:
            return
