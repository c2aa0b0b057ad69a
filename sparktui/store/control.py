"""What viewers and the command line may write: one short transaction each, beside the runner's own."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Literal, get_args

from sparktui.errors import UsageError
from sparktui.store import statements as sql
from sparktui.store.connection import open_writable, transaction
from sparktui.store.failures import store_errors

Command = Literal["stop", "end-topology"]


def request_control(path: Path, campaign: int, command: Command, topology: str | None = None) -> int:
    """Ask the runner of a campaign for something and return the request's id.

    Args:
        path: The store.
        campaign: Its number.
        command: What is asked for.
        topology: The one that is to end: by the time the runner reads of it, it may be over, and another in flight.

    Raises:
        UsageError: There is no such command or campaign.
        StoreError: The request could not be written.
    """
    if command not in get_args(Command):
        raise UsageError(f"no command {command!r}", f"one of {', '.join(get_args(Command))}")
    with closing(open_writable(path)) as connection, store_errors(path), transaction(connection, "FULL"):
        if connection.execute("SELECT 1 FROM campaign WHERE id = ?", (campaign,)).fetchone() is None:
            raise UsageError(f"no campaign {campaign}", "`sparktui list` shows them")
        row = connection.execute(sql.INSERT_CONTROL, (time.time(), campaign, command, topology)).lastrowid
        assert row is not None
        return row


def delete_campaigns(path: Path, campaigns: Collection[int]) -> None:
    """Delete campaigns and everything measured in them, all or none; whether one still runs is the caller's to know.

    Raises:
        UsageError: There is no such campaign.
        StoreError: They could not be deleted.
    """
    with closing(open_writable(path)) as connection, store_errors(path), transaction(connection, "FULL"):
        for campaign in campaigns:
            if connection.execute("DELETE FROM campaign WHERE id = ?", (campaign,)).rowcount == 0:
                raise UsageError(f"no campaign {campaign}", "`sparktui list` shows them")
