"""The runner process: `python -m sparktui.runner CAMPAIGN [--lock N] [--force]`. Started by a viewer, outlives it."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from sparktui.errors import SparktuiError
from sparktui.private import close_to_others
from sparktui.runner.campaign import run_campaign
from sparktui.runner.lock import Lock, keep_lock


def main(campaign: int, lock: Lock | None = None, *, force: bool = False) -> int:
    """Run a stored campaign, or what is left of it, to its end and return its exit code."""
    close_to_others()
    # Not SIG_IGN, which the engines would inherit: a terminal that is lost is no reason to end, whoever says so.
    signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        keep_lock(campaign, lock)
        return asyncio.run(run_campaign(campaign, force=force))
    except SparktuiError as error:
        print(f"{error.message}\n{error.hint}", file=sys.stderr)  # noqa: T201 - its log
        return error.exit_code


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser("sparktui.runner")
    parser.add_argument("campaign", type=int)
    parser.add_argument("--lock", type=int, metavar="N", help="the lock's file, as it was handed on")
    parser.add_argument("--force", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    asked = _asked()
    sys.exit(main(asked.campaign, asked.lock, force=asked.force))
