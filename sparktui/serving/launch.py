"""A topology on its way up and up: refuses what is in the way, runs a plan's steps, knows what is alive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from sparktui.errors import HostError, LaunchError, SparktuiError
from sparktui.nodes.broken_off import once_more
from sparktui.serving.alive import first_dead, watch
from sparktui.serving.host import HEAD_BYTES, Host, Running
from sparktui.serving.leftovers import KEEP_ENV, MARK_ENV, containers_left
from sparktui.serving.litellm_version import refuse_unsafe
from sparktui.serving.plan import Plan, Step
from sparktui.serving.stop import take_down
from sparktui.serving.tails import joined
from sparktui.serving.uncut import uncut

REACH_TIMEOUT_S = 15.0
LOG_TAIL_TIMEOUT_S = 15.0
CONTAINER_LOG_HEAD = 'docker logs "$1" 2>&1 | head -c "$2"'


class Ledger(Protocol):
    """Remembers, beyond the runner's own life, what was started and how to remove it."""

    async def started(self, step: Step) -> int:
        """Note a step that is about to be started; return its number."""

    async def spawned(self, number: int, pid: int, pid_started: float | None) -> None:
        """Note the process group that it has become."""

    async def gone(self, number: int) -> None:
        """Note that it was removed."""


@dataclass(slots=True)
class Launched:
    """One step that was run, or that may have been: from just before it is started."""

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
    mark: str = ""
    """Put into the environment of everything that is started, and looked for after the stop."""
    launched: list[Launched] = field(default_factory=list)

    async def launch(self) -> None:
        """Run every step in order.

        Raises:
            LaunchError: A node cannot be reached, a port or a container's name was taken, the router is not safe to
                run, or a step failed; what was started before it is still up: call `stop`.
        """
        await self._refuse_unreachable()
        await self._refuse_taken_ports()
        await self._refuse_taken_names()
        await self._refuse_unsafe_router()
        for step in self.plan.steps:
            await self._run(step)

    async def dead(self) -> str | None:
        """Return the title of a step that should be up and is not.

        Raises:
            HostError: A node cannot be asked.
        """
        return await first_dead(self.launched)

    async def watch(self) -> None:
        """Look after everything that is up; never return.

        Raises:
            LaunchError: Something ended, or a node cannot be reached any more.
        """
        await watch(self.launched)

    async def engine_log(self) -> str:
        """Return what the first engine has written so far, from its beginning."""
        first = next((item for item in self.launched if item.step.serves), None)
        if first is None:
            return ""
        if first.running is not None:
            return await first.running.log_head()
        argv = ["sh", "-c", CONTAINER_LOG_HEAD, "sh", str(first.step.container), str(HEAD_BYTES)]
        return (await first.host.run(argv, timeout_s=LOG_TAIL_TIMEOUT_S)).stdout

    async def log_tails(self) -> str:
        """Return the last lines of every step's log, each under its title."""
        tails = [(item.step.title, await _tail(item)) for item in self.launched]
        return joined(tails)

    async def stop(self) -> Proof:
        """Undo every step, last first, end what still carries the mark, and look at what is left."""
        if not self.launched:
            return Proof()
        unkept = await self._keep_logs()
        left, clean = await take_down(self.launched, self.mark)
        left += unkept.values()
        for item in clean:
            if item.number is not None and item.step.title not in unkept:
                with suppress(SparktuiError):  # a store that fails must not keep the others up
                    await self.ledger.gone(item.number)
        left += [f"port of {name} still answers" for name in await self._open_ports()]
        self.launched.clear()
        return Proof(tuple(dict.fromkeys(left)))

    async def _keep_logs(self) -> dict[str, str]:
        """Bring logs here before what holds them is removed, a container its own; return what is left, by step."""
        unkept = {}
        for item in self.launched:
            try:
                await once_more(partial(self._keep_log, item))
            except HostError as error:
                unkept[item.step.title] = f"{item.step.title}: its log: {error.message}"
            except OSError:  # a disk that is full must not keep engines up
                continue
        return unkept

    async def _keep_log(self, item: Launched) -> None:
        step = item.step
        if step.background:
            await item.host.keep_log(self._log_of(step))
        elif step.logs:
            with suppress(HostError):
                done = await item.host.run(step.logs, timeout_s=LOG_TAIL_TIMEOUT_S)
                await asyncio.to_thread(self._log_of(step).write_text, done.stdout + done.stderr)

    def _log_of(self, step: Step) -> Path:
        return log_path(self.log_dir, self.plan.topology, step.title)

    async def _run(self, step: Step) -> None:
        item = Launched(step, self.hosts[step.node])
        await uncut(self._note(item))
        try:
            for path, text in step.files.items():
                await item.host.write(path, text)
            if step.background:
                await uncut(self._spawn(item))
            else:
                await self._run_to_end(item)
        except HostError as error:
            raise LaunchError(f"{step.title}: {error.message}", error.hint) from error

    async def _note(self, item: Launched) -> None:
        """Note a step before it is started: a connection, or the runner, may be lost when half of that is done."""
        item.number = await self.ledger.started(item.step)
        self.launched.append(item)

    async def _spawn(self, item: Launched) -> None:
        step = item.step
        secrets = {name: self.secrets[name] for name in step.secret_env if name in self.secrets}
        running = item.running = await item.host.spawn(
            step.argv, env=self._environment(step), secrets=secrets, cwd=step.cwd, log=self._log_of(step)
        )
        if item.number is not None:
            await self.ledger.spawned(item.number, running.pid, running.started)

    async def _run_to_end(self, item: Launched) -> None:
        step = item.step
        done = await item.host.run(step.argv, env=self._environment(step), cwd=step.cwd, timeout_s=step.timeout_s)
        if done.returncode != 0:
            raise LaunchError(
                f"{step.title} failed on {step.node} with exit code {done.returncode}",
                step.hint or "see its last lines; `sparktui run PROFILE --dry-run` prints the command to try by hand",
                (done.stdout + done.stderr)[-4000:],
            )

    def _environment(self, step: Step) -> dict[str, str]:
        return step.env | ({MARK_ENV: self.mark, **KEEP_ENV} if self.mark else {})

    async def _refuse_unreachable(self) -> None:
        """Ask every node something before anything is noted as started on one that was never reached."""
        for node in dict.fromkeys(step.node for step in self.plan.steps):
            try:
                await once_more(partial(self.hosts[node].run, ["true"], timeout_s=REACH_TIMEOUT_S))
            except HostError as error:
                raise LaunchError(f"not launched: {node} cannot be reached: {error.message}", error.hint) from error

    async def _refuse_taken_ports(self) -> None:
        if not self.plan.steps:
            return
        for name in await self._open_ports():
            raise LaunchError(f"the port of {name} is already in use", "stop what serves there, or choose another port")

    async def _refuse_taken_names(self) -> None:
        for step in self.plan.steps:
            if step.container:
                with suppress(HostError):  # without Docker the step itself will say so
                    for found in await containers_left(self.hosts[step.node], step.node, step.container):
                        raise LaunchError(f"not launched: there is already a {found.what} on {step.node}", found.remove)

    async def _refuse_unsafe_router(self) -> None:
        try:
            await once_more(partial(refuse_unsafe, self.plan, self.hosts))
        except HostError as error:
            raise LaunchError(error.message, error.hint) from error

    async def _open_ports(self) -> list[str]:
        named = {f"{backend.node} ({backend.url})": backend.url for backend in self.plan.backends}
        named.setdefault(f"the router ({self.plan.url})", self.plan.url)
        urls = {url: name for name, url in reversed(named.items()) if url}
        return [name for url, name in urls.items() if await answers(url)]


def log_path(folder: Path, topology: str, title: str) -> Path:
    """Return where a step's log is kept in a campaign's folder."""
    return folder / f"{topology}-{title.replace(' ', '-')}.log"


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


async def _tail(item: Launched) -> str:
    try:
        if item.running is not None:
            return await item.running.log_tail()
        if item.step.logs:
            done = await item.host.run(item.step.logs, timeout_s=LOG_TAIL_TIMEOUT_S)
            return done.stdout + done.stderr
    except HostError as error:
        return error.message
    return ""
