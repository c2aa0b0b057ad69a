"""Whether everything that should be up is up: also ranks that no port tells of, and nodes that stop answering.

An engine's /health says nothing of a headless rank on another node: with PyTorch distributed the head goes on answering
200 until the next request hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from sparktui.errors import HostError, LaunchError
from sparktui.serving.host import Host, Running
from sparktui.serving.plan import Step

POLL_S = 2.0
UNREACHABLE_AFTER_S = 15.0
"""A node that cannot be asked for so long is given up: a wave would hang until its own deadline."""
INSPECT = ("docker", "inspect", "--format", "{{.State.Running}}")
INSPECT_TIMEOUT_S = 15.0


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
    silent_since: float | None = None
    now = asyncio.get_running_loop().time
    while True:
        try:
            dead = await first_dead(items)
        except HostError as error:
            silent_since = now() if silent_since is None else silent_since
            if now() - silent_since >= UNREACHABLE_AFTER_S:
                raise LaunchError(f"a node cannot be reached any more: {error.message}", error.hint) from error
        else:
            silent_since = None
            if dead is not None:
                raise LaunchError(f"{dead} ended while it was serving", "its last lines say why")
        await asyncio.sleep(POLL_S)


async def _is_up(item: Up) -> bool:
    if item.running is not None:
        return await item.running.alive()
    if item.step.alive:
        return (await item.host.run(item.step.alive, timeout_s=INSPECT_TIMEOUT_S)).returncode == 0
    if item.step.container is None or not item.step.starts_container:
        return True
    done = await item.host.run((*INSPECT, item.step.container), timeout_s=INSPECT_TIMEOUT_S)
    return done.returncode == 0 and done.stdout.split()[-1:] == ["true"]
