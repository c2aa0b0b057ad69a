"""What can go wrong, typed: each error says what happened, where, and what to do next."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process ends with; scripts rely on these numbers."""

    DONE = 0
    PARTIAL = 1
    """Measured, but something failed."""
    USAGE = 2
    """A wrong option, profile, campaign or file: nothing was started."""
    LAUNCH = 3
    """No topology could be launched."""
    GUARD = 4
    """The memory guard ended something."""
    INTERRUPTED = 130


class SparktuiError(Exception):
    """An error to show as text, never as a traceback.

    Args:
        message: What happened and where.
        hint: What to do next, as a sentence; empty where there is nothing to advise.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SparktuiError):
    """The command line, or what it names, cannot be used as given."""


class BusyError(UsageError):
    """A campaign is running here, and there is one at a time.

    Args:
        campaign: Its number.
    """

    def __init__(self, campaign: int) -> None:
        super().__init__(
            f"campaign {campaign} is running, and two at once would disturb each other's figures",
            f"`sparktui attach {campaign}` shows it, `sparktui stop {campaign}` ends it",
        )
        self.campaign = campaign


class StoppedError(SparktuiError):
    """A campaign was stopped before its runner was up.

    Args:
        campaign: Its number.
    """

    exit_code = ExitCode.INTERRUPTED

    def __init__(self, campaign: int) -> None:
        super().__init__(f"campaign {campaign} was stopped while it was being started: nothing of it was run")


class ProfileError(SparktuiError):
    """A profile that cannot be used; `problems` holds every reason, one line each."""

    def __init__(self, message: str, problems: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint)
        self.problems = problems


class ImportFileError(SparktuiError):
    """A result file that cannot be imported; nothing of it was."""


class StoreError(SparktuiError):
    """The store cannot be opened, read or written."""

    exit_code = ExitCode.PARTIAL


class ScreenError(SparktuiError):
    """A screen broke off by an error of its own; what it showed goes on."""

    exit_code = ExitCode.PARTIAL


class OutputError(SparktuiError):
    """A result cannot be printed."""

    exit_code = ExitCode.PARTIAL


class LaunchError(SparktuiError):
    """A topology did not come up; `log_tail` holds the last lines its processes wrote."""

    exit_code = ExitCode.LAUNCH

    def __init__(self, message: str, hint: str = "", log_tail: str = "") -> None:
        super().__init__(message, hint)
        self.log_tail = log_tail


class HostError(SparktuiError):
    """A command on a node could not be run, or did not end in time."""

    exit_code = ExitCode.LAUNCH


class ConnectionLostError(HostError):
    """The connection to a node was lost under a command; what came of that is not known."""


class EngineError(SparktuiError):
    """A serving endpoint answered something that cannot be measured."""

    exit_code = ExitCode.PARTIAL
