"""`sparktui compact`: old campaigns take less of the disk, and every figure of theirs stays what it was."""

from __future__ import annotations

from collections.abc import Collection

from sparktui.errors import UsageError
from sparktui.paths import store_path
from sparktui.runner.lock import running_campaign
from sparktui.runner.superfluous import superfluous_samples
from sparktui.store.compaction import compact_campaign, free_space, size_bytes
from sparktui.store.reader import Reader
from sparktui.store.rows import CampaignRow


def compactable(reader: Reader, campaign: int | None, before: float | None) -> tuple[CampaignRow, ...]:
    """Return the campaigns that would be compacted, oldest first.

    Args:
        reader: The store.
        campaign: Only this one; None for all.
        before: Only those that have ended, or else begun, before this moment.

    Raises:
        UsageError: There is no such campaign; or any is running: the store is locked meanwhile, and no wave could be
            written.
    """
    if (busy := running_campaign()) is not None:
        raise UsageError(
            f"campaign {busy} is running: nothing is compacted meanwhile",
            f"wait for it, or `sparktui stop {busy}` first",
        )
    rows = reader.campaigns() if campaign is None else [reader.campaign(campaign)]
    old = [row for row in rows if before is None or (row.finished or row.created) < before]
    return tuple(sorted(old, key=lambda row: row.id))


def compact(campaigns: Collection[CampaignRow]) -> int:
    """Compact some campaigns, one after another; return how many bytes the store is smaller.

    Raises:
        UsageError: A campaign is running.
        StoreError: The store could not be written: those before are compacted, the others are as they were.
    """
    path = store_path()
    before = size_bytes(path)
    for row in campaigns:
        with Reader(path) as reader:
            compactable(reader, row.id, None)
            samples = superfluous_samples(reader, row)
        compact_campaign(path, row.id, samples)
    if running_campaign() is None:  # one that began meanwhile could write no wave; the next compact frees what is free
        free_space(path)
    return before - size_bytes(path)
