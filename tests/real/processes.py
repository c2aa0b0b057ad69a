"""Finds every process that was started, directly or not, under one mark, so that a test can prove that none is left."""

from __future__ import annotations

import os
import secrets
import signal
from contextlib import suppress

import psutil

MARK = "SPARKTUI_TEST_MARK"
"""Inherited through the environment by whatever a marked process starts, detached processes included."""


def marked_env(**variables: str) -> dict[str, str]:
    """Return this process's environment with a fresh mark and the given variables added."""
    # Renaming itself must not cost a process its environment, which is where the mark is.
    return {**os.environ, "SPT_NOENV": "1", **variables, MARK: secrets.token_hex(8)}


def marked(mark: str) -> list[psutil.Process]:
    """Return the live processes that carry a mark."""
    return [process for process in psutil.process_iter() if _mark_of(process) == mark]


def _mark_of(process: psutil.Process) -> str | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.environ().get(MARK)
    except psutil.Error:
        return None


def describe(processes: list[psutil.Process]) -> str:
    """Return one line a process: pid and command."""
    return "\n".join(_line(process) for process in processes)


def _line(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"{process.pid} (gone)"


def kill_marked(mark: str, timeout_s: float = 10.0) -> None:
    """Kill whatever carries a mark, so that a failed test leaves nothing behind."""
    left = marked(mark)
    for process in left:
        with suppress(ProcessLookupError, psutil.Error):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(left, timeout=timeout_s)
