"""Whether everything that should be up is up: also ranks that no port tells of, and nodes that stop answering.

An engine's /health says nothing of a headless rank on another node: with PyTorch distributed the head goes on answering
200 until the next request hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from sparktui.errors import HostError, LaunchError
from sparktui.serving.host import Host, Running
from sparktui.serving.plan import Step

POLL_S = 2.0
UNREACHABLE_AFTER_S = 15.0
"""A node that cannot be asked for so long is given up: a wave would hang until its own deadline."""
INSPECT = ("docker", "inspect", "--format", "{{.State.Running}}")
INSPECT_TIMEOUT_S = 15.0

Dead = Callable[[], Awaitable[str | None]]
"""Names a process that should be up and is not."""


class Up(Protocol):
    """A step that was run and left something up."""

    @property
    def step(self) -> Step:
        """What was run."""

    @property
    def host(self) -> Host:
        """Where."""

    @property
    def running(self) -> Running | None:
        """Its process group, where it has one."""


async def first_dead(items: Sequence[Up]) -> str | None:
    """Return the title of a step whose process or container should be up and is not.

    Raises:
        HostError: A node cannot be asked.
    """
    for item in items:
        if not await _is_up(item):
            return item.step.title
    return None


async def watch(items: Sequence[Up]) -> None:
    """Look again and again; never return.

    Raises:
        LaunchError: Something that was up has ended, or a node has not answered for UNREACHABLE_AFTER_S.
    """
    look = PatientLook(partial(first_dead, items))
    while True:
        if (dead := await look.dead()) is not None:
            raise LaunchError(f"{dead} ended while it was serving", "its last lines say why")
        await asyncio.sleep(POLL_S)


@dataclass(slots=True)
class PatientLook:
    """Looks for what has ended, and bears with nodes that cannot be asked for a while: a connection is made again."""

    ask: Dead
    _silent_since: float | None = None

    async def dead(self) -> str | None:
        """Return the title of a step that should be up and is not; None too where that is not known yet.

        Raises:
            LaunchError: A node has not answered for UNREACHABLE_AFTER_S.
        """
        try:
            dead = await self.ask()
        except HostError as error:
            self._not_answered(error)
            return None
        self._silent_since = None
        return dead

    def _not_answered(self, error: HostError) -> None:
        now = asyncio.get_running_loop().time()
        self._silent_since = now if self._silent_since is None else self._silent_since
        if now - self._silent_since >= UNREACHABLE_AFTER_S:
            raise LaunchError(f"a node cannot be reached any more: {error.message}", error.hint) from error


async def _is_up(item: Up) -> bool:
    if item.running is not None:
        return await item.running.alive()
    if item.step.alive:
        return (await item.host.run(item.step.alive, timeout_s=INSPECT_TIMEOUT_S)).returncode == 0
    if item.step.container is None or not item.step.starts_container:
        return True
    done = await item.host.run((*INSPECT, item.step.container), timeout_s=INSPECT_TIMEOUT_S)
    return done.returncode == 0 and done.stdout.split()[-1:] == ["true"]
