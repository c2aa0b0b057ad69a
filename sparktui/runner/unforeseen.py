"""Errors that nobody has thought of, told as the others are; where they came from is in the runner's log."""

from __future__ import annotations

import traceback
from pathlib import Path

from sparktui.errors import ExitCode, SparktuiError
from sparktui.runner.detach import RUNNER_LOG


def as_told(error: Exception, folder: Path) -> SparktuiError:
    """Return an error that says what happened: itself, or one that names the log in this folder."""
    if isinstance(error, SparktuiError):
        return error
    known = SparktuiError(f"the runner failed: {type(error).__name__}: {error}", f"its log: {folder / RUNNER_LOG}")
    known.exit_code = ExitCode.PARTIAL
    return known


def as_logged(error: Exception, folder: Path) -> SparktuiError:
    """Return the same, of an error that goes no further: where it came from is written into the log here."""
    if not isinstance(error, SparktuiError):
        traceback.print_exception(error)
    return as_told(error, folder)
