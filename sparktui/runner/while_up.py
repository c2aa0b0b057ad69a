"""Work that lasts no longer than what it measures is up, and says so when it was not; a wave it broke is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from sparktui.errors import HostError, LaunchError, SparktuiError
from sparktui.measure.record import WaveRecord
from sparktui.serving.launch import Deployment

DYING_S = 2.0
"""A process may be gone a moment after the connection that it broke."""
POLL_S = 0.1


async def while_up(deployment: Deployment, work: Coroutine[Any, Any, None]) -> None:
    """Do some work for as long as everything is up.

    Raises:
        LaunchError: Something that was up has ended, or a node cannot be reached any more.
        SparktuiError: What the work raised, where everything is still up.
    """
    tasks = [asyncio.create_task(deployment.watch()), asyncio.create_task(work)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except SparktuiError as error:
        raise await _cause(deployment, error) from error
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def refuse_broken(deployment: Deployment, record: WaveRecord) -> None:
    """Let a wave pass, unless its requests failed because what it measured has ended: it is to be measured again.

    Raises:
        LaunchError: Something that was up has ended.
    """
    if not deployment.launched or all(request.error is None for request in record.requests):
        return
    now = asyncio.get_running_loop().time
    deadline = now() + DYING_S
    while now() < deadline:
        try:
            if (title := await deployment.dead()) is not None:
                raise _ended(title)
        except HostError:  # not asked yet whether it is up; `watch` gives a node up that stays silent
            deadline = now() + DYING_S
        await asyncio.sleep(POLL_S)


async def refuse_ended(deployment: Deployment) -> None:
    """Go on only where nothing is known to have ended; `watch` gives a node up that stays silent.

    Raises:
        LaunchError: Something that was up has ended.
    """
    with suppress(HostError):
        if (title := await deployment.dead()) is not None:
            raise _ended(title)


async def _cause(deployment: Deployment, error: SparktuiError) -> SparktuiError:
    """Return the engine that died, where one did: what failed then failed because of it."""
    with suppress(HostError, TimeoutError):
        async with asyncio.timeout(DYING_S):
            while (title := await deployment.dead()) is None:  # noqa: ASYNC110 - a process, maybe on another node
                await asyncio.sleep(POLL_S)
            return _ended(title)
    return error


def _ended(title: str) -> LaunchError:
    return LaunchError(f"{title} ended while it was serving", "its last lines say why")
