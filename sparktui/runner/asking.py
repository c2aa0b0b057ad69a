"""Asks a campaign's runner to stop, whatever has become of the store that requests are written to."""

from __future__ import annotations

import signal
from pathlib import Path

from sparktui.errors import StoreError
from sparktui.paths import store_path
from sparktui.runner.detach import signal_runner
from sparktui.store.control import request_control


def ask_to_stop(path: Path, campaign: int) -> None:
    """Have a campaign's runner stop: by a request in its store, or by a signal where that cannot be written.

    Raises:
        UsageError: There is no such campaign.
        StoreError: The request could not be written, and nobody is there who could be signalled.
    """
    try:
        request_control(path, campaign, "stop")
    except StoreError:  # a store that cannot be written must not keep engines up
        if path != store_path() or not signal_runner(campaign, signal.SIGTERM):
            raise
