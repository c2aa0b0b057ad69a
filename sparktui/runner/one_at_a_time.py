"""One `sparktui stop` or `sparktui resume` at a time: a second one would end what the first has just brought up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from sparktui.errors import UsageError
from sparktui.paths import data_dir, refuse_others
from sparktui.runner.flock import locked_within

PATIENCE_S = 240.0
"""A stop waits for a runner, a resume for what is removed from slow nodes."""
SILENT_S = 1.0
"""A wait for longer than that is said."""


@contextmanager
def one_at_a_time(patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the data folder locked for the block: that needs no space, and a killed process holds nothing.

    Raises:
        UsageError: Another one is at work for longer than one should take.
        StoreError: The folder is somebody else's.
    """
    refuse_others(data_dir())
    folder = os.open(data_dir(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(folder, patience_s)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, patience_s: float) -> None:
    try:
        if locked_within(folder, min(SILENT_S, patience_s)):
            return
        click.echo("another `sparktui stop` or `sparktui resume` is at work here; waiting for it to end", err=True)
        if locked_within(folder, patience_s - SILENT_S):
            return
    except OSError:  # a file system that locks no folders must not keep engines up
        return
    raise UsageError(
        "another `sparktui stop` or `sparktui resume` is at work in this data folder", "wait for it to end, or end it"
    )
