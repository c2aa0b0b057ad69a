"""Letting go of whoever started this process: the ssh that brought it may end, and it goes on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

Report = Callable[[dict[str, Any]], None]


def detach() -> Report:
    """Go on in a session of its own, with no input or output; return how to report to the one who started it.

    The process that was started waits for the one report, prints it as a line and exits: 0, or 1 for one with `error`.
    Must come before any thread.
    """
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        os._exit(_pass_on(reading))
    os.close(reading)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)

    def report(said: dict[str, Any]) -> None:
        os.write(writing, json.dumps(said).encode())
        os.close(writing)

    return report


def stay() -> Report:
    """Go on where it was started; the report is a line on the output."""

    def report(said: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    return report


def _pass_on(reading: int) -> int:
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read() or b'{"error": "the agent ended before it listened"}'
    os.write(1, said + b"\n")
    return 1 if b'"error"' in said else 0
