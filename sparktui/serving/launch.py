"""A topology on its way up, up, and down again: runs a plan's steps, knows what is alive, undoes them in reverse."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from sparktui.errors import HostError, LaunchError, SparktuiError
from sparktui.serving.host import Host, LocalHost, Running
from sparktui.serving.plan import Plan, Step

STOP_GRACE_S = 15.0
"""Between SIGTERM and SIGKILL: an engine frees its GPU memory on the way out."""
UNDO_TIMEOUT_S = 120.0


class Ledger(Protocol):
    """Remembers, beyond the runner's own life, what was started and how to remove it."""

    async def started(self, step: Step, pid: int | None, pid_started: float | None) -> int:
        """Note a started step; return its number."""

    async def gone(self, number: int) -> None:
        """Note that it was removed."""


@dataclass(slots=True)
class Launched:
    """One step that was run."""

    step: Step
    host: Host
    running: Running | None = None
    number: int | None = None
    """In the ledger; None until it is noted there."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a stop left behind; nothing, if it is to be believed."""

    left: tuple[str, ...] = ()


@dataclass(slots=True)
class Deployment:
    """One topology's processes."""

    plan: Plan
    hosts: Mapping[str, Host]
    log_dir: Path
    ledger: Ledger
    secrets: Mapping[str, str] = field(default_factory=dict)
    """What goes into the environment of steps that name it, and nowhere else."""
    launched: list[Launched] = field(default_factory=list)

    async def launch(self) -> None:
        """Run every step in order.

        Raises:
            LaunchError: A port was taken, or a step failed; what was started before it is still up: call `stop`.
        """
        await self._refuse_taken_ports()
        for step in self.plan.steps:
            await self._run(step)

    async def dead(self) -> str | None:
        """Return the title of a process that should be up and is not."""
        for item in self.launched:
            if item.running is not None and not await item.running.alive():
                return item.step.title
        return None

    async def log_tails(self) -> str:
        """Return the last lines of every step's log, each under its title."""
        tails = [(item.step.title, await _tail(item)) for item in self.launched]
        return "\n".join(f"--- {title}\n{tail.strip()}" for title, tail in tails if tail.strip())

    async def stop(self) -> Proof:
        """Undo every step, last first, and look at what is left."""
        left: list[str] = []
        for item in reversed(self.launched):
            remains = await undo(item)
            left += remains
            if not remains and item.number is not None:
                with suppress(SparktuiError):  # a store that fails must not keep the others up
                    await self.ledger.gone(item.number)
        left += [f"port of {name} still answers" for name in await self._open_ports()] if self.launched else []
        self.launched.clear()
        return Proof(tuple(left))

    async def _run(self, step: Step) -> None:
        host = self.hosts[step.node]
        try:
            for path, text in step.files.items():
                await host.write(path, text)
            if step.background:
                await _whole(self._spawn(step, host))
            else:
                await self._run_to_end(step, host)
        except HostError as error:
            raise LaunchError(f"{step.title}: {error.message}", error.hint) from error

    async def _spawn(self, step: Step, host: Host) -> None:
        log = self.log_dir / f"{self.plan.topology}-{step.title.replace(' ', '-')}.log"
        running = await host.spawn(step.argv, env=self._environment(step, host), cwd=step.cwd, log=log)
        item = Launched(step, host, running)
        self.launched.append(item)
        item.number = await self.ledger.started(step, running.pid, running.started)

    async def _run_to_end(self, step: Step, host: Host) -> None:
        item = Launched(step, host)
        self.launched.append(item)
        item.number = await self.ledger.started(step, None, None)
        done = await host.run(step.argv, env=self._environment(step, host), cwd=step.cwd, timeout_s=step.timeout_s)
        if done.returncode != 0:
            raise LaunchError(
                f"{step.title} failed on {step.node} with exit code {done.returncode}",
                "see its last lines; `sparktui run PROFILE --dry-run` prints the command to try by hand",
                (done.stdout + done.stderr)[-4000:],
            )

    def _environment(self, step: Step, host: Host) -> dict[str, str]:
        if step.secret_env and not isinstance(host, LocalHost):
            raise LaunchError(
                f"{step.title} needs {', '.join(step.secret_env)}, which is not sent to another node",
                "give it a node with `host: local`",
            )
        return step.env | {name: self.secrets[name] for name in step.secret_env if name in self.secrets}

    async def _refuse_taken_ports(self) -> None:
        if not self.plan.steps:
            return
        for name in await self._open_ports():
            raise LaunchError(f"the port of {name} is already in use", "stop what serves there, or choose another port")

    async def _open_ports(self) -> list[str]:
        named = {f"{backend.node} ({backend.url})": backend.url for backend in self.plan.backends}
        named.setdefault(f"the router ({self.plan.url})", self.plan.url)
        urls = {url: name for name, url in reversed(named.items())}
        return [name for url, name in urls.items() if await answers(url)]


async def answers(url: str) -> bool:
    """Tell whether something accepts connections at a URL's host and port."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(2):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def end_group(running: Running, grace_s: float = STOP_GRACE_S) -> bool:
    """End a process group, kindly first; tell whether it is gone."""
    await running.signal(signal.SIGTERM)
    if not await _gone_within(running, grace_s):
        await running.signal(signal.SIGKILL)
        return await _gone_within(running, 5)
    await running.signal(signal.SIGKILL)  # children that outlived their leader
    return True


async def _whole(work: Coroutine[Any, Any, None]) -> None:
    """Finish some work before a cancellation is heeded: cut in two, it would leave a process that no stop knows of."""
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


async def _gone_within(running: Running, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            while await running.alive():  # noqa: ASYNC110 - another process, on another node: nothing to await
                await asyncio.sleep(0.05)
    except TimeoutError:
        return False
    return True


async def undo(item: Launched) -> list[str]:
    """Undo one step; return what is left of it."""
    try:
        if item.running is not None and not await end_group(item.running):
            return [f"{item.step.title}: process group {item.running.pid} on {item.step.node}"]
        if item.step.undo:
            done = await item.host.run(item.step.undo, timeout_s=UNDO_TIMEOUT_S)
            if done.returncode != 0 and "No such container" not in done.stderr:
                return [f"{item.step.title}: `{' '.join(item.step.undo)}` on {item.step.node}: {done.stderr.strip()}"]
    except HostError as error:
        return [f"{item.step.title}: {error.message}"]
    return []


async def _tail(item: Launched) -> str:
    try:
        if item.running is not None:
            return await item.running.log_tail()
        if item.step.logs:
            done = await item.host.run(item.step.logs, timeout_s=15)
            return done.stdout + done.stderr
    except HostError as error:
        return error.message
    return ""
