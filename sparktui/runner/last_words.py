"""Why a runner ended, where it could not say so in the store: from its log, or from the disk that both are on."""

from __future__ import annotations

import shutil

from sparktui.paths import data_dir, run_dir
from sparktui.runner.detach import RUNNER_LOG, STARTED

FULL_BYTES = 256 * 1024
"""Of free space: with less, the last thing that a runner does fails."""
READ_BYTES = 4000


def last_words(campaign: int) -> str:
    """Return what the last runner of a campaign said as it ended; empty where nothing is known of it."""
    folder = run_dir(campaign)
    log = folder / RUNNER_LOG
    try:
        since_it_started = log.stat().st_mtime_ns >= (folder / STARTED).stat().st_mtime_ns
        said = log.read_bytes()[-READ_BYTES:].decode(errors="replace").strip() if since_it_started else ""
        full = shutil.disk_usage(data_dir()).free < FULL_BYTES
    except OSError:
        return ""
    if said:
        return "; ".join(said.splitlines()[-2:])
    return f"the disk of {data_dir()} is full; free some space: what was reported complete is kept" if full else ""
