"""Down again: steps undone, what carries the mark ended, and a look at what is left all the same."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

from sparktui.errors import HostError
from sparktui.nodes.broken_off import once_more
from sparktui.serving.host import Host, Running
from sparktui.serving.leftovers import containers_left, marked_pids, processes_left, signal_all
from sparktui.serving.plan import Step

STOP_GRACE_S = 15.0
"""Between SIGTERM and SIGKILL: an engine frees its GPU memory on the way out."""
KILL_GRACE_S = 5.0
UNDO_TIMEOUT_S = 120.0
REMOVAL_S = 5.0
_POLL_S = 0.05
_MARK_POLL_S = 0.2


class Undoable(Protocol):
    """A step that was run, by this runner or one before it."""

    @property
    def step(self) -> Step:
        """What was run."""

    @property
    def host(self) -> Host:
        """Where."""

    @property
    def running(self) -> Running | None:
        """Its process group, where it has one."""


Item = TypeVar("Item", bound=Undoable)


async def take_down(items: Sequence[Item], mark: str) -> tuple[list[str], list[Item]]:
    """Undo steps, last first, and end what carries their mark.

    Returns:
        What is there all the same, each with the command that removes it, and the steps of which nothing is.
    """
    remains = [await undo(item) for item in reversed(items)][::-1]
    hosts = {item.step.node: item.host for item in items}
    await asyncio.gather(*(_end_whatever(host, mark) for host in set(hosts.values()) if mark))
    remains = [await _undo_again(item, left) for item, left in zip(items, remains, strict=True)]
    there = {node: await _left_on(node, host, mark, [item.step for item in items]) for node, host in hosts.items()}
    clean = [item for item, left in zip(items, remains, strict=True) if not left and not there[item.step.node]]
    return [line for lines in (*remains[::-1], *there.values()) for line in lines], clean


async def undo(item: Undoable) -> list[str]:
    """Undo one step; return what is left of it."""
    try:
        return await once_more(partial(_undo, item))
    except HostError as error:
        return [f"{item.step.title}: {error.message}"]


async def _undo(item: Undoable) -> list[str]:
    step = item.step
    if item.running is not None and not await end_group(item.running):
        return [f"{step.title}: process group {item.running.pid} on {step.node}"]
    if step.undo:
        done = await item.host.run(step.undo, timeout_s=UNDO_TIMEOUT_S)
        if done.returncode != 0 and "No such container" not in done.stderr:
            return [f"{step.title}: `{' '.join(step.undo)}` on {step.node}: {done.stderr.strip()}"]
    for path in step.files:
        await item.host.remove(path)
    return []


async def _undo_again(item: Undoable, left: list[str]) -> list[str]:
    """Undo a step whose container has come up since: by a script that was at work until it was ended by its mark."""
    if not item.step.undo or item.step.container is None:
        return left
    try:
        return left if await _container_gone(item.host, item.step) else await undo(item)
    except HostError as error:
        return [f"{item.step.title}: {error.message}"]


async def _container_gone(host: Host, step: Step) -> bool:
    """Tell whether a container is gone, or goes within a moment: `--rm` removes it after `docker stop` has ended."""
    deadline = asyncio.get_running_loop().time() + REMOVAL_S
    while await containers_left(host, step.node, step.container or ""):
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_MARK_POLL_S)
    return True


async def end_group(running: Running, grace_s: float = STOP_GRACE_S) -> bool:
    """End a process group, kindly first; tell whether it is gone."""
    await running.signal(signal.SIGTERM)
    if not await _gone_within(running, grace_s):
        await running.signal(signal.SIGKILL)
        return await _gone_within(running, KILL_GRACE_S)
    await running.signal(signal.SIGKILL)  # children that outlived their leader
    return True


async def _left_on(node: str, host: Host, mark: str, steps: Iterable[Step]) -> list[str]:
    containers = {step.container for step in steps if step.node == node and step.container}
    try:
        return await once_more(partial(_look, node, host, mark, containers))
    except HostError as error:
        return [f"whatever is on {node}, which cannot be asked: {error.message}"]


async def _look(node: str, host: Host, mark: str, containers: Iterable[str]) -> list[str]:
    left = await processes_left(host, node, mark) if mark else []
    for name in containers:
        left += await containers_left(host, node, name)
    return [str(found) for found in left]


async def _end_whatever(host: Host, mark: str) -> None:
    """End every process that carries a mark; a node that cannot be asked is told afterwards."""
    with suppress(HostError):
        await once_more(partial(_end_marked, host, mark))


async def _end_marked(host: Host, mark: str, grace_s: float = STOP_GRACE_S) -> None:
    """End every process that carries a mark, kindly first."""
    for number, seconds in ((signal.SIGTERM, grace_s), (signal.SIGKILL, KILL_GRACE_S)):
        if not (pids := await marked_pids(host, mark)):
            return
        await signal_all(host, pids, number)
        await _marked_gone_within(host, mark, seconds)


async def _marked_gone_within(host: Host, mark: str, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline and await marked_pids(host, mark):  # noqa: ASYNC110 - as above
        await asyncio.sleep(_MARK_POLL_S)


async def _gone_within(running: Running, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while await running.alive():  # noqa: ASYNC110 - another process, on another node: nothing to await
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        return False
    return True
