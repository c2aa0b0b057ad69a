"""The runner process: `python -m sparktui.runner CAMPAIGN [--force]`. Started by a viewer, outlives it."""

from __future__ import annotations

import asyncio
import signal
import sys

from sparktui.errors import SparktuiError, UsageError
from sparktui.paths import run_dir
from sparktui.private import close_to_others
from sparktui.runner.campaign import run_campaign
from sparktui.runner.detach import STARTED
from sparktui.runner.lock import hold_lock


def main(campaign: int, *, force: bool = False) -> int:
    """Run a stored campaign, or what is left of it, to its end and return its exit code."""
    close_to_others()
    # Not SIG_IGN, which the engines would inherit: a terminal that is lost is no reason to end, whoever says so.
    signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        if not hold_lock(campaign):
            raise UsageError("another campaign is running in this data folder", "`sparktui attach` shows it")
        (run_dir(campaign) / STARTED).touch(mode=0o600)
        return asyncio.run(run_campaign(campaign, force=force))
    except SparktuiError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)  # noqa: T201 - its log
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), force=sys.argv[2:] == ["--force"]))
