"""Whether it was ssh itself that ended, and not the command behind it; and what may be done again then."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sparktui.errors import ConnectionLostError, HostError

SSH_FAILED = 255

Answer = TypeVar("Answer")


def broken_off(destination: str, returncode: int | None, said: str) -> HostError | None:
    """Return what is wrong with the way to a node; None where the command there has ended with this code of its own.

    Args:
        destination: What ssh was given.
        returncode: Of the local ssh; below zero where a signal has ended it.
        said: What it wrote as errors: nothing where it had a connection, and lost it.
    """
    if returncode is None or 0 <= returncode < SSH_FAILED:
        return None
    hint = f"make `ssh -o BatchMode=yes {destination} true` work"
    if returncode < 0:
        return ConnectionLostError(f"ssh {destination}: was ended by {signal.Signals(-returncode).name}", hint)
    if not said.strip():
        return ConnectionLostError(f"ssh {destination}: the connection was lost", hint)
    return HostError(f"ssh {destination}: {said.strip().splitlines()[-1]}", hint)


async def once_more(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do what may be done twice, and do it again where the connection was lost under it: the next one is a new one."""
    try:
        return await ask()
    except ConnectionLostError:
        return await ask()
