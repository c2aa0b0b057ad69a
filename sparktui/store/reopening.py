"""Makes a campaign that nobody works on any more one that waits for a runner again: its open cells, and no others."""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

from sparktui.errors import UsageError
from sparktui.store import statements as sql
from sparktui.store.connection import open_writable, transaction
from sparktui.store.failures import store_errors

RESUMED = "resumed"
"""The kind of the event that a campaign goes on with."""


def reopen(path: Path, campaign: int, sweeps: Collection[int], cells: Collection[int], text: str) -> int:
    """Set a campaign to `queued`, and these sweeps and cells of it to `waiting`, in one transaction.

    What viewers had asked the runner before for is not to be asked of the next: it counts as done.

    Returns:
        The id of the event, with `text`, that says so in the campaign's log.

    Raises:
        UsageError: There is no such campaign.
        StoreError: The store cannot be written.
    """
    now = time.time()
    with closing(open_writable(path)) as connection, store_errors(path), transaction(connection, "FULL"):
        found = connection.execute(
            "UPDATE campaign SET state = 'queued', finished = NULL, exit_code = NULL, detail = NULL WHERE id = ?",
            (campaign,),
        )
        if found.rowcount == 0:
            raise UsageError(f"no campaign {campaign}", "`sparktui list` shows them")
        connection.executemany(
            "UPDATE sweep SET state = 'waiting', stopped = NULL, proof = NULL, error = NULL WHERE id = ?",
            [(sweep,) for sweep in sweeps],
        )
        connection.executemany(
            "UPDATE cell SET state = 'waiting', taint = NULL, ended = NULL WHERE id = ?", [(cell,) for cell in cells]
        )
        connection.execute("UPDATE control SET done = ? WHERE campaign = ? AND done IS NULL", (now, campaign))
        event = connection.execute(sql.INSERT_EVENT, (now, campaign, "info", "runner", RESUMED, text, "{}")).lastrowid
        assert event is not None
        return event
